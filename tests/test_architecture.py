"""Modules keep to their layers and stay short, and importing the library loads nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sksuperpixel

PACKAGE = Path(sksuperpixel.__file__).parent

# From the bottom to the top: a module may import from the layers below its own, and from its own
# folder. See docs/architecture.md.
LAYERS = [
    {"_locks"},
    {"_torch", "_files", "_label_maps", "_documentation", "_numbers"},
    {"_images", "_clustering"},
    {"metrics", "datasets", "features", "networks"},
    {"_learning"},
    {"models"},
    {"_base", "_match_compactness"},
    {"_slic"},
    {"_slic_function", "_trainable_slic"},
    {""},
]
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}
# In these folders only, a module may load torch when it is imported.
WITH_TORCH = (
    "networks",
    "features.enet",
    "features.learned",
    "features.trainable",
    "_learning.learned_distance",
    "_learning.pixel_classifier",
    "_learning.weight_solver",
)
TORCH = {"torch", "skorch", "kymatio", "safetensors"}
MOST_LINES = 400


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


SOURCES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(source, module, is_package):
    """Give (absolute name, whether outside all functions) of everything that is imported."""
    package = f"sksuperpixel.{module}".rstrip(".")
    package = package if is_package else package.rpartition(".")[0]
    found = []

    def visit(node, at_import):
        if isinstance(node, ast.Import):
            found.extend((alias.name, at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(parents * (node.level > 0) + [node.module] * bool(node.module))
            # What is imported may be a module or a name in one.
            found.extend((f"{base}.{alias.name}", at_import) for alias in node.names)
        at_import = at_import and not isinstance(node, (ast.FunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, at_import)

    visit(ast.parse(source), True)
    return found


def imports(module):
    path = SOURCES[module]
    return imports_of(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")


def top_of(name):
    """Give the folder, or the module beside the folders, that a name of the library is in."""
    parts = name.split(".")[1:]
    return parts[0] if parts and parts[0] in LAYER_OF else ""


def arrows_upwards(module, found):
    own = module.split(".")[0]
    return [
        name
        for name, _ in found
        if name.split(".")[0] == "sksuperpixel"
        and top_of(name) != own
        and LAYER_OF[top_of(name)] >= LAYER_OF[own]
    ]


def test_every_folder_has_a_layer():
    assert {module.split(".")[0] for module in SOURCES} == set(LAYER_OF)


@pytest.mark.parametrize("module", SOURCES)
def test_no_arrow_points_upwards(module):
    assert arrows_upwards(module, imports(module)) == []


@pytest.mark.parametrize("module", SOURCES)
def test_torch_is_loaded_by_networks_only(module):
    loaded = {name.split(".")[0] for name, at_import in imports(module) if at_import}
    assert not loaded & TORCH or module.startswith(WITH_TORCH)


@pytest.mark.parametrize("module", SOURCES)
def test_modules_are_short(module):
    n_lines = len(SOURCES[module].read_text(encoding="utf-8").splitlines())
    assert n_lines <= MOST_LINES


def test_no_cycles():
    edges = {module: set() for module in SOURCES}
    for module in SOURCES:
        for name, at_import in imports(module):
            target = name.removeprefix("sksuperpixel.")
            # The name of a function is in the module before it.
            target = target if target in SOURCES else target.rpartition(".")[0]
            if at_import and name.startswith("sksuperpixel.") and target != module:
                edges[module].add(target)
    done = set()

    def visit(module, path):
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for other in edges[module]:
                visit(other, [*path, module])
            done.add(module)

    for module in SOURCES:
        visit(module, [])


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("import sksuperpixel._slic", ["sksuperpixel._slic"]),
        ("from sksuperpixel import _slic", ["sksuperpixel._slic"]),
        ("from sksuperpixel import SLIC", ["sksuperpixel.SLIC"]),
        ("from .. import _base", ["sksuperpixel._base"]),
        ("from ..features._lab import LabFeatures", ["sksuperpixel.features._lab.LabFeatures"]),
        ("def f():\n    from .. import _slic", ["sksuperpixel._slic"]),
        ("from .._images.reader import ImageReader", ["sksuperpixel._images.reader.ImageReader"]),
        ("from . import grid", []),
        ("from sksuperpixel._clustering.grid import Grid", []),
        ("from sksuperpixel._label_maps.edges import widen", []),
        ("import numpy as np, os.path", []),
    ],
)
def test_arrows_upwards_are_found(line, wrong):
    found = imports_of(line, "_clustering.superpixels", is_package=False)
    assert arrows_upwards("_clustering.superpixels", found) == wrong


def test_import_loads_nothing_heavy():
    heavy = {"torch", "matplotlib", "skimage", "kymatio", "skorch", "pooch", "PIL", "cv2"}
    code = "import sys, sksuperpixel\nprint(*{name.split('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "sksuperpixel" in loaded
    assert heavy & set(loaded) == set()


def test_public_names():
    assert len(set(sksuperpixel.__all__)) == len(sksuperpixel.__all__)
    for name in sksuperpixel.__all__:
        assert hasattr(sksuperpixel, name)
