"""Peers in Python, each run as its own process: `python -m bench.peers.python.<name>`."""
