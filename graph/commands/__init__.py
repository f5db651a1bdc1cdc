"""The commands of `fieldward`, one module each."""
