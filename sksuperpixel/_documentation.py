"""Links to the online documentation, and parameter descriptions that two classes share."""

import inspect
import re

# An entry that names parameters and says below them: As in `SLIC`.
_SHARED = re.compile(r"^(?P<names>\w+(?:, \w+)*)\n    As in `(?P<other>\w+)`\.$", re.MULTILINE)
# A parameter and its description.
_ENTRY = re.compile(r"^(?P<name>\w+) : .*\n(?:    .*\n|\n(?=    ))+", re.MULTILINE)


class DocumentedOnline:
    """Mixin that lets scikit-learn's HTML diagrams link to an estimator's documentation."""

    _doc_link_module = "sksuperpixel"
    _doc_link_template = (
        "https://sksuperpixel.readthedocs.io/stable/generated/{estimator_page}.html"
    )

    def _doc_link_url_param_generator(self):
        """Return the values for the placeholders in the link's template."""
        # Estimators are documented under the public module that they are imported from.
        cls = type(self)
        public = "sksuperpixel.features" if ".features." in cls.__module__ else "sksuperpixel"
        return {"estimator_page": f"{public}.{cls.__name__}"}


def with_parameters_of(other):
    """Let a class take descriptions of parameters from the docstring of another class.

    Where the docstring has an entry such as ::

        superpixel_size, n_segments
            As in `SLIC`.

    it is replaced by the other class's descriptions of these parameters. They are written only
    once, but ``help`` and the documentation show them for both classes.

    Parameters
    ----------
    other : type

    Returns
    -------
    callable
        Decorator of classes.
    """

    def decorate(cls):
        if cls.__doc__ and other.__doc__:  # ``python -OO`` strips docstrings
            entries = {
                match["name"]: match[0].rstrip()
                for match in _ENTRY.finditer(_section(other.__doc__, "Parameters"))
            }

            def descriptions(match):
                if match["other"] != other.__name__:
                    raise KeyError(f"found parameters of {match['other']} in {cls.__name__}")
                return "\n".join(entries[name] for name in match["names"].split(", "))

            cls.__doc__ = _SHARED.sub(descriptions, inspect.cleandoc(cls.__doc__))
        return cls

    return decorate


def _section(docstring, title):
    """Return one section of a numpydoc docstring, without indentation."""
    _, _, rest = inspect.cleandoc(docstring).partition(f"{title}\n{'-' * len(title)}\n")
    return re.split(r"\n\n(?=\w[\w ]*\n-+\n)", rest)[0] + "\n"
