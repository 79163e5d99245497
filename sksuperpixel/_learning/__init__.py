"""Learning a distance from segmentations: labels, training pixels and the classifier."""
