"""What metrics and learning both compute from label maps: edges and overlaps.

A label map is an array with one integer per pixel: superpixels, clusters or segments.
"""
