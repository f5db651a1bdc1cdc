"""Bringing in existing people from CSV or JSON Lines: streaming, resumable, without a value in any report."""
