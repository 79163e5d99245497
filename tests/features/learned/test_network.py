import pytest

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

from sksuperpixel.features.learned.network import (  # noqa: E402
    MapsNetwork,
    load_maps_network,
    network_params,
    new_maps_network,
)


def test_networks_of_any_size():
    for n_maps, width in ((1, 2), (5, 3), (12, 16)):
        network = MapsNetwork(n_maps, width).eval()
        features, edges = network(torch.zeros(1, 3, 16, 24))
        assert features.shape == (1, 3 + n_maps, 16, 24)
        assert edges.shape == (1, 16, 24)


def test_maps_do_not_depend_on_the_generator_of_torch():
    first, second, other = (new_maps_network(3, 4, seed) for seed in (0, 0, 1))
    for name, tensor in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], tensor)
    assert not torch.equal(first.maps.weight, other.maps.weight)


def test_networks_come_back_from_a_file(tmp_path):
    network = new_maps_network(3, 4, 0)
    path = tmp_path / "maps.safetensors"
    tensors = {name: each.contiguous() for name, each in network.state_dict().items()}
    safetensors_torch.save_file(tensors, path)
    assert network_params(tensors) == {"n_maps": 3, "width": 4}
    again = load_maps_network(path)
    assert (again.n_maps, again.width, again.training) == (3, 4, False)
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    del tensors["maps.bias"]
    safetensors_torch.save_file(tensors, path)
    with pytest.raises(ValueError, match=r"tensor 'maps.bias': found nothing, expected float32"):
        load_maps_network(path)


def test_parameters_of_other_tensors_are_the_smallest():
    tensors = {"maps.weight": torch.zeros(3)}
    assert network_params(tensors) == {"n_maps": 1, "width": 2}
