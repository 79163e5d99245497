import io
import struct

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image

from sksuperpixel.datasets._files import read_image, read_labels
from sksuperpixel.datasets._tiff import read_tiff

CUBE = np.random.RandomState(0).randint(256, size=(6, 8, 5), dtype=np.uint8)


@pytest.mark.parametrize("metadata", [None, {}])
@pytest.mark.parametrize(("n_channels", "photometric"), [(3, "rgb"), (5, "minisblack")])
def test_channels_that_are_stored_as_planes_become_the_last_axis(
    tmp_path, n_channels, photometric, metadata
):
    planes = np.moveaxis(CUBE[:, :, :n_channels], -1, 0)
    options = {"photometric": photometric, "planarconfig": "separate", "metadata": metadata}
    tifffile.imwrite(tmp_path / "a.tif", planes, **options)
    assert_array_equal(read_image(tmp_path / "a.tif"), CUBE[:, :, :n_channels])


def test_pillow_reads_what_tifffile_cannot(tmp_path, monkeypatch):
    def cannot(self, **options):
        raise ValueError("another package is needed for this compression")

    Image.fromarray(CUBE[:, :, :3]).save(tmp_path / "a.tif", compression="tiff_lzw")
    monkeypatch.setattr(tifffile.TiffPageSeries, "asarray", cannot)
    assert read_tiff(tmp_path / "a.tif", as_image=True) is None
    assert_array_equal(read_image(tmp_path / "a.tif"), CUBE[:, :, :3])


def with_tags(content, values):
    """Change the values of tags in the first directory of a little-endian file."""
    content = bytearray(content)
    (start,) = struct.unpack_from("<I", content, 4)
    (n_tags,) = struct.unpack_from("<H", content, start)
    for place in range(start + 2, start + 2 + 12 * n_tags, 12):
        (tag,) = struct.unpack_from("<H", content, place)
        if tag in values:
            struct.pack_into("<HII", content, place + 2, 4, 1, values[tag])
    return bytes(content)


@pytest.mark.parametrize("read", [read_image, read_labels])
def test_a_file_may_not_claim_far_more_than_it_holds(tmp_path, read):
    # Strips of no bytes stand for any number of zeros.
    file = io.BytesIO()
    tifffile.imwrite(file, CUBE[:, :, 0], compression="zlib", metadata=None)
    path = tmp_path / "a.tif"
    path.write_bytes(with_tags(file.getvalue(), {256: 40_000, 257: 30_000, 278: 30_000, 279: 0}))
    message = r"a\.tif: found .* claims an array of shape \(30000, 40000\) and dtype uint8, 12000"
    with pytest.raises(ValueError, match=message):
        read(path)


def test_a_large_image_may_be_compressed_well(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3000, 4000), np.uint8), compression="zlib")
    assert (tmp_path / "a.tif").stat().st_size < 30_000
    assert read_labels(tmp_path / "a.tif").shape == (3000, 4000)


def test_a_file_cannot_make_us_read_another_one(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    tifffile.imwrite(other / "secret.tif", np.full((6, 8), 99, np.uint8))
    plane = (
        '<TiffData FirstC="{}" IFD="0" PlaneCount="1">'
        '<UUID FileName="{}">urn:uuid:{}</UUID></TiffData>'
    )
    description = (
        '<?xml version="1.0"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" '
        'SizeX="8" SizeY="6" SizeC="2" SizeZ="1" SizeT="1">'
        f"{plane.format(0, 'a.tif', 1)}{plane.format(1, 'other/secret.tif', 2)}"
        "</Pixels></Image></OME>"
    )
    tifffile.imwrite(tmp_path / "a.tif", CUBE[:, :, 0], description=description, metadata=None)
    # By itself, tifffile reads both.
    assert (tifffile.imread(tmp_path / "a.tif")[1] == 99).all()
    assert_array_equal(read_image(tmp_path / "a.tif"), CUBE[:, :, 0])
