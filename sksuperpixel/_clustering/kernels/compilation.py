"""How Numba compiles the kernels."""

import logging

from numba import njit
from numba.core import event
from numba.core.compiler_lock import global_compiler_lock

from sksuperpixel._locks import held_while_forking

_LOG = logging.getLogger("sksuperpixel")

# A process that is forked while another thread compiles could never compile anything.
held_while_forking(global_compiler_lock)

kernel = njit(cache=True, nogil=True, error_model="numpy")
# For helpers that a kernel calls for each pixel or pair. A call that is not inlined copies the
# shapes and strides of all arrays, which takes longer than most helpers do.
inlined = njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
network_kernel = njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}
)


class _CompilationLog(event.Listener):
    """Logs that kernels are compiled, once per process, because the first call then takes longer.

    Numba reports only functions that it does not find compiled in its cache.
    """

    is_said = False

    def on_start(self, event):
        """Log a message if it is the first of our functions."""
        function = event.data["dispatcher"].py_func
        if not function.__module__.startswith("sksuperpixel."):
            return
        if not self.is_said:
            self.is_said = True
            _LOG.info(
                "Compiling kernels for this machine, which takes some seconds. Later processes "
                "find them compiled in Numba's cache."
            )
        _LOG.debug("Compiling %s.%s", function.__module__, function.__qualname__)

    def on_end(self, event):
        """Do nothing; Numba requires this method."""


event.register("numba:compile", _CompilationLog())
