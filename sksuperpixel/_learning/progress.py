"""Tell scikit-learn's callbacks, such as progress bars, how far `fit` has come."""

from contextlib import contextmanager


@contextmanager
def fit_progress(estimator, X, y, n_passes):
    """Report the progress of fitting an estimator.

    Parameters
    ----------
    estimator : estimator
        Supports scikit-learn's callbacks.
    X, y : sequence
        The images and their segmentations.
    n_passes : int
        Number of passes over the images.

    Yields
    ------
    callable
        Begins a pass over the images. It returns a context, in which a function is to be called
        with what was computed for each image. The function returns it.
    """
    context = estimator._init_callback_context(max_subtasks=n_passes)
    context.call_on_fit_task_begin(estimator=estimator, X=X, y=y)

    @contextmanager
    def one_pass():
        task = context.subcontext(task_name="round", max_subtasks=len(X))
        task.call_on_fit_task_begin(estimator=estimator)

        def report(result):
            image_done = task.subcontext(task_name="image")
            image_done.call_on_fit_task_begin(estimator=estimator)
            image_done.call_on_fit_task_end(estimator=estimator)
            return result

        yield report
        task.call_on_fit_task_end(estimator=estimator)

    yield one_pass
    context.call_on_fit_task_end(estimator=estimator, X=X, y=y)
