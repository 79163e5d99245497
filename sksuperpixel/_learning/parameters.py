"""Checks of parameters of learning."""

from sksuperpixel._learning.label_maker import LabelMaker


def check_label_maker(maker, n_candidates):
    """Check a label maker, also against the number of candidates.

    Parameters
    ----------
    maker : LabelMaker or None
    n_candidates : int

    Returns
    -------
    LabelMaker
        The label maker itself, or one with default parameters for None.

    Raises
    ------
    ValueError
        If a parameter is not as expected.
    """
    maker = LabelMaker() if maker is None else maker
    maker._validate_params()
    maker._check_share()
    if maker.mining == "ambiguous" and maker.min_segments > n_candidates:
        raise ValueError(
            f"label_maker: found min_segments={maker.min_segments}, expected at most "
            f"n_candidates={n_candidates}, because the candidates lie in no more segments"
        )
    return maker


def check_pair_features(pair_features):
    """Check that pair features can be called.

    Parameters
    ----------
    pair_features : sequence

    Raises
    ------
    TypeError
        If one of them cannot.
    """
    for number, function in enumerate(pair_features):
        if not callable(function):
            raise TypeError(
                f"pair_features[{number}]: found {function!r}, expected a function of features, "
                "pixels and ends"
            )


def check_n_candidates(n_candidates, network):
    """Check the number of candidates against a trained network.

    Parameters
    ----------
    n_candidates : int
    network : torch.nn.Module
        If it has an attribute `n_candidates`, it takes only this number.

    Raises
    ------
    ValueError
        If the network takes another number of candidates.
    """
    expected = getattr(network, "n_candidates", n_candidates)
    if n_candidates != expected:
        raise ValueError(
            f"n_candidates: found {n_candidates}, expected {expected}, as in the trained network"
        )
