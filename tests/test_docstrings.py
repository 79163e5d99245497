"""Every public object has a whole numpydoc docstring, with an example where it can be called."""

import importlib
import inspect

import pytest
from numpydoc.validate import validate

MODULES = [
    "sksuperpixel",
    "sksuperpixel.datasets",
    "sksuperpixel.features",
    "sksuperpixel.metrics",
    "sksuperpixel.networks",
]

# What is not asked for: where a section starts, a See Also or Yields everywhere, an extended
# summary, names of return values, capitals and full stops where a list begins or ends a section.
LEFT_OUT = {
    "GL01",
    "GL02",
    "GL03",
    "SA01",
    "SA04",
    "ES01",
    "EX01",
    "RT02",
    "RT03",
    "RT05",
    "PR06",
    "YD01",
}

# Methods that scikit-learn writes and documents.
FROM_SKLEARN = ("set_output", "set_callbacks", "get_metadata_routing")


def public_objects():
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        yield module_name, module
        for name in module.__all__:
            thing = getattr(module, name)
            if not callable(thing):
                continue
            path = f"{module_name}.{name}"
            yield path, thing
            if inspect.isclass(thing):
                for attribute, value in inspect.getmembers(thing):
                    ours = (getattr(value, "__module__", None) or "").startswith("sksuperpixel")
                    if not attribute.startswith("_") and callable(value) and ours:
                        yield f"{path}.{attribute}", value


OBJECTS = dict(public_objects())
CALLABLES = [path for path, thing in OBJECTS.items() if not inspect.ismodule(thing)]


@pytest.mark.parametrize("path", CALLABLES)
def test_docstring_is_numpydoc(path):
    errors = [
        f"{code}: {message}" for code, message in validate(path)["errors"] if code not in LEFT_OUT
    ]
    assert errors == []


@pytest.mark.parametrize("path", [p for p in CALLABLES if p.rpartition(".")[0] in MODULES])
def test_there_is_an_example(path):
    assert ">>> " in inspect.getdoc(OBJECTS[path])
