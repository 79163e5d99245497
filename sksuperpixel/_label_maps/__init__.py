"""What metrics and learning both ask of label maps: their edges and their overlaps.

A label map is an array with one integer per pixel: superpixels, clusters or segments.
"""
