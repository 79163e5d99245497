"""Helpers for torch, which the library imports only where it uses a network."""

import importlib
import threading
from contextlib import contextmanager


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


_lock = threading.Lock()
_users = 0
_threads_before = None


@contextmanager
def one_torch_thread():
    """Limit torch to one thread inside this context, which several threads may enter.

    The rounding of torch's results depends on the number of its threads. The library divides
    images among threads of its own, so further threads of torch would only wait for each other.
    """
    import torch

    global _users, _threads_before
    with _lock:
        if _users == 0:
            _threads_before = torch.get_num_threads()
            torch.set_num_threads(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                torch.set_num_threads(_threads_before)


_seeding = threading.RLock()


@contextmanager
def seeded_torch(seed):
    """Seed torch's generators inside this context, and restore them afterwards.

    The generators belong to the whole process, so only one thread at a time can enter.

    Parameters
    ----------
    seed : int
    """
    import torch

    with _seeding, torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
