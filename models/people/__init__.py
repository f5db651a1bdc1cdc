"""Invented people for trying out, tests and measurements. No value belongs to a real person."""
