"""The methods by which an estimator is written to a model file and read from one."""

from sklearn.utils.validation import check_is_fitted

from sksuperpixel._torch import require
from sksuperpixel.models._shipped import SHIPPED


class ModelFilesMixin:
    """Mixin of the estimator that model files hold, see `sksuperpixel.models._files`."""

    def save(self, path):
        """Write the fitted model to a file: safetensors, described in JSON.

        Parameters that depend on the machine (`device`, `n_jobs`, and `memory` and `checkpoint`
        of transformers) are not written.

        Parameters
        ----------
        path : str or path-like
            The file, which is replaced if there is one.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        ValueError
            If the network, the features' transformer or a pair feature is not one of this
            library. Such a model can be pickled.
        """
        check_is_fitted(self, "classifier_")
        from sksuperpixel.models._files import save_model

        save_model(path, self)

    @classmethod
    def load(cls, path, device="cpu"):
        """Read a model that `save` wrote. Nothing in the file is run.

        Parameters
        ----------
        path : str or path-like
            The file.
        device : str, default="cpu"
            Where the networks are to run.

        Returns
        -------
        TrainableSLIC
            Fitted. Its `classifier` is a network of the same kind, to be trained for as many
            epochs, with the other settings of `sksuperpixel.networks`.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is not whole, not a model, of another version, or if its tensors do not fit.
        ImportError
            If torch or skorch is not installed.
        """
        require("TrainableSLIC", "torch", "skorch")
        from sksuperpixel.models._files import load_model

        return load_model(path, cls, device)

    @classmethod
    def from_pretrained(cls, name="bsds500", device="cpu"):
        """Give a fitted model that comes with the library.

        Parameters
        ----------
        name : {"bsds500"}, default="bsds500"
            Which one. ``"bsds500"`` is for photographs and superpixels from 8 to 32 pixels
            across. It learned from the segmentations of BSDS500 [1]_. Its card,
            ``sksuperpixel/models/bsds500.md``, says from what and how it learned, and how good
            it is.
        device : str, default="cpu"
            Where its networks are to run.

        Returns
        -------
        TrainableSLIC
            Fitted. Set `n_segments` or `superpixel_size` to what you want. Its `fit` goes on
            from this model: its features learn from your images, too. With
            ``features__train=False`` they stay as they are.

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
                f"name: found {name!r}, expected one of {sorted(SHIPPED)}; files that `save` "
                "wrote are read by `load`"
            )
        return cls.load(SHIPPED[name], device)
