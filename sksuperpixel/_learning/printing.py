"""Print estimators with a few parameters of their networks, not skorch's whole state."""

from copy import copy

from sklearn.base import BaseEstimator


def with_short_networks(estimator):
    """Make a copy of an estimator that prints its networks briefly.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    estimator
        Use it only for printing. It looks like an estimator of the same class.
    """
    cls = type(estimator)
    # scikit-learn breaks lines only for classes that have its own `__repr__`.
    own = {
        "__repr__": BaseEstimator.__repr__,
        "__doc__": cls.__doc__,
        "__module__": cls.__module__,
    }
    printed = copy(estimator)
    printed.__class__ = type(cls.__name__, (cls,), own)
    for name, value in estimator.get_params(deep=False).items():
        if _is_skorch_net(value):
            setattr(printed, name, _short(value))
    return printed


def _is_skorch_net(value):
    """Tell whether a value is a skorch network. skorch need not be installed for this."""
    return any(cls.__module__.partition(".")[0] == "skorch" for cls in type(value).__mro__)


def _short(net):
    """Make the object that is printed in place of a skorch network."""
    if not type(net).__repr__.__module__.startswith("skorch"):
        return _Name(repr(net))  # a class that prints in its own way
    return type(type(net).__name__, (_ShortNet,), {})(net)


class _ShortNet(BaseEstimator):
    """The parameters of a network that say what it is and how it is trained."""

    def __init__(self, net):
        self.net = net

    def get_params(self, deep=True):
        names = ["module", "lr", "max_epochs"]
        names += [name for name in vars(self.net) if name.startswith("module__")]
        return {name: _Name.of(getattr(self.net, name)) for name in names}


class _Name(str):
    """Text that is printed without quotes."""

    __slots__ = ()

    @classmethod
    def of(cls, value):
        """Return the name of a class, and anything else as it is."""
        return cls(value.__name__) if isinstance(value, type) else value

    def __repr__(self):
        return str(self)
