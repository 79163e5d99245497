"""Where the documentation is, and parameters that two classes share, described once."""

import inspect
import re

# Several names, and what stands below them.
_SHARED = re.compile(r"^(?P<names>\w+(?:, \w+)*)\n    As in `(?P<other>\w+)`\.$", re.MULTILINE)
# A parameter and its description.
_ENTRY = re.compile(r"^(?P<name>\w+) : .*\n(?:    .*\n|\n(?=    ))+", re.MULTILINE)


class DocumentedOnline:
    """Mixin of the estimators: scikit-learn's HTML diagrams link to their documentation."""

    _doc_link_module = "sksuperpixel"
    _doc_link_template = (
        "https://sksuperpixel.readthedocs.io/stable/generated/{estimator_page}.html"
    )

    def _doc_link_url_param_generator(self):
        """Give what the link's template is filled in with."""
        # Estimators are documented under the public module that they are imported from.
        cls = type(self)
        public = "sksuperpixel.features" if ".features." in cls.__module__ else "sksuperpixel"
        return {"estimator_page": f"{public}.{cls.__name__}"}


def with_parameters_of(other):
    """Let a class take descriptions of parameters from the docstring of another class.

    Where the docstring has an entry such as ::

        superpixel_size, n_segments
            As in `SLIC`.

    the other class's descriptions of these parameters take its place. So they are written once,
    and ``help`` and the documentation show them in both places.

    Parameters
    ----------
    other : type

    Returns
    -------
    callable
        Decorator of classes.
    """

    def decorate(cls):
        if cls.__doc__ and other.__doc__:  # ``python -OO`` has none
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
    """Give one section of a numpydoc docstring, without indentation."""
    _, _, rest = inspect.cleandoc(docstring).partition(f"{title}\n{'-' * len(title)}\n")
    return re.split(r"\n\n(?=\w[\w ]*\n-+\n)", rest)[0] + "\n"
