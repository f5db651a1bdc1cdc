"""Replacing keys, and sealing what is stored in the clear, while the service runs.

Each can be cut short at any moment, and goes on from there.
"""
