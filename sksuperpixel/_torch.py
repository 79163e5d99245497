"""What the library needs of torch, which is imported only where a network is used."""

import importlib
import threading
from contextlib import contextmanager


def require(purpose, *packages):
    """Raise an error that says what to install where a package is missing.

    Parameters
    ----------
    purpose : str
        What needs the packages.
    *packages : str

    Raises
    ------
    ImportError
        If one of them cannot be imported.
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
    """Run torch on one thread inside this context, which several of our threads may enter.

    What torch's threads compute depends on how many there are. Besides, images are divided among
    our own threads, so torch's would only wait for each other.
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
    """Seed torch's generators inside this context, and leave them as they were.

    The generators belong to the whole process, so one thread at a time may enter.

    Parameters
    ----------
    seed : int
    """
    import torch

    with _seeding, torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
