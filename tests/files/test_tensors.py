"""Networks as tensors in files: what does not fit is named."""

import numpy as np
import pytest
import torch
from torch import nn

from sksuperpixel._files.tensors import (
    check_names,
    check_tensors,
    fill_network,
    largest_dimension,
    read_tensors,
    tensors_of,
    to_bytes,
)


@pytest.fixture
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def written(path, tensors, **metadata):
    path.write_bytes(to_bytes(tensors, metadata))
    return path


def test_tensors_of_a_network_have_a_prefix_and_no_counters(network):
    names = {f"net.{name}" for name in ("0.weight", "0.bias", "1.weight", "1.bias")}
    names |= {"net.1.running_mean", "net.1.running_var"}
    tensors = tensors_of(network, "net.")
    assert tensors.keys() == names
    assert tensors["net.0.weight"].equal(network[0].weight)


def test_what_is_written_is_read(network, tmp_path):
    # Columns of a matrix are not contiguous in memory.
    tensors = {**tensors_of(network), "turned": torch.arange(6.0).reshape(2, 3).T}
    path = written(tmp_path / "file", tensors, about="nothing much")
    found, metadata = read_tensors(path)
    assert metadata == {"about": "nothing much"}
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].equal(tensor)
        assert found[name].dtype == tensor.dtype


def test_counters_are_not_read(network, tmp_path):
    path = written(tmp_path / "file", network.state_dict())
    found, metadata = read_tensors(path)
    assert found.keys() == tensors_of(network).keys()
    assert metadata == {}


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="none: found no such file, expected a safetens"):
        read_tensors(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="found no such file"):
        read_tensors(tmp_path)  # a folder


@pytest.mark.parametrize("n_bytes", [0, 4, 50, -1])
def test_a_file_that_is_cut_short(network, tmp_path, n_bytes):
    path = written(tmp_path / "file", tensors_of(network))
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match=r"file: found a file that is damaged or cut short"):
        read_tensors(path)


def test_a_file_of_something_else(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros(100))
    with pytest.raises(ValueError, match="expected a safetensors file"):
        read_tensors(tmp_path / "array.npy")


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_tensors_that_fit_pass(network, device):
    tensors = {**tensors_of(network, "net."), "other.0.weight": torch.zeros(9)}
    check_tensors(tensors, network.to(device), "net.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.bias": None}, r"'0.bias': found nothing, expected float32 of shape \(2,\)"),
        ({"more": torch.zeros(1)}, r"'more': found float32 of shape \(1,\), expected nothing"),
        (
            {"0.weight": torch.zeros(2, 4)},
            r"'0.weight': found float32 of shape \(2, 4\), expected float32 of shape \(2, 3\)",
        ),
        (
            {"0.weight": torch.zeros(2, 3, dtype=torch.float64)},
            r"'0.weight': found float64 of shape \(2, 3\), expected float32 of shape \(2, 3\)",
        ),
        ({"1.running_var": torch.tensor([1, torch.nan])}, "'1.running_var': found NaN or infin"),
        ({"1.bias": torch.tensor([-torch.inf, 0])}, "'1.bias': found NaN or infinity, expected"),
    ],
)
def test_tensors_that_do_not_fit_are_named(network, change, message):
    changed = {**tensors_of(network), **change}
    tensors = {f"net.{name}": each for name, each in changed.items() if each is not None}
    before = {name: each.clone() for name, each in tensors_of(network).items()}
    message = message.replace("'", "'net.", 1)
    with pytest.raises(ValueError, match=f"^tensor {message}"):
        check_tensors(tensors, network, "net.")
    with pytest.raises(ValueError, match=f"^tensor {message}"):
        fill_network(network, tensors, "net.")
    # Nothing of it was taken.
    assert all(each.equal(before[name]) for name, each in tensors_of(network).items())


def test_a_network_is_filled(network):
    tensors = {name: each + 1 for name, each in tensors_of(network, "net.").items()}
    fill_network(network, tensors, "net.")
    for name, tensor in tensors_of(network, "net.").items():
        assert tensor.equal(tensors[name])


def test_names_that_nothing_knows():
    known = {"a": torch.zeros(1)}
    check_names(known, {**known, "b": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"^tensor 'c': found float32 of shape \(3, 1\), ex"):
        check_names({**known, "c": torch.zeros(3, 1)}, known)


def test_headers_that_are_too_long(network, tmp_path):
    path = written(tmp_path / "file", tensors_of(network), about="x" * 2**23)
    with pytest.raises(
        ValueError, match=r"file: found a header of .* bytes, expected at most 8388"
    ):
        read_tensors(path)


def test_too_many_tensors(tmp_path):
    path = written(tmp_path / "file", {str(n): torch.zeros(0) for n in range(10_001)})
    with pytest.raises(ValueError, match="file: found 10001 tensors, expected at most 10000"):
        read_tensors(path)


def test_the_largest_dimension_is_that_of_numbers_in_the_file():
    tensors = {
        "net.a": torch.zeros(3, 5),
        "net.b": torch.zeros(0, 10**9),
        "net.c": torch.zeros(50, dtype=torch.uint8),
        "other": torch.zeros(70),
    }
    assert largest_dimension(tensors, "net.") == 5
    assert largest_dimension(tensors) == 70
    assert largest_dimension({}) == 0
