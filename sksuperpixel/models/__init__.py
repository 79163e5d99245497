"""Trained models: those that come with the library, and the format of their files."""
