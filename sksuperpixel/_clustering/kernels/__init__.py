"""The loops over pixels, one file per stage. They take and change arrays, and check nothing.

Every kernel works on planar arrays: features (C, D, H, W) and label maps (D, H, W), with D = 1
for an image. Kernels release the interpreter's lock and run on one thread each. Callers divide
rows or clusters among threads, and no result depends on how they do so. The compiler may not
reorder floating-point sums in SLIC's kernels, so a slow reference in NumPy gives the same bits.
It may do so in the kernels of networks, because the networks were trained with sums in another
order anyway.

Positions of clusters are kept relative to their seeds, which are whole pixels. The arithmetic is
then the same wherever in an image a seed lies, and a tile of an image gives the same result as
the whole image.

Whole numbers, constants included, are passed to helpers as int64, because Numba would compile a
helper again for every other type and for every literal.

Numba notices changes in a kernel's own file only. Delete the ``__pycache__`` folders after a
change to a helper that another file uses.
"""
