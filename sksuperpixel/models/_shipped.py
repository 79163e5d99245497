"""The models that come with the library."""

from pathlib import Path

# By name; the card of a model is beside it.
SHIPPED = {"bsds500": Path(__file__).parent / "bsds500.safetensors"}
