import pytest

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

from sksuperpixel.features.trainable.weights import read_weights  # noqa: E402


def test_weights_of_a_network_and_of_the_features_of_a_model(tmp_path):
    tensors = {"a.weight": torch.rand(2, 3), "b": torch.rand(4)}
    path = tmp_path / "own.safetensors"
    safetensors_torch.save_file(tensors, path)
    model = {f"features.{name}": each for name, each in tensors.items()}
    safetensors_torch.save_file(
        model | {"network.a.weight": torch.rand(1)}, tmp_path / "model.safetensors"
    )
    for found in (read_weights(path), read_weights(str(tmp_path / "model.safetensors"))):
        assert found.keys() == tensors.keys()
        assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_wrong_files(tmp_path):
    path = tmp_path / "none"
    with pytest.raises(FileNotFoundError, match="none: found no such file"):
        read_weights(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="none: found a file that is damaged or cut short"):
        read_weights(path)
