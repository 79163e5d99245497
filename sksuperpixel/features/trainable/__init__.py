"""What transformers with a trainable network have in common."""
