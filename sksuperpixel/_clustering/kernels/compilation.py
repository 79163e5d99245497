"""How Numba compiles the kernels."""

from numba import njit
from numba.core.compiler_lock import global_compiler_lock

from sksuperpixel._locks import held_while_forking

# A process that is forked while another thread compiles could never compile anything.
held_while_forking(global_compiler_lock)

kernel = njit(cache=True, nogil=True, error_model="numpy")
# For helpers that a kernel calls for each pixel or pair. A call that is not inlined copies the
# shapes and strides of all arrays, which takes longer than most helpers do.
inlined = njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
network_kernel = njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}
)
