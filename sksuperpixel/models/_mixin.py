"""The methods that write an estimator to a model file and read it from one."""

from sklearn.utils.validation import check_is_fitted

from sksuperpixel._torch import require
from sksuperpixel.models._shipped import SHIPPED


class ModelFilesMixin:
    """Mixin for the estimator whose fitted models can be saved and loaded."""

    def save(self, path):
        """Write the fitted model to a file.

        The file holds the tensors in safetensors format and a description of the model in JSON.
        Parameters that depend on the machine are left out: `device`, `n_jobs`, and `memory` and
        `checkpoint` of transformers. So is the path of the `weights` that a transformer's
        training started from. If you fit the loaded model again, set them again.

        Parameters
        ----------
        path : str or path-like
            The file. If it exists, it is replaced.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        ValueError
            If the network, the transformer or a pair feature does not come from this library, or
            if the class lacks parameters of `TrainableSLIC`. Such a model can be pickled instead.
            Also if a parameter was set to something wrong after `fit`.
        OSError
            If the file cannot be written. An existing file is as it was.
        """
        check_is_fitted(self, "classifier_")
        from sksuperpixel.models._files import save_model

        save_model(path, self)

    @classmethod
    def load(cls, path, device="cpu"):
        """Read a model that `save` wrote, without running code from the file.

        Parameters
        ----------
        path : str or path-like
            The file.
        device : str, default="cpu"
            Torch device that the networks run on.

        Returns
        -------
        TrainableSLIC
            Fitted estimator. Its parameter `classifier`, which `fit` would train, is a network
            of the same kind with the same number of epochs. Its other settings are the defaults
            of `sksuperpixel.networks`.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged, is not a model, or has another version; if an entry of its
            description is missing, unknown or out of range; or if its tensors do not fit it. The
            error names the file.
        ImportError
            If torch or skorch is not installed.
        """
        require("TrainableSLIC", "torch", "skorch")
        from sksuperpixel.models._files import load_model

        return load_model(path, cls, device)

    @classmethod
    def from_pretrained(cls, name="bsds500", device="cpu", *, train_features=False):
        """Load a fitted model that comes with the library.

        Parameters
        ----------
        name : {"bsds500"}, default="bsds500"
            Name of the model. ``"bsds500"`` is for photographs and superpixels from 8 to 32
            pixels across. It was trained on the segmentations of BSDS500 [1]_. Its card,
            ``sksuperpixel/models/bsds500.md``, says how it was trained and how good it is.
        device : str, default="cpu"
            Torch device that the networks run on.
        train_features : bool, default=False
            What `fit` does with the model. If False, the features stay as they are, and `fit`
            learns their weights and adapts the compactness. This takes about twice as long as
            computing the features of all images, also in each fit of a grid search. If True,
            `fit` goes on training the network that computes the features, which takes minutes
            and gains far more.

        Returns
        -------
        TrainableSLIC
            Fitted estimator. Set `n_segments` or `superpixel_size` as you need. `train_features`
            only sets the parameters ``features__train`` and ``classifier``.

        Raises
        ------
        ValueError
            If there is no model of this name.
        ImportError
            If torch or skorch is not installed.

        References
        ----------
        .. [1] P. Arbelaez, M. Maire, C. Fowlkes, J. Malik. "Contour detection and hierarchical
           image segmentation". IEEE TPAMI 33(5), 2011.

        Examples
        --------
        >>> from skimage.data import astronaut
        >>> from sksuperpixel import TrainableSLIC
        >>> slic = TrainableSLIC.from_pretrained("bsds500").set_params(n_segments=300)
        >>> slic.transform([astronaut()])[0].max().item()
        299
        """
        if name not in SHIPPED:
            raise ValueError(
                f"name: found {name!r}, expected one of {sorted(SHIPPED)}; `load` reads files "
                "that `save` wrote"
            )
        model = cls.load(SHIPPED[name], device)
        from sksuperpixel.networks import make_distance_net

        # Features are trained for SLIC's plain distance, which `fit` then leaves as it is.
        plain = {"max_epochs": 0} if train_features else {}
        return model.set_params(
            features__train=train_features, classifier=make_distance_net(1, **plain)
        )
