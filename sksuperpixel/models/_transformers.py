"""Transformers in model files: their names, their parameters and their tensors."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone

from sksuperpixel import features as ours
from sksuperpixel._files.tensors import check_tensors, fill_network, tensors_of
from sksuperpixel._images.parameters import shown
from sksuperpixel.models._description import check_entries, params_for
from sksuperpixel.models._parameters import to_json

_NAMES = (
    "ChannelUnion",
    "ENetFeatures",
    "LabFeatures",
    "LearnedFeatures",
    "ScatteringFeatures",
)
_WITH_NETWORK = ("ENetFeatures", "LearnedFeatures")
# The most transformers in a file, and the most maps of all of them before a selection.
_MOST_PARTS, _MOST_MAPS = 64, 100_000


def describe_transformer(transformer, fitted, prefix):
    """Describe a transformer.

    Parameters
    ----------
    transformer : str or transformer
        The parameter `features` of an estimator.
    fitted : transformer or None
        The fitted transformer.
    prefix : str
        Prefix of the names of the transformer's tensors.

    Returns
    -------
    description : str or dict
    tensors : dict of str to torch.Tensor

    Raises
    ------
    ValueError
        If a model file cannot hold the transformer.
    """
    if isinstance(transformer, str):
        return transformer, {}
    name = type(transformer).__name__
    if name not in _NAMES or not type(transformer).__module__.startswith("sksuperpixel."):
        raise ValueError(
            f"features: found a {name}, which a model file cannot hold; expected a name or one of "
            f"{list(_NAMES)}. Put other transformers before it in a Pipeline, with "
            "features='passthrough'"
        )
    params = transformer.get_params(deep=False)
    # Weights that come with the library have a name. Other weights are files of this machine.
    if "weights" in params and params["weights"] not in transformer._shipped:
        params["weights"] = None
    tensors = {}
    if name == "ChannelUnion":
        parts = []
        for (part_name, part), (_, fitted_part) in zip(
            params["transformers"], fitted.transformers_, strict=True
        ):
            description, part_tensors = describe_transformer(
                part, fitted_part, _prefix_of_part(prefix, part_name)
            )
            parts.append([part_name, description])
            tensors.update(part_tensors)
        params["transformers"] = parts
    elif name in _WITH_NETWORK:
        tensors = tensors_of(fitted.network_, prefix)
    return {"name": name, "params": to_json(params)}, tensors


@dataclass
class TransformerReader:
    """Makes transformers from the descriptions that `describe_transformer` returned.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
        All tensors of the file.
    blank : ndarray
        An image with the same number of axes and channels as those that were fitted.
    channel_axis : int or None
        Which axis of `blank` holds the channels.
    device : str, default="cpu"
        Torch device that networks run on.

    Attributes
    ----------
    n_parts, n_maps : int
        How many transformers have been restored so far, and how many scattering maps they have.
    """

    tensors: dict
    blank: np.ndarray
    channel_axis: int | None
    device: str = "cpu"
    n_parts: int = field(default=0, init=False)
    n_maps: int = field(default=0, init=False)

    @property
    def n_channels(self):
        """Number of channels of the images."""
        return 1 if self.channel_axis is None else self.blank.shape[self.channel_axis]

    def _count(self, name, n_parts=0, n_maps=0):
        """Count transformers and scattering maps, so that the time for a file is limited."""
        self.n_parts += n_parts
        self.n_maps += n_maps
        if self.n_parts > _MOST_PARTS or self.n_maps > _MOST_MAPS:
            raise ValueError(
                f"features {name}: found {self.n_parts} transformers with {self.n_maps} "
                f"scattering maps so far, expected at most {_MOST_PARTS} with {_MOST_MAPS}"
            )

    def restore(self, description, prefix):
        """Make a transformer.

        Parameters
        ----------
        description : str or dict
        prefix : str
            Prefix of the names of its tensors.

        Returns
        -------
        transformer : str or transformer
            The parameter `features` of an estimator.
        fitted : transformer or None
            The fitted transformer.

        Raises
        ------
        ValueError
            If the name is unknown, a parameter is not as expected, or the tensors do not fit.
        """
        if description == "lab":
            return description, self._fit(ours.LabFeatures(channel_axis=self.channel_axis))
        if description == "passthrough":
            return description, None
        check_entries(description, ("name", "params"), "features")
        name = description["name"]
        if name not in _NAMES:
            raise ValueError(f"found features {shown(name)}, expected one of {list(_NAMES)}")
        kind = getattr(ours, name)
        params = params_for(kind, description["params"], f"features {name}")
        self._count(name, n_parts=1)
        if name == "ChannelUnion":
            return self._restore_union(params, prefix)
        _check_weights(params, kind)
        transformer = kind(**params)
        if "device" in transformer.get_params(deep=False):
            transformer.set_params(device=self.device)
        transformer._check_params()
        if name == "ScatteringFeatures":
            self._count(name, n_maps=transformer._count_all_maps(self.n_channels))
        if name in _WITH_NETWORK:
            return transformer, self._with_network(transformer, prefix)
        return transformer, self._fit(transformer)

    def _fit(self, transformer):
        """Fit a copy, which learns only the number of channels."""
        return clone(transformer).fit([self.blank])

    def _with_network(self, transformer, prefix):
        """Make the fitted transformer, whose network has the tensors of the file."""
        import torch

        own = {
            name.removeprefix(prefix): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(prefix)
        }
        network_params = transformer._network_params(own)
        # On the device "meta", a network has shapes but takes no memory.
        with torch.device("meta"):
            check_tensors(self.tensors, transformer._network_of(network_params), prefix)
        # The network is first made with random weights, even if its training started from others.
        # Then it gets the weights of the file.
        random = {"weights": None, "train": False, "random_state": 0, **network_params}
        fitted = self._fit(clone(transformer).set_params(**random))
        fill_network(fitted.network_, self.tensors, prefix)
        given = transformer.get_params(deep=False)
        return fitted.set_params(**{name: given[name] for name in random})

    def _restore_union(self, params, prefix):
        given, fitted = [], []
        if not isinstance(params["transformers"], list):
            raise ValueError(
                f"transformers: found {shown(params['transformers'])}, expected a list of pairs"
            )
        for pair in params["transformers"]:
            if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
                raise ValueError(
                    f"transformers: found {shown(pair)}, expected pairs of a name and a "
                    "transformer"
                )
            name, description = pair
            if description == "lab":
                raise ValueError(f"transformers: found 'lab' for {name!r}, expected a transformer")
            part, fitted_part = self.restore(description, _prefix_of_part(prefix, name))
            given.append((name, part))
            fitted.append((name, part if fitted_part is None else fitted_part))
        params["transformers"] = given
        union, fitted_union = ours.ChannelUnion(**params), ours.ChannelUnion(**params)
        union._check_params()
        fitted_union.n_channels_in_ = self.n_channels
        fitted_union.transformers_ = fitted
        return union, fitted_union


def _prefix_of_part(prefix, name):
    """Make the prefix of a part's tensors, so that no part's prefix begins with another one's."""
    return f"{prefix}{name.replace('%', '%25').replace('.', '%2E')}."


def _check_weights(params, kind):
    """Raise ValueError if a transformer would start from a file that the description names."""
    known = sorted(getattr(kind, "_shipped", ()))
    if params.get("weights") is not None and params["weights"] not in known:
        raise ValueError(
            f"weights: found {shown(params['weights'])}, expected nothing or one of {known}"
        )


def count_features(fitted, n_channels):
    """Count the features that a restored transformer gives."""
    return n_channels if fitted is None else len(fitted.get_feature_names_out())
