"""How Numba compiles the kernels."""

from numba import njit

kernel = njit(cache=True, nogil=True, error_model="numpy")
network_kernel = njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}
)
