import numpy as np
import pytest

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

from sksuperpixel.features.enet.network import (  # noqa: E402
    LAYERS,
    Bottleneck,
    ENet,
    load_weights,
    new_network,
)


def test_number_of_parameters():
    # The paper says 0.37 million, for the 12 classes of its CamVid or the 19 of Cityscapes.
    for n_classes in (12, 19):
        n_parameters = sum(p.numel() for p in ENet(n_classes).parameters())
        assert 0.36e6 < n_parameters < 0.375e6


def test_layers_are_those_of_the_paper():
    # Table 1, for an image of 512 x 512; here an eighth of that.
    shapes = {"initial": (16, 32), "fullconv": (7, 64)}
    for section, n_blocks, n_maps, size in [
        (1, range(5), 64, 16),
        (2, range(9), 128, 8),
        (3, range(1, 9), 128, 8),
        (4, range(3), 64, 16),
        (5, range(2), 16, 32),
    ]:
        shapes |= {f"bottleneck{section}.{i}": (n_maps, size) for i in n_blocks}
    assert sorted(shapes) == sorted(LAYERS)
    network = ENet(7).eval()
    with torch.no_grad():
        for layer in LAYERS:
            n_maps, size = shapes[layer]
            assert network(torch.rand(2, 3, 64, 64), layer).shape == (2, n_maps, size, size)


def test_kernels_are_those_of_the_paper():
    blocks = ENet(7).blocks
    for section in (2, 3):
        for i, dilation in [(1, 1), (2, 2), (4, 4), (5, 1), (6, 8), (8, 16)]:
            convolution = blocks[f"bottleneck{section}_{i}"].branch[3]
            assert convolution.dilation == (dilation, dilation)
            assert convolution.kernel_size == (3, 3)
        for i in (3, 7):
            branch = blocks[f"bottleneck{section}_{i}"].branch
            assert [branch[3].kernel_size, branch[4].kernel_size] == [(5, 1), (1, 5)]
    shares = {name: block.branch[-1].p for name, block in blocks.items()}
    assert {share for name, share in shares.items() if "k1" in name} == {0.01}
    assert {share for name, share in shares.items() if "k1" not in name} == {0.1}


def test_unpooling_puts_maxima_back():
    down = Bottleneck(8, 16, "down", None, 0.0).eval()
    up = Bottleneck(16, 8, "up", None, 0.0).eval()
    with torch.no_grad():
        # Branches that add nothing, and a way past them that keeps the first maps.
        for block in (down, up):
            block.branch[-2].weight.zero_()
            block.activation.weight.fill_(1)
        up.skip[0].weight.copy_(torch.eye(8, 16)[..., None, None])
        x = torch.rand(1, 8, 6, 10)
        pooled, positions = down(x)
        back, _ = up(pooled, positions)
    assert pooled.shape == (1, 16, 3, 5)
    assert (pooled[:, 8:] == 0).all()
    blocks = x.reshape(1, 8, 3, 2, 5, 2)
    largest = (blocks == blocks.amax(dim=(3, 5), keepdim=True)).reshape(x.shape)
    np.testing.assert_allclose(back, torch.where(largest, x, 0), rtol=1e-4)


def test_weights_come_back_from_a_file(tmp_path):
    network = new_network(4, seed=0)
    path = tmp_path / "enet.safetensors"
    safetensors_torch.save_model(network, path)
    again = load_weights(path)
    assert again.n_classes == 4
    assert not again.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    # With another number of classes, all but the last layer.
    other = load_weights(path, 7, seed=1)
    assert other.n_classes == 7
    first, second = (each.initial.convolution.weight for each in (network, other))
    assert torch.equal(first, second)
    assert torch.equal(other.fullconv.weight, load_weights(path, 7, seed=1).fullconv.weight)
    assert not torch.equal(other.fullconv.weight, load_weights(path, 7, seed=2).fullconv.weight)


def test_wrong_files_are_told(tmp_path):
    path = tmp_path / "enet.safetensors"

    def check(message, error=ValueError):
        with pytest.raises(error) as caught:
            load_weights(path)
        assert str(caught.value).startswith(f"{path}: {message}")

    check("found no such file, expected a safetensors file", FileNotFoundError)
    safetensors_torch.save_model(new_network(3, seed=0), path)
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:1000], b"", b"not a network" * 10):
        path.write_bytes(content)
        check("found a file that is damaged or cut short")
    path.write_bytes(whole)

    # Not by `load_file`: its tensors are the file's own bytes, which the next lines overwrite.
    right = safetensors_torch.load(whole)
    name = "blocks.bottleneck1_0.branch.0.weight"
    for tensor, found in [
        (torch.zeros(16, 3, 2, 2), "float32 of shape (16, 3, 2, 2)"),
        (right[name].half(), "float16 of shape (16, 16, 2, 2)"),
        (None, "nothing"),
    ]:
        wrong = right | {name: tensor}
        if tensor is None:
            del wrong[name]
        safetensors_torch.save_file(wrong, path)
        check(f"tensor {name!r}: found {found}, expected float32 of shape (16, 16, 2, 2)")
    safetensors_torch.save_file(right | {"more": torch.zeros(2)}, path)
    check("tensor 'more': found float32 of shape (2,), expected nothing")
    safetensors_torch.save_file(right | {name: right[name] * np.inf}, path)
    check(f"tensor {name!r}: found NaN or infinity")
