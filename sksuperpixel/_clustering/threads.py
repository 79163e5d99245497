"""Divide work among threads."""

from queue import SimpleQueue


def split_range(total, n_parts):
    """Cut ``range(total)`` into at most `n_parts` nearly equal (start, stop), none empty."""
    n_parts = max(1, min(n_parts, total))
    return [(total * i // n_parts, total * (i + 1) // n_parts) for i in range(n_parts)]


def split_rows(shape, n_parts):
    """Cut a volume by planes, or one plane by rows: (z start, z stop, y start, y stop)."""
    depth, height = shape[:2]
    if depth > 1:
        return [(start, stop, 0, height) for start, stop in split_range(depth, n_parts)]
    return [(0, 1, start, stop) for start, stop in split_range(height, n_parts)]


def run_in_order(pool, function, items):
    """Call a function for each item on a pool of threads, and yield its results in order.

    Parameters
    ----------
    pool : concurrent.futures.Executor
    function : callable
        It takes an item.
    items : sequence

    Yields
    ------
    object
        A result. An exception of the function is raised in its place. Then, and after Ctrl-C, no
        further call begins.
    """
    # Waiting for a queue ends properly when the user presses Ctrl-C. Waiting for a future
    # sometimes ends in an error about its lock.
    done = SimpleQueue()

    def work(number):
        try:
            done.put((number, function(items[number]), None))
        except BaseException as error:
            done.put((number, None, error))

    outcomes = {}
    waiting = [pool.submit(work, number) for number in range(len(items))]
    try:
        for number in range(len(items)):
            while number not in outcomes:
                found, *outcome = done.get()
                outcomes[found] = outcome
            result, error = outcomes.pop(number)
            if error is not None:
                try:
                    raise error
                finally:
                    error = None  # It refers to this frame, which would keep it alive.
            yield result
    finally:
        for each in waiting:
            each.cancel()


class Threads:
    """Runs the parts of a kernel, one after the other or on a pool of threads.

    Parameters
    ----------
    pool : concurrent.futures.Executor, default=None
    n_threads : int, default=1
    """

    def __init__(self, pool=None, n_threads=1):
        self.pool = pool
        self.n_threads = n_threads

    def run(self, function, parts):
        """Call ``function(part)`` for each part, and wait for all of them."""
        if self.pool is None or len(parts) == 1:
            for part in parts:
                function(part)
        else:
            for _ in run_in_order(self.pool, function, parts):
                pass


ONE_THREAD = Threads()
