"""Input: images, masks, segmentations and parameters, each checked in one place."""
