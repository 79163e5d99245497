"""A network that is trained to make features that SLIC compares well."""
