"""Find the candidates that are right for a pixel, which is what the classifier learns."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from sksuperpixel._clustering.pairs import line_ends
from sksuperpixel._documentation import DocumentedOnline
from sksuperpixel._label_maps.edges import edge_map
from sksuperpixel._label_maps.overlaps import Contingency, densify
from sksuperpixel._learning.path_feature import PathFeature

VOID = -1  # a pixel without ground truth, or a cluster without such pixels
ABSENT = -2  # the segment of a candidate that does not exist
# The least share of a candidate's pixels that is taught. Without it, a mislabelled pixel, whose
# candidates all lie in other segments, would dominate the loss.
_LEAST_SHARE = 1e-3


class LabelMaker(DocumentedOnline, BaseEstimator):
    """Find out from segmentations which candidates are right for each pixel.

    A cluster belongs to the segment that most of its pixels lie in. A candidate is right for a
    pixel if it belongs to the pixel's own segment. If there are several annotators, one of them
    is drawn for each pixel.

    Parameters
    ----------
    strategy : {"slic", "nearest", "random", "edges"}, default="slic"
        Which candidate to teach:

        - ``"slic"``: the right candidate that is nearest by SLIC's distance.
        - ``"nearest"``: the right candidate that is nearest in space.
        - ``"random"``: a right candidate drawn at random.
        - ``"edges"``: the candidate for which the straight line from the pixel to the cluster
          crosses the fewest of the annotators' edges. In a tie, the one that is nearest by
          SLIC's distance.
    correct : bool, default=True
        Used with ``strategy="slic"``: if False, the candidate that is nearest by SLIC's distance
        is taught even if it is not right.
    mining : {"mistakes", "ambiguous"} or None, default="ambiguous"
        Which pixels teach:

        - None: all pixels that have a candidate to teach.
        - ``"mistakes"``: those for which SLIC's distance would choose another candidate.
        - ``"ambiguous"``: those whose candidates belong to at least `min_segments` segments.
    min_segments : int, default=2
        X, the number of segments for ``mining="ambiguous"``.
    targets : {"slot", "set", "share"}, default=None
        What is taught about the candidates of a pixel:

        - ``"slot"``: the one candidate that `strategy` chooses.
        - ``"set"``: the set of all right candidates. With ``strategy="edges"``, these are the
          ones with the fewest edges crossed.
        - ``"share"``: how right each candidate is, which is the share of its pixels that lie in
          the pixel's own segment. For ``strategy="slic"`` with ``correct=True``.
        - None: "share" for a distance of one layer, where that is possible, otherwise "slot".
    ignore_label : int, default=None
        Label of the pixels without ground truth in the segmentations. They teach nothing.

    See Also
    --------
    TrainableSLIC : Learns from these labels.
    SLIC : Defines the distance that candidates are compared by.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel import LabelMaker
    >>> segmentation = np.array([[[[0, 0, 1, 1]]]])  # annotators, planes, rows, columns
    >>> labels = np.array([[[0, 0, 1, 1]]], np.int32)
    >>> maker = LabelMaker(mining=None)
    >>> maker.make(
    ...     segmentation,
    ...     labels,
    ...     pixels=np.array([[0, 0, 1], [0, 0, 2]], np.int32),
    ...     candidates=np.array([[0, 1], [0, 1]], np.int32),
    ...     distances=np.array([[1.0, 2.0], [1.0, 2.0]]),
    ...     centres=np.array([[0, 0, 0.5], [0, 0, 2.5]]),
    ... )
    array([0, 1])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "strategy": [StrOptions({"slic", "nearest", "random", "edges"})],
        "correct": ["boolean"],
        "mining": [StrOptions({"mistakes", "ambiguous"}), None],
        "min_segments": [Interval(Integral, 1, None, closed="left")],
        "targets": [StrOptions({"slot", "set", "share"}), None],
        "ignore_label": [Integral, None],
    }

    def __init__(
        self,
        strategy="slic",
        *,
        correct=True,
        mining="ambiguous",
        min_segments=2,
        targets=None,
        ignore_label=None,
    ):
        self.strategy = strategy
        self.correct = correct
        self.mining = mining
        self.min_segments = min_segments
        self.targets = targets
        self.ignore_label = ignore_label

    def make(
        self, segmentation, labels, pixels, candidates, distances, centres, random_state=None
    ):
        """Find the right candidates for some pixels of one image.

        Parameters
        ----------
        segmentation : ndarray of shape (A, D, H, W), int
            Ground truth of A annotators.
        labels : ndarray of shape (D, H, W), int32
            Cluster of each pixel; negative outside a mask.
        pixels : ndarray of shape (n, 3), int32
            Plane, row and column of each pixel to label.
        candidates : ndarray of shape (n, Q), int32
            The pixels' candidates, nearest first; -1 where there are fewer than Q clusters.
        distances : ndarray of shape (n, Q), float
            SLIC's distances to the candidates; infinity where a candidate is absent.
        centres : ndarray of shape (K, 3), float
            Plane, row and column of the clusters' centres.
        random_state : int, RandomState instance or None, default=None
            Seed for drawing annotators and, with ``strategy="random"``, candidates.

        Returns
        -------
        ndarray of shape (n,), int64, or of shape (n, Q), bool or float32
            The slot of the candidate to teach (its position among the candidates), or -1 if a
            pixel teaches nothing. With ``targets="set"``, which candidates are right; none if a
            pixel teaches nothing. With ``targets="share"``, how right each candidate is, from
            0.001 to 1; all are 0 if a pixel teaches nothing.

        Raises
        ------
        ValueError
            If a parameter is not as expected.
        """
        self._validate_params()
        self._check_share()
        rng = check_random_state(random_state)
        dense = dense_segments(segmentation, self.ignore_label)
        dense[:, labels < 0] = VOID
        annotator = rng.randint(len(dense), size=len(pixels))
        own = dense[(annotator, *pixels.T)]
        overlaps = [Contingency.from_maps(labels, each, len(centres)) for each in dense]
        majorities = np.stack([each.majority for each in overlaps])
        segments = majorities[annotator[:, np.newaxis], candidates]
        segments[candidates < 0] = ABSENT
        right = (segments == own[:, np.newaxis]) & (own != VOID)[:, np.newaxis]
        nearest = np.argmin(distances, axis=1)

        if self.strategy == "edges":
            crossed = _crossed(edge_map(dense, ignore_label=VOID), pixels, candidates, centres)
            right = (crossed == crossed.min(axis=1, keepdims=True)) & (own != VOID)[:, np.newaxis]
        slots = self._slots(right, nearest, distances, rng)
        teaches = (own != VOID) & (slots >= 0)
        if self.mining == "mistakes":
            teaches &= slots != nearest
        elif self.mining == "ambiguous":
            teaches &= count_segments(segments) >= self.min_segments
        if self.targets == "set":
            return right & teaches[:, np.newaxis]
        if self.targets == "share":
            shares = _shares(overlaps, annotator, own, candidates)
            return np.where(teaches[:, np.newaxis], shares, np.float32(0))
        return np.where(teaches, slots, -1)

    def _check_share(self):
        if self.targets == "share" and not self._compares_segments():
            raise ValueError(
                "targets: found 'share', expected 'slot' or 'set' unless strategy='slic' and "
                "correct=True"
            )

    def _compares_segments(self):
        return self.strategy == "slic" and self.correct

    def with_targets_for(self, *, one_layer):
        """Choose the targets, if they are left to the library.

        Parameters
        ----------
        one_layer : bool
            Whether a distance of one layer learns from them.

        Returns
        -------
        LabelMaker
            The label maker itself, or a copy with other `targets`.
        """
        if self.targets is not None:
            return self
        shares = one_layer and self._compares_segments()
        return clone(self).set_params(targets="share" if shares else "slot")

    def _slots(self, right, nearest, distances, rng):
        """Choose one candidate per pixel; -1 where none is right."""
        if self.strategy == "slic" and not self.correct:
            return nearest
        if self.strategy == "nearest":
            slots = np.argmax(right, axis=1)
        elif self.strategy == "random":
            slots = np.argmax(right * (1.0 - rng.random_sample(right.shape)), axis=1)
        else:
            slots = np.argmin(np.where(right, distances, np.inf), axis=1)
        return np.where(right.any(axis=1), slots, -1)


def dense_segments(segmentation, ignore_label=None):
    """Renumber the segments of each annotator 0, 1, ...; void pixels become -1.

    Parameters
    ----------
    segmentation : ndarray of shape (A, D, H, W), int
    ignore_label : int, default=None

    Returns
    -------
    ndarray of shape (A, D, H, W), int64
    """
    dense = np.full(segmentation.shape, VOID, dtype=np.int64)
    for a, each in enumerate(segmentation):
        known = np.ones(each.shape, bool) if ignore_label is None else each != ignore_label
        codes, _ = densify(each[known])
        dense[a][known] = codes
    return dense


def count_segments(segments):
    """Count the different segments in each row.

    Parameters
    ----------
    segments : ndarray of shape (n, Q), int
        Negative numbers do not count.

    Returns
    -------
    ndarray of shape (n,), int
    """
    ordered = np.sort(segments, axis=1)
    first = np.ones(ordered.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return (first & (ordered >= 0)).sum(axis=1)


def _shares(overlaps, annotator, own, candidates):
    """Compute which share of each candidate lies in the pixel's own segment: (n, Q) float32."""
    shares = np.zeros(candidates.shape, np.float32)
    for number, overlap in enumerate(overlaps):
        some = np.flatnonzero((annotator == number) & (own != VOID))
        known = candidates[some]
        segments = np.broadcast_to(own[some, np.newaxis], known.shape)
        found = overlap.shares_at(np.maximum(known, 0), segments)
        shares[some] = np.where(known >= 0, np.maximum(found, _LEAST_SHARE), 0)
    return shares


def _crossed(edges, pixels, candidates, centres):
    """Add up the edges on the lines from pixels to their candidates' centres: (n, Q) float32."""
    ends = line_ends(candidates, centres, edges.shape)
    return PathFeature("sum")(edges[np.newaxis], pixels, ends)
