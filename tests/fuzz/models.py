"""Damaged and forged model files: each loads as a model, or raises one ValueError.

A case takes a good file and changes its bytes, its tensors or its description. `load` may take
2 seconds, and 200 MB beyond the file's size. A model that loads must cut an image into
superpixels or raise a ValueError. None of its parameters that concern the machine may come from
the file, and loading must not touch the folder that a forged description names.
"""

import copy
import json
import shutil
import struct
import time
from pathlib import Path

import numpy as np
from fuzz import inputs
from fuzz.harness import Defect, growth_since, reset_peak

from sksuperpixel import PathFeature, TrainableSLIC
from sksuperpixel.features import (
    ChannelUnion,
    ENetFeatures,
    LabFeatures,
    LearnedFeatures,
    ScatteringFeatures,
)
from sksuperpixel.networks import make_classification_net, make_distance_net

# For loading and one transform together; loading alone is checked in `load`.
LIMIT_S, LIMIT_MB = 10, 500
LOAD_S, LOAD_MB = 2, 200
# Parameters that no file may set, at any depth.
_LOCAL = {"memory": None, "checkpoint": None, "device": "cpu", "n_jobs": None, "weights": None}


def prepare(folder):
    """Write the good files, and return them with the image that their models take."""
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (20, 24, 3)).astype(np.uint8)
    grey = colour[..., 0].copy()
    y = [np.repeat(np.arange(4), 120).reshape(20, 24)]
    one, three = make_distance_net(1, max_epochs=0), make_distance_net(3, max_epochs=0)
    classes = make_classification_net(max_epochs=1)
    union = ChannelUnion(
        [
            ("lab", LabFeatures()),
            ("texture", ScatteringFeatures(J=1, L=2, channels="lightness")),
            ("enet", ENetFeatures(weights=None, random_state=0)),
            ("rgb", "passthrough"),
        ],
        transformer_weights={"texture": 100.0},
    )
    select = ["R_order1_j0_theta1", "G_order0"]
    models = {
        "lab": (colour, TrainableSLIC(6, classifier=one)),
        "three": (colour, TrainableSLIC(5, classifier=three, n_segments=20)),
        "classes": (colour, TrainableSLIC(5, classifier=classes, features=ScatteringFeatures())),
        "union": (colour, TrainableSLIC(5, classifier=three, features=union)),
        "learned": (
            colour,
            TrainableSLIC(
                5,
                classifier=one,
                n_segments=12,
                edge_channel=-1,
                features=LearnedFeatures(2, width=2, edges=True, train=False, random_state=0),
            ),
        ),
        "selected": (
            colour,
            TrainableSLIC(
                5, classifier=one, features=ScatteringFeatures(select=select, max_order=1)
            ),
        ),
        "pairs": (
            grey,
            TrainableSLIC(
                5,
                classifier=three,
                features="passthrough",
                channel_axis=None,
                channel_weights=[0.5],
                spacing=(1, 1.5),
                pair_features=[PathFeature("max", channels=[0])],
            ),
        ),
    }
    files = []
    for name, (image, model) in models.items():
        path = folder / f"{name}.safetensors"
        model.set_params(random_state=0).fit([image], y).save(path)
        files.append((path.read_bytes(), image))
    shipped = Path(__file__).parents[2] / "sksuperpixel" / "models" / "bsds500.safetensors"
    if shipped.exists():
        files.append((shipped.read_bytes(), colour))
    (folder / "names").mkdir()
    return files, folder


def case(rng, shared):
    """Change one file, load it, and use the model."""
    files, folder = shared
    content, image = files[rng.integers(len(files))]
    change = _CHANGES[rng.integers(len(_CHANGES))]
    trap = folder / "names" / "trap"
    content = change(content, rng, trap)
    path = folder / "changed.safetensors"
    path.write_bytes(content)
    model = load(path, len(content))
    if model is None:
        outcome = "refused"
    elif _is_costly(model):
        outcome = "loaded, costly"
    else:
        check_parameters(model)
        outcome = use(model, image)
    if any((folder / "names").iterdir()):
        shutil.rmtree(folder / "names")
        (folder / "names").mkdir()
        raise Defect("a path that the file names was made")
    return outcome


def load(path, size):
    """Load a file; return None if it was refused as it should be."""
    before, start = reset_peak(), time.process_time()
    try:
        model = TrainableSLIC.load(path)
    except ValueError as error:
        if str(path) not in str(error):
            raise Defect(f"the error does not name the file: {str(error)[:80]}") from error
        if type(error) is not ValueError:
            raise Defect(f"{type(error).__name__} instead of ValueError") from error
        model = None
    if time.process_time() - start > LOAD_S:
        raise Defect(f"loading took longer than {LOAD_S} s")
    grown = growth_since(before)
    if grown is not None and grown > LOAD_MB + size / 2**20:
        raise Defect(f"loading needed more than {LOAD_MB} MB")
    return model


def check_parameters(model):
    """Check that no parameter that concerns the machine came from the file."""
    for name, value in model.get_params().items():
        last = name.rpartition("__")[2]
        if name.startswith("classifier") or last not in _LOCAL:
            continue
        if value != _LOCAL[last] and not (last == "weights" and value in ("bsds500", "camvid")):
            raise Defect(f"{last}={value!r} came from the file")


def _is_costly(model):
    """Tell whether the model takes many seconds, which is a limit of docs/reliability.md."""
    params = model.get_params()
    sizes = [
        (value, params[f"{name[:-1]}L"]) for name, value in params.items() if name.endswith("__J")
    ]
    return model.max_iter > 100 or any(J * L > 40 for J, L in sizes)


def use(model, image):
    """Cut an image with a loaded model."""
    try:
        superpixels = model.transform([image])[0]
    except ValueError as error:
        if "uninitialised" in str(error):
            raise
        return "loaded, refuses the image"
    first = model.start_label
    present = np.unique(superpixels)
    if superpixels.shape != image.shape[:2] or superpixels.dtype != np.int32:
        raise Defect(f"superpixels of {superpixels.dtype}, shape {superpixels.shape}")
    if not np.array_equal(present, np.arange(first, first + len(present))):
        raise Defect(f"labels {present[:5]} .. {present[-1]}")
    if model.n_segments is not None and model.oversegmentation > 1:
        if len(present) != model.n_segments:
            raise Defect(f"{len(present)} superpixels, not n_segments={model.n_segments}")
        return "loaded, exact number"
    return "loaded, works"


# Changes of bytes.


def _flip(content, rng, trap):
    content = bytearray(content)
    # Most bytes belong to tensors, but most defects are to be found in the header.
    stop = len(content) if rng.random() < 0.3 else 8 + _header_length(content)
    for place in rng.integers(stop, size=rng.integers(1, 4)):
        content[place] ^= 1 << rng.integers(8)
    return bytes(content)


def _truncate(content, rng, trap):
    return content[: rng.integers(len(content))]


def _insert(content, rng, trap):
    place = rng.integers(len(content))
    return content[:place] + rng.bytes(int(rng.integers(1, 9))) + content[place:]


def _delete(content, rng, trap):
    place = rng.integers(len(content))
    return content[:place] + content[place + rng.integers(1, 9) :]


# Changes of the description and of the header.

_STRANGE = [
    None,
    True,
    False,
    -1,
    0,
    1,
    2,
    3.5,
    -0.5,
    7,
    64,
    20000,
    10**8,
    2**31,
    2**63,
    -(2**63) - 1,
    10**400,
    1e-320,
    1e30,
    1e300,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    "lab",
    "passthrough",
    "meta",
    "cuda:7",
    "x" * 100_000,
    "\0",
    "\ud800",
    "../../etc",
    [],
    [[]],
    [None],
    [1, 2, 3],
    [1e39] * 3,
    ["a", {}],
    list(range(50_000)),
    {},
    {"name": "LabFeatures", "params": {}},
    {"name": "ChannelUnion", "params": {"transformers": []}},
    {"name": "os.system", "params": {"command": "true"}},
    {"__class__": "dict"},
]
_LOCAL_NAMES = ["memory", "checkpoint", "device", "n_jobs", "callbacks", "weights"]


def _change_description(content, rng, trap):
    """Change one to three entries anywhere in the description."""
    header, data = _split(content)
    description = json.loads(header["__metadata__"]["sksuperpixel"])
    for _ in range(rng.integers(1, 4)):
        _change_tree(description, rng, trap)
    header["__metadata__"]["sksuperpixel"] = json.dumps(description)
    return _join(header, data)


def _change_tree(tree, rng, trap):
    places = list(_places(tree))
    if not places:
        return
    parent, key = places[rng.integers(len(places))]
    way = rng.integers(8)
    if way == 0:
        del parent[key]
    elif way == 1 and isinstance(parent, dict):
        name = _LOCAL_NAMES[rng.integers(len(_LOCAL_NAMES))]
        parent[name] = str(trap) if rng.random() < 0.7 else _strange(rng)
    elif way == 2:
        other, place = places[rng.integers(len(places))]
        try:
            parent[key] = copy.deepcopy(other[place])
        except (KeyError, IndexError):
            parent[key] = None
    elif way == 3 and isinstance(parent[key], (int, float)):
        factor = [-1, 0, 0.5, 2, 10, 1000, 1e6, 1e12][rng.integers(8)]
        value = parent[key] * factor
        parent[key] = int(value) if isinstance(parent[key], int) else value
    elif way == 4:
        nested = 1
        for _ in range(int(rng.integers(2, 100))):
            nested = [nested] if rng.random() < 0.5 else {"a": nested}
        parent[key] = nested if rng.random() < 0.2 else [parent[key]]
    else:
        parent[key] = _strange(rng)


def _strange(rng):
    return copy.deepcopy(_STRANGE[rng.integers(len(_STRANGE))])


def _places(tree):
    """List all entries of a tree of dicts and lists as (parent, key)."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(pairs):
        yield tree, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


def _name_machine(content, rng, trap):
    """Add parameters that concern the machine to the estimators of the description."""
    header, data = _split(content)
    description = json.loads(header["__metadata__"]["sksuperpixel"])
    for parent, key in list(_places(description)):
        if key == "params" and isinstance(parent[key], dict):
            name = _LOCAL_NAMES[rng.integers(len(_LOCAL_NAMES))]
            taken = name in parent[key] or rng.random() < 0.3
            if taken or "data_range" in parent[key] or "superpixel_size" in parent[key]:
                parent[key][name] = str(trap)
    header["__metadata__"]["sksuperpixel"] = json.dumps(description)
    return _join(header, data)


def _deep(content, rng, trap):
    """Nest a description more deeply than a parser can follow."""
    header, data = _split(content)
    text = header["__metadata__"]["sksuperpixel"]
    depth = int(rng.integers(30, 100_000))
    opening, closing = ("[", "]") if rng.random() < 0.5 else ('{"a":', "}")
    nested = opening * depth + "1" + closing * depth
    header["__metadata__"]["sksuperpixel"] = text.replace("null", nested, 1)
    return _join(header, data)


def _large(content, rng, trap):
    """Set sizes that do not fit the tensors."""
    header, data = _split(content)
    description = json.loads(header["__metadata__"]["sksuperpixel"])
    names = ("n_features", "n_hidden", "n_candidates", "J", "L", "n_maps", "width", "n_classes")
    names += ("n_channels_in_", "n_pixels_", "max_epochs", "max_iter", "superpixel_size")
    large = [50, 3000, 20_000, 10**6, 10**8, 10**12]
    places = [(parent, key) for parent, key in _places(description) if key in names]
    for _ in range(rng.integers(1, 3)):
        parent, key = places[rng.integers(len(places))]
        parent[key] = large[rng.integers(len(large))]
    header["__metadata__"]["sksuperpixel"] = json.dumps(description)
    return _join(header, data)


def _change_header(content, rng, trap):
    """Change the table of the tensors."""
    header, data = _split(content)
    places = [(parent, key) for parent, key in _places(header) if key != "sksuperpixel"]
    parent, key = places[rng.integers(len(places))]
    if key == "dtype":
        parent[key] = ["F16", "F64", "I32", "I64", "BF16", "U8", "F8_E4M3"][rng.integers(7)]
    elif rng.random() < 0.3:
        del parent[key]
    else:
        parent[key] = _strange(rng)
    return _join(header, data)


# Repetitions and large sizes.


def _repeat(content, rng, trap):
    """Repeat a part of the file many times, or add a large tensor."""
    return _REPETITIONS[rng.integers(len(_REPETITIONS))](content, rng)


def _repeat_entry(content, rng):
    """Repeat an entry of one of the description's lists."""
    header, data = _split(content)
    description = json.loads(header["__metadata__"]["sksuperpixel"])
    lists = [parent[key] for parent, key in _places(description) if isinstance(parent[key], list)]
    one = lists[rng.integers(len(lists))]
    if not one:
        one.append(inputs.choose(rng, [{}, [], None, 1, "meta", {"channels": [0]}]))
    one += [one[rng.integers(len(one))]] * _many(rng)
    header["__metadata__"]["sksuperpixel"] = json.dumps(description)
    return _join(header, data)


def _repeat_pair_feature(content, rng):
    header, data = _split(content)
    description = json.loads(header["__metadata__"]["sksuperpixel"])
    one = inputs.choose(rng, [{}, {"statistic": "max"}, {"channels": [0]}])
    description["params"]["pair_features"] = [one] * _many(rng)
    header["__metadata__"]["sksuperpixel"] = json.dumps(description)
    return _join(header, data)


def _repeat_transformer(content, rng):
    """Replace the features by a union of many transformers."""
    header, data = _split(content)
    description = json.loads(header["__metadata__"]["sksuperpixel"])
    name, params, most = inputs.choose(
        rng,
        [
            ("LabFeatures", {}, 50_000),
            ("ScatteringFeatures", {"J": 1, "L": 1}, 5000),
            ("ScatteringFeatures", {"J": 4, "L": 24}, 300),
            ("LearnedFeatures", {"width": 2}, 3000),
            ("LearnedFeatures", {"width": 256}, 300),
            ("ENetFeatures", {}, 3000),
            ("ChannelUnion", {"transformers": [["a", "passthrough"]]}, 10_000),
            ("passthrough", None, 50_000),
        ],
    )
    one = name if params is None else {"name": name, "params": params}
    transformers = [[str(number), one] for number in range(_many(rng, most))]
    union = {"name": "ChannelUnion", "params": {"transformers": transformers}}
    description["params"]["features"] = union
    header["__metadata__"]["sksuperpixel"] = json.dumps(description)
    return _join(header, data)


def _repeat_tensor(content, rng):
    """Add many empty tensors, which take no bytes besides the header."""
    header, data = _split(content)
    prefix = inputs.choose(rng, ["features.", "network.", "", "features.0.", "network.more"])
    suffix = inputs.choose(rng, ["", ".weight", ".num_batches_tracked"])
    end = len(data)
    one = {
        "dtype": inputs.choose(rng, ["F32", "U8", "F64"]),
        "shape": inputs.choose(rng, [[0], [0, 10**9], [0] * 50]),
        "data_offsets": [end, end],
    }
    header |= {f"{prefix}{number}{suffix}": one for number in range(_many(rng, 150_000))}
    return _join(header, data)


def _add_large_tensor(content, rng):
    """Add a large tensor, and set sizes of the model to its length."""
    header, data = _split(content)
    n_bytes = int(inputs.choose(rng, [10**4, 10**5, 999_983, 10**7]))
    more = {"dtype": "U8", "shape": [n_bytes], "data_offsets": [len(data), len(data) + n_bytes]}
    header[inputs.choose(rng, ["network.more", "features.more", "more"])] = more
    description = json.loads(header["__metadata__"]["sksuperpixel"])
    names = ("n_features", "n_hidden", "n_candidates", "n_maps", "width", "n_classes")
    places = [(parent, key) for parent, key in _places(description) if key in names]
    if rng.random() < 0.5:
        places = [(description["network"]["params"], "n_features")]
    for _ in range(rng.integers(1, 3)):
        parent, key = places[rng.integers(len(places))]
        parent[key] = n_bytes
    header["__metadata__"]["sksuperpixel"] = json.dumps(description)
    return _join(header, data + bytes(n_bytes))


def _many(rng, most=300_000):
    """Draw a number of repetitions."""
    return int(most * inputs.choose(rng, [0.01, 0.1, 0.5, 1]))


_REPETITIONS = [
    _repeat_entry,
    _repeat_pair_feature,
    _repeat_transformer,
    _repeat_transformer,
    _repeat_tensor,
    _add_large_tensor,
]


# Changes of the tensors.


def _change_tensor(content, rng, trap):
    """Change, remove or add one tensor, with a header that agrees."""
    from safetensors.torch import load, save

    header, _ = _split(content)
    tensors = load(content)
    import torch

    names = sorted(tensors)
    name = names[rng.integers(len(names))]
    tensor = tensors[name]
    way = rng.integers(9)
    if way == 0:
        del tensors[name]
    elif way == 1:
        tensors[f"{name}.more"] = tensor.clone()
    elif way == 2:
        dtypes = torch.float16, torch.float64, torch.int32, torch.int64, torch.bool, torch.uint8
        tensors[name] = tensor.to(dtypes[rng.integers(len(dtypes))])
    elif way == 3:
        tensors[name] = tensor.reshape(-1) if tensor.ndim != 1 else tensor[None]
    elif way == 4:
        tensors[name] = torch.cat([tensor.reshape(-1), torch.zeros(1)])
    elif way == 5:
        tensors[name] = torch.zeros([0, 10**9])
    else:
        values = [np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-40, 0.0, 100.0, -100.0]
        tensor = tensor.clone().reshape(-1)
        some = rng.integers(max(1, len(tensor)), size=rng.integers(1, 5))
        if len(tensor):
            tensor[some] = values[rng.integers(len(values))]
        tensors[name] = tensor.reshape(tensors[name].shape)
    return save(tensors, metadata=header["__metadata__"])


def _header_length(content):
    return struct.unpack("<Q", content[:8])[0]


def _split(content):
    length = _header_length(content)
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def _join(header, data):
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(text)) + text + data


# Descriptions come up most often, because most defects were found there.
_CHANGES = [
    _flip,
    _truncate,
    _insert,
    _delete,
    _change_description,
    _change_description,
    _change_description,
    _change_description,
    _name_machine,
    _large,
    _deep,
    _change_header,
    _change_tensor,
    _repeat,
]
