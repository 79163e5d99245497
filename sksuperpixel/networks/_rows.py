"""The rows of numbers that networks read, one per pixel."""


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
