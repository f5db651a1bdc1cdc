"""What is held about people, how it is stored, and the only way to read it."""
