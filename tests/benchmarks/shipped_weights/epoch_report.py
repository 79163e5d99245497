"""A scikit-learn callback that prints the course of a training, shared by the scripts here."""

from time import perf_counter


class EpochReport:
    """Print the loss after each epoch, and validation scores after some of them.

    Parameters
    ----------
    validate : callable
        Takes the estimator fitted so far and returns a string to print.
    every : int
        The number of epochs between two validations. The last epoch is always validated.
    """

    def __init__(self, validate, every):
        self.validate = validate
        self.every = every
        self.start = perf_counter()

    def setup(self, estimator, context):
        """Do nothing; scikit-learn requires this method."""

    def teardown(self, estimator, context):
        """Do nothing; scikit-learn requires this method."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing; scikit-learn requires this method."""

    def on_fit_task_end(self, estimator, context, *, metadata=None, fitted_estimator=None):
        """Print one line per epoch."""
        if context.task_name != "epoch":
            return
        epoch = metadata["epoch"] + 1
        line = f"epoch {epoch}: loss {metadata['loss']:.4f}"
        if epoch % self.every == 0 or epoch == estimator.max_epochs:
            line += f", {self.validate(fitted_estimator)}"
        print(f"{line}, {(perf_counter() - self.start) / 60:.1f} min", flush=True)
