"""What is learned from segmentations, and how: labels, pixels to learn from, the classifier."""
