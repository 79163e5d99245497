"""A network that is trained to make good features for SLIC."""
