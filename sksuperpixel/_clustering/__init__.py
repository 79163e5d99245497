"""From features to superpixels: arrays only, no estimators.

`superpixels` is the whole algorithm; every other module is one of its steps.
"""
