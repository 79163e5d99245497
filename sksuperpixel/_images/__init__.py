"""What comes in: images, masks and segmentations, and the checks of them."""
