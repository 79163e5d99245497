"""The modules keep to the layers they were designed in, and importing stays quick."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sksuperpixel

PACKAGE = Path(sksuperpixel.__file__).parent

# Module -> what of this package it may import, and from where outside. A module not named here
# fails: whoever adds one decides where it belongs. "a." stands for a and everything in it.
# Outside imports that are wanted only when something is called are listed in LAZY, and must be
# inside a function.
MAY_IMPORT = {
    "": (
        {
            "_base",
            "_label_maker",
            "_match_compactness",
            "_pair_features",
            "_slic",
            "_slic_function",
            "_trainable_slic",
            "features",
        },
        set(),
    ),
    "_match_compactness": ({"metrics"}, {"math"}),
    "_images": (set(), set()),
    "_images.pictures": (set(), {"numpy"}),
    "_validation": (set(), {"numpy", "sklearn.utils."}),
    "_base": ({"_validation"}, {"numpy", "sklearn.base", "sklearn.utils."}),
    "_kernels": (set(), {"numpy", "numba"}),
    "_clusters": ({"_kernels"}, {"numpy"}),
    "_connectivity": ({"_kernels", "_clusters"}, {"numpy"}),
    "_superpixel_transformer": (
        {"_base", "_validation", "_clusters", "features"},
        {"numpy", "joblib", "sklearn.base", "sklearn.callback", "sklearn.utils."},
    ),
    "_iterations": ({"_clusters", "_kernels"}, {"numpy"}),
    "_refinement": ({"_clusters", "_kernels"}, {"numpy"}),
    "_slic": (
        {
            "_validation",
            "_clusters",
            "_connectivity",
            "_iterations",
            "_refinement",
            "_superpixel_transformer",
        },
        {"numpy", "sklearn.base", "sklearn.utils."},
    ),
    "_slic_function": ({"_slic", "features"}, {"numpy", "scipy.ndimage"}),
    "_pair_features": ({"_kernels"}, {"numpy", "sklearn.base", "sklearn.utils."}),
    "_label_maker": (
        {"_label_maps.edges", "_label_maps.overlaps", "_pair_features"},
        {"numpy", "sklearn.base", "sklearn.utils."},
    ),
    "_trainable_slic": (
        {
            "_validation",
            "_clusters",
            "_iterations",
            "_label_maker",
            "_model_files",
            "_network_clusters",
            "_pair_features",
            "_slic",
            "_superpixel_transformer",
            "_torch_threads",
            "_training_pixels",
        },
        {"numpy", "pathlib", "sklearn.base", "sklearn.callback", "sklearn.utils."},
    ),
    "_training_pixels": ({"_clusters", "_pair_features"}, {"numpy"}),
    "_network_clusters": ({"_clusters", "_kernels", "_pair_features"}, {"numpy"}),
    "_pixel_classifier": (
        {"_torch_threads", "networks"},
        {
            "inspect",
            "numpy",
            "sklearn.base",
            "skorch",
            "skorch.callbacks",
            "skorch.dataset",
            "skorch.helper",
            "torch",
        },
    ),
    "networks": (set(), {"math", "numpy", "torch", "skorch", "skorch.callbacks"}),
    "_model_files": (set(), {"numpy", "sklearn.base"}),
    "_torch_threads": (set(), set()),
    "features": ({"features._lab", "features._channel_union"}, set()),
    "features._lab": (
        {"_base", "_validation", "_kernels"},
        {"numpy", "sklearn.base", "sklearn.utils."},
    ),
    "features._enet": (
        {
            "_validation",
            "features._enet_network",
            "features._network_features",
            "features._network_training",
        },
        {"numpy", "sklearn.callback", "sklearn.utils.", "torch"},
    ),
    "features._learned": (
        {
            "_label_maker",
            "_torch_threads",
            "_validation",
            "features._lab",
            "features._maps_network",
            "features._network_features",
        },
        {"numpy", "sklearn.callback", "sklearn.utils.", "torch"},
    ),
    "features._maps_network": (
        {
            "_clusters",
            "_iterations",
            "_label_maps.overlaps",
            "_torch_threads",
            "features._network_training",
        },
        {"numpy", "torch."},
    ),
    "features._network_features": (
        {"_base", "_validation", "features._network_training"},
        {"numpy", "sklearn.base", "sklearn.callback", "sklearn.utils.", "torch"},
    ),
    "features._enet_network": (
        {"_torch_threads", "features._network_training"},
        {"numpy", "torch."},
    ),
    "features._network_training": ({"_torch_threads"}, {"numpy", "safetensors.", "torch."}),
    "features._scattering": (
        {"_base", "_torch_threads", "_validation", "features._lab"},
        {"numpy", "sklearn.base", "sklearn.utils."},
    ),
    "features._channel_union": (
        {"_base", "_validation"},
        {"numpy", "sklearn.base", "sklearn.utils."},
    ),
    # What metrics and learning share.
    "_label_maps": (set(), set()),
    "_label_maps.edges": (set(), {"numpy"}),
    "_label_maps.overlaps": (set(), {"numpy"}),
    # Scores: of label maps of anyone's making, so they know nothing of estimators.
    "metrics": (
        {
            "metrics._boundary",
            "metrics._overlap",
            "metrics._report",
            "metrics._scorers",
            "metrics._shape",
            "metrics._variation",
        },
        set(),
    ),
    "metrics._boundary": (
        {"metrics._checks", "metrics._docs", "metrics._image_scores"},
        set(),
    ),
    "metrics._checks": (
        {
            "_images.errors",
            "_images.images",
            "_images.masks",
            "_images.pictures",
            "_images.segmentations",
        },
        {"numpy"},
    ),
    "metrics._docs": (set(), set()),
    "metrics._image_scores": (
        {"_label_maps.edges", "_label_maps.overlaps", "metrics._checks", "metrics._regularity"},
        {"numpy"},
    ),
    "metrics._overlap": (
        {"metrics._checks", "metrics._docs", "metrics._image_scores"},
        set(),
    ),
    "metrics._regularity": (set(), {"numpy"}),
    "metrics._report": (
        {"metrics._checks", "metrics._docs", "metrics._image_scores", "metrics._variation"},
        {"numpy"},
    ),
    "metrics._scorers": (
        {
            "_images.lazy_sequence",
            "metrics._boundary",
            "metrics._checks",
            "metrics._overlap",
            "metrics._shape",
            "metrics._variation",
        },
        {"numpy", "sklearn.base", "sklearn.metrics._scorer", "sklearn.utils."},
    ),
    "metrics._shape": (
        {"metrics._checks", "metrics._docs", "metrics._image_scores"},
        {"numpy"},
    ),
    "metrics._variation": (
        {"_images.images", "metrics._checks", "metrics._docs", "metrics._image_scores"},
        {"numpy"},
    ),
    # Data: nothing that segments.
    "datasets": (
        {
            "datasets._bsds500",
            "datasets._camvid",
            "datasets._cityscapes",
            "datasets._folder",
            "datasets._texture_mosaics",
            "datasets._voc",
        },
        set(),
    ),
    "datasets._download": (set(), set()),
    "datasets._files": ({"_images.pictures"}, {"numpy"}),
    "datasets._mosaic_layout": (set(), {"numpy", "scipy.ndimage"}),
    "datasets._texture_mosaics": (
        {"datasets._mosaic_layout"},
        {"numpy", "scipy.ndimage", "sklearn.utils."},
    ),
    "datasets._bsds500": (
        {"datasets._download", "datasets._pairs"},
        {"numpy", "sklearn.utils."},
    ),
    "datasets._camvid": ({"datasets._files", "datasets._pairs"}, {"numpy"}),
    "datasets._cityscapes": ({"datasets._files", "datasets._pairs"}, {"numpy"}),
    "datasets._folder": ({"datasets._files", "datasets._pairs"}, set()),
    "datasets._pairs": ({"_base", "datasets._files"}, {"sklearn.utils."}),
    "datasets._voc": ({"datasets._files", "datasets._pairs"}, {"numpy"}),
}
LAZY = {
    "_superpixel_transformer": {"sksuperpixel.metrics"},
    "_trainable_slic": {"sksuperpixel._pixel_classifier", "sksuperpixel.networks"},
    "_network_clusters": {"sksuperpixel._pixel_classifier", "sksuperpixel.networks"},
    "_model_files": {
        "sksuperpixel.features",
        "sksuperpixel.networks",
        "safetensors",
        "safetensors.torch",
        "torch",
    },
    "_torch_threads": {"torch"},
    "features": {
        "sksuperpixel.features._enet",
        "sksuperpixel.features._learned",
        "sksuperpixel.features._scattering",
    },
    "features._lab": {"scipy.ndimage"},
    "features._scattering": {"kymatio.", "pandas", "scipy.fft", "torch."},
    "_label_maps.edges": {"scipy.ndimage"},
    "metrics._report": {"pandas"},
    "datasets._download": {"pooch"},
    "datasets._files": {"PIL", "tifffile"},
    "datasets._bsds500": {"scipy.io"},
    "datasets._mosaic_layout": {"skimage.segmentation"},
    "datasets._texture_mosaics": {"PIL", "skimage.data"},
}
# Only these may import torch and what comes with it.
WITH_TORCH = ("networks", "features.", "_model_files", "_pixel_classifier", "_torch_threads")
TORCH = {"torch", "torchvision", "skorch", "kymatio", "safetensors"}


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


SOURCES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def is_module(name):
    return name == "sksuperpixel" or name.removeprefix("sksuperpixel.") in SOURCES


def imports_of(tree, package):
    """Give the (absolute name, whether inside a function) of all that is imported."""
    found = []

    def visit(node, inside):
        if isinstance(node, ast.Import):
            found.extend((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(base * (node.level > 0) + [node.module] * bool(node.module))
            for alias in node.names:
                name = f"{base}.{alias.name}"
                # A name may be a module or what a module holds.
                submodule = is_module(name) if base.startswith("sksuperpixel") else False
                known = base in {"scipy", "skimage", "sklearn"}
                found.append((name if submodule or known else base, inside))
        inside = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(tree, False)
    return found


def imports(module):
    path = SOURCES[module]
    package = "sksuperpixel" + ("." + module if module else "")
    if path.name != "__init__.py":
        package = package.rpartition(".")[0]
    return imports_of(ast.parse(path.read_text(encoding="utf-8")), package)


def allowed(name, names):
    return any(name == n or (n.endswith(".") and f"{name}.".startswith(n)) for n in names)


def problems(module, found):
    ours, outside = MAY_IMPORT[module]
    permitted = {f"sksuperpixel.{name}" for name in ours} | outside
    lazily = LAZY.get(module, set())
    wrong = []
    for name, inside in found:
        standard = name.split(".")[0] in sys.stdlib_module_names
        fits = standard or allowed(name, permitted) or (inside and allowed(name, lazily))
        if not fits:
            wrong.append(name)
    return wrong


def test_every_module_has_its_place():
    assert sorted(SOURCES) == sorted(MAY_IMPORT)
    assert set(LAZY) <= set(SOURCES)


@pytest.mark.parametrize("module", SOURCES)
def test_imports(module):
    assert problems(module, imports(module)) == []


def test_the_table_holds_no_more_than_is_there():
    """What is allowed but never used would let a wrong edge in unseen."""
    for module in SOURCES:
        found = {name for name, _ in imports(module)}
        for name in MAY_IMPORT[module][0]:
            assert f"sksuperpixel.{name}" in found, (module, name)
        for name in LAZY.get(module, ()):
            assert any(allowed(each, {name}) for each in found), (module, name)


def test_no_cycles():
    edges = {module: set() for module in SOURCES}
    for module in SOURCES:
        for name, _ in imports(module):
            if name.startswith("sksuperpixel."):
                edges[module].add(name.removeprefix("sksuperpixel."))
    done = set()

    def visit(module, path):
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for other in edges[module]:
                visit(other, [*path, module])
            done.add(module)

    for module in SOURCES:
        visit(module, [])


def test_torch_stays_where_it_is_needed():
    for module in SOURCES:
        brought = {name.split(".")[0] for name, _ in imports(module)} & TORCH
        assert not brought or f"{module}.".startswith(WITH_TORCH), module


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("import sksuperpixel._slic", ["sksuperpixel._slic"]),
        ("from sksuperpixel import _slic", ["sksuperpixel._slic"]),
        ("from sksuperpixel import SLIC", ["sksuperpixel"]),
        ("from . import _slic", ["sksuperpixel._slic"]),
        ("from ._slic import SLIC", ["sksuperpixel._slic"]),
        ("from .features._lab import LabFeatures", ["sksuperpixel.features._lab"]),
        ("def f():\n    from . import _slic", ["sksuperpixel._slic"]),
        ("class A:\n    def f(self):\n        import torch.nn", ["torch.nn"]),
        ("from scipy import ndimage", ["scipy.ndimage"]),
        ("if True:\n    from sksuperpixel._kernels import assign", []),
        ("import numpy as np, os.path", []),
        ("from ._kernels import assign", []),
    ],
)
def test_wrong_imports_are_found(line, wrong):
    assert problems("_clusters", imports_of(ast.parse(line), "sksuperpixel")) == wrong


def test_imports_in_packages_are_found():
    line = "from .._base import LazySequence\nfrom . import _lab\nfrom ..datasets import _voc"
    found = imports_of(ast.parse(line), "sksuperpixel.features")
    assert [name for name, _ in found] == [
        "sksuperpixel._base",
        "sksuperpixel.features._lab",
        "sksuperpixel.datasets._voc",
    ]


# Importing ----------------------------------------------------------------------------------


def run(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_import_loads_nothing_heavy():
    heavy = {"torch", "matplotlib", "skimage", "kymatio", "skorch", "pooch", "PIL", "cv2"}
    loaded = run("import sys, sksuperpixel\nprint(*{name.split('.')[0] for name in sys.modules})")
    assert "sksuperpixel" in loaded
    assert heavy & set(loaded) == set()


def test_import_is_quick():
    # What comes on top of scikit-learn's and Numba's own time: the least of a few, for other
    # work on the machine only adds.
    code = (
        "from time import perf_counter\n"
        "import sklearn, numba\n"
        "start = perf_counter()\n"
        "import sksuperpixel\n"
        "print(perf_counter() - start)"
    )
    seconds = []
    while len(seconds) < 5 and min(seconds, default=1) >= 0.3:
        seconds.append(float(run(code)[0]))
    assert min(seconds) < 0.3


def test_public_names():
    assert len(set(sksuperpixel.__all__)) == len(sksuperpixel.__all__)
    for name in sksuperpixel.__all__:
        assert hasattr(sksuperpixel, name)
