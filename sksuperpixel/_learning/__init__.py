"""Learning a distance from segmentations: right candidates, training pixels, the classifier."""
