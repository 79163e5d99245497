"""Divide work among threads."""


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
            list(self.pool.map(function, parts))


ONE_THREAD = Threads()
