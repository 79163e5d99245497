"""Features from ENet, a network for semantic segmentation."""
