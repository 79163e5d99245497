"""The loops over pixels, one file per stage: arrays in, arrays changed, no checks, no objects.

Every kernel works on planar arrays: features (C, D, H, W) and label maps (D, H, W), with D = 1
for an image. Kernels release the interpreter's lock and run on one thread each. Callers divide
rows or clusters among threads, and no result depends on how they do so. The compiler may not
reorder floating-point sums in SLIC's kernels, so a slow reference in NumPy gives the same bits.
It may do so in the kernels of networks, whose weights were learned with sums in another order
anyway.

Positions of clusters are kept relative to their seeds, which are whole pixels. The arithmetic is
then the same wherever in an image a seed lies, and a tile of an image gives what the whole image
gives.

Whole numbers are passed to helpers as int64, constants included: Numba would compile a helper
once more for every other type and for every literal.

Numba notices changes in a kernel's own file only. Delete the ``__pycache__`` folders after a
change to a helper that another file uses.
"""
