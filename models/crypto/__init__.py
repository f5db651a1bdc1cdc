"""Keys, signing and sealing: the only place that handles key material."""
