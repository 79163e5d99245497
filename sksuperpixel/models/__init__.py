"""Trained models: those shipped with the library, and the format of model files."""
