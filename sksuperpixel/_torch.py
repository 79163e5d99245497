"""Helpers for torch, which the library imports only where it uses a network."""

import importlib
import sys
import threading
from contextlib import contextmanager
from weakref import WeakSet

from sksuperpixel._locks import ProcessLock, in_forked_processes


def require(purpose, *packages):
    """Check that packages can be imported.

    Parameters
    ----------
    purpose : str
        What needs the packages.
    *packages : str

    Raises
    ------
    ImportError
        If one of them cannot be imported. The error says what to install.
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ImportError(
                f"{purpose} needs {' and '.join(packages)}, but {package} cannot be imported: "
                f"pip install {' '.join(packages)}"
            ) from error


_entering = ProcessLock()
# The uses of `one_torch_thread`. If one is interrupted while it ends, it goes with its frame.
_uses = WeakSet()
# Torch's number of threads outside.
_n_outside = None
# What a thread owes itself if it left while others were inside.
_own = threading.local()


class _Use:
    """A use of `one_torch_thread` by a thread."""

    def __init__(self):
        self.thread = threading.get_ident()


@contextmanager
def one_torch_thread():
    """Limit torch to one thread inside this context, which several threads may enter.

    The rounding of torch's results depends on the number of its threads. The library divides
    images among threads of its own, so further threads of torch would only wait for each other.

    The thread that leaves last restores torch's number. Threads that left before keep 1 until
    they are the last ones to leave.
    """
    import torch

    global _n_outside
    use = _Use()
    try:
        with _entering.lock:
            _uses.add(use)
            if _n_outside is None:
                found = torch.get_num_threads()
                _n_outside = getattr(_own, "n_outside", found) if found == 1 else found
            # Always, because each thread has a number of its own.
            torch.set_num_threads(1)
        yield
    finally:
        with _entering.lock:
            _uses.discard(use)
            if _uses:
                _own.n_outside = _n_outside
            elif _n_outside is not None:
                torch.set_num_threads(_n_outside)
                _n_outside = None
                vars(_own).clear()


def _use_one_thread_of_torch():
    """Set torch to one thread in a forked process.

    If the first process had several, GNU OpenMP would wait forever for those that do not exist in
    the new one. The workers of torch's own `DataLoader` do the same.
    """
    global _n_outside
    for use in list(_uses):
        if use.thread != threading.get_ident():
            _uses.discard(use)
    _n_outside = 1 if _uses else None
    vars(_own).clear()
    # Torch may not be loaded, or another thread may have been loading it.
    if hasattr(sys.modules.get("torch"), "set_num_threads"):
        sys.modules["torch"].set_num_threads(1)


in_forked_processes(_use_one_thread_of_torch)


_seeding = ProcessLock()


@contextmanager
def seeded_torch(seed):
    """Seed torch's generators inside this context, and restore them afterwards.

    The generators belong to the whole process, so only one thread at a time can enter. In a
    process that is forked while another thread is inside, the generators stay seeded.

    Parameters
    ----------
    seed : int
    """
    import torch

    with _seeding.lock, torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
