"""ENet, a network for semantic segmentation, whose maps are features."""
