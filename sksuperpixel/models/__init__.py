"""Trained models: those that come with the library, and files of them."""
