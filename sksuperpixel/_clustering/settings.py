"""The parameters of the algorithm, besides the features and the distance."""

from dataclasses import dataclass, fields

from sksuperpixel._numbers import of_python


@dataclass(frozen=True)
class Settings:
    """The parameters of an estimator that its superpixels depend on.

    Names and meanings are those of the estimators, which have checked the values.
    """

    superpixel_size: float
    n_segments: int | None
    compactness: float
    max_iter: int
    min_size_factor: float
    oversegmentation: float
    edge_channel: int | None
    refine_iter: int
    enforce_connectivity: bool = True
    adaptive_compactness: bool = False

    @classmethod
    def of(cls, estimator):
        """Read the settings from an estimator's parameters."""
        names = [field.name for field in fields(cls) if hasattr(estimator, field.name)]
        return cls(**{name: of_python(getattr(estimator, name)) for name in names})

    @property
    def merges_to_number(self):
        """Whether regions are merged down to exactly `n_segments`."""
        return self.n_segments is not None and self.oversegmentation > 1
