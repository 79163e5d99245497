"""The models that come with the library."""

from pathlib import Path

# The file of each model. The model's card is in the same folder.
SHIPPED = {"bsds500": Path(__file__).parent / "bsds500.safetensors"}
