"""The output types: what a person looks like from outside."""
