"""Locks and other state of the process that must be right in a forked process, too."""

import os
import threading


def in_forked_processes(function):
    """Have a function called at the start of each process that is forked from this one.

    Only the thread that forks goes on in the new process.

    Parameters
    ----------
    function : callable
        It takes no arguments.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)


def held_while_forking(lock):
    """Have a lock of another library held whenever this process is forked.

    So no other thread holds it then, and what it protects is as it should be in the new process.
    A fork waits for threads that hold the lock.

    Parameters
    ----------
    lock : threading.RLock or similar
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )


class ProcessLock:
    """A lock that is not held in a forked process by a thread that does not exist there.

    It is used as ``with process_lock.lock:``. A thread that holds it may enter it again.

    Attributes
    ----------
    lock : threading.RLock
        The lock itself, because only locks implemented in C are entered and left completely or not
        at all when the user presses Ctrl-C.
    """

    def __init__(self):
        self.lock = threading.RLock()
        in_forked_processes(self._free)

    def _free(self):
        # The thread that forked keeps the lock if it holds it.
        if self.lock.acquire(blocking=False):
            self.lock.release()
        else:
            self.lock = threading.RLock()
