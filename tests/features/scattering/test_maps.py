import numpy as np
import pytest

from sksuperpixel.features.scattering.maps import count_maps, list_maps, select_maps

RGB = list_maps(2, 8, 2, "all", 3)
GREY = list_maps(2, 8, 2, "all", 1)


@pytest.mark.parametrize(
    ("params", "n_maps"),
    [
        ((2, 8, 2), 81),
        ((2, 8, 1), 17),
        ((1, 8, 2), 9),
        ((3, 8, 2), 217),
        ((3, 4, 1), 13),
        ((2, 6, 2), 49),
        ((3, 1, 2), 7),
        ((2, 3, 2), 16),
    ],
)
def test_number_of_maps(params, n_maps):
    assert count_maps(*params) == n_maps
    for n_channels in (1, 2, 3):
        maps = list_maps(*params, "all", n_channels)
        assert len(maps) == n_channels * n_maps
        assert len({each.name for each in maps}) == n_channels * n_maps
    assert len(list_maps(*params, "lightness", 3)) == n_maps


def test_order_of_maps_is_kymatios():
    torch = pytest.importorskip("torch")
    frontend = pytest.importorskip("kymatio.scattering2d.frontend.torch_frontend")
    transform = frontend.ScatteringTorch2D(3, (8, 8), L=3, out_type="list")
    expected = transform(torch.zeros(8, 8))
    maps = list_maps(3, 3, 2, "all", 1)
    assert len(maps) == len(expected)
    for ours, theirs in zip(maps, expected, strict=True):
        assert ours.order == len(theirs["j"])
        assert (ours.j1, ours.j2)[: ours.order] == theirs["j"]
        assert (ours.theta1, ours.theta2)[: ours.order] == theirs["theta"]


def test_names_of_channels():
    for channels, n_channels, names in [
        ("all", 1, ["grey"]),
        ("all", 2, ["c0", "c1"]),
        ("all", 3, ["R", "G", "B"]),
        ("all", 4, ["c0", "c1", "c2", "c3"]),
        ("lightness", 3, ["L"]),
    ]:
        maps = list_maps(1, 2, 1, channels, n_channels)
        assert [each.name for each in maps[::3]] == [f"{name}_order0" for name in names]
        assert [each.channel for each in maps[::3]] == names


def test_all_maps_are_selected_without_select():
    assert select_maps(None, RGB) == tuple(range(243))


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda names: np.array(names, object)])
def test_names_select_maps_in_their_order(kind):
    chosen = (100, 3, 0, 242, 162, 161)
    assert select_maps(kind([RGB[i].name for i in chosen]), RGB) == chosen


def test_functions_select_maps():
    for select, expected in [
        (lambda m: m.name in ("B_order0", "R_order0"), (0, 162)),
        (lambda m: m.channel == "G" and m.order == 1, tuple(range(82, 98))),
        (lambda m: m.order == 0, (0, 81, 162)),
        (lambda m: m.order == 2 and m.angle1 == 90 and m.angle2 == 90, (44, 125, 206)),
        (lambda m: np.bool_(m.j1 == 1 and m.order == 1 and m.channel == "R"), tuple(range(9, 17))),
    ]:
        assert select_maps(select, RGB) == expected


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ([], "select: found no map, expected at least one of the 81"),
        (lambda m: False, "select: found no map, expected at least one of the 81"),
        (
            ["grey_order1_j0_theta2", "grey_order0", "grey_order1_j0_theta2"],
            "select: found 'grey_order1_j0_theta2' twice, expected each map once",
        ),
        (["grey_order0", "R_order0"], "select: found 'R_order0', expected names of maps, from"),
        (["grey_order0", 1], "select: found 1, expected names of maps, from 'grey_order0' to"),
        ([0, 1], "select: found 0, expected names of maps"),
        ([True] * 81, "select: found True, expected names of maps"),
        (np.arange(3), "select: found 0, expected names of maps"),
        ([None], "select: found None, expected names of maps"),
        ([["grey_order0"]], r"select: found \[\['grey_order0'\]\], expected one list of names"),
        ([["grey_order0"], []], r"select: found \['grey_order0'\], expected names of maps"),
        ({"grey_order0"}, r"select: found \{'grey_order0'\}, expected one list of names"),
    ],
)
def test_wrong_select(select, message):
    with pytest.raises(ValueError, match=message):
        select_maps(select, GREY)
