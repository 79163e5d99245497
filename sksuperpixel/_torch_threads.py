"""One thread for torch: what several threads compute depends on how many there are."""

import threading
from contextlib import contextmanager

_lock = threading.Lock()
_users = 0
_threads_before = None


@contextmanager
def one_torch_thread():
    """Run torch on one thread meanwhile; several threads of ours may, each in its own context.

    Images are shared among our threads, so torch's own would only wait for each other: on busy
    cores for many times as long as the work takes.
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
    """Draw from torch's generators seeded anew, and leave them as they were.

    They belong to the whole process: one thread at a time.

    Parameters
    ----------
    seed : int
    """
    import torch

    with _seeding, torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
