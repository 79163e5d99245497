"""What the transformers with a network that can be trained have in common."""
