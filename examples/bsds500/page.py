"""
The page of results
===================

Writes docs/bsds500.md from the tables that the other scripts of this folder left, and puts the
tables and the plots beside it. Photographs of BSDS500 are not copied: overlays and mined pixels
stay where they were made.

    python examples/bsds500/page.py
"""
