"""The rows of numbers that networks read, one per pixel."""

import torch


def split_rows(rows, n_features):
    """Split rows into their three parts.

    Parameters
    ----------
    rows : torch.Tensor of shape (n, M + Q + Q M), float32
    n_features : int
        M.

    Returns
    -------
    features : torch.Tensor of shape (n, M)
    distances : torch.Tensor of shape (n, Q)
    differences : torch.Tensor of shape (n, Q, M)

    Raises
    ------
    ValueError
        If no Q fits the number of columns.
    """
    width = rows.shape[1] - n_features
    n_candidates, rest = divmod(width, 1 + n_features)
    if rest or n_candidates < 1:
        raise ValueError(
            f"X: found {rows.shape[1]} columns, expected M + Q + Q M of them, with M = "
            f"{n_features} features and Q candidates"
        )
    features = rows[:, :n_features]
    distances = rows[:, n_features : n_features + n_candidates]
    differences = rows[:, n_features + n_candidates :]
    return features, distances, differences.reshape(len(rows), n_candidates, n_features)


def split_finite_rows(rows, n_features):
    """Split rows as `split_rows` does, and put zeros where a candidate is absent.

    Absent candidates have infinite distances, with which a network cannot compute.

    Parameters
    ----------
    rows : torch.Tensor of shape (n, M + Q + Q M), float32
    n_features : int
        M.

    Returns
    -------
    features : torch.Tensor of shape (n, M)
    distances : torch.Tensor of shape (n, Q)
    differences : torch.Tensor of shape (n, Q, M)
    absent : torch.Tensor of bool, shape (n, Q)

    Raises
    ------
    ValueError
        If no Q fits the number of columns.
    """
    features, distances, differences = split_rows(rows, n_features)
    absent = torch.isinf(distances)
    distances = torch.where(absent, 0.0, distances)
    differences = torch.where(absent[..., None], 0.0, differences)
    return features, distances, differences, absent
