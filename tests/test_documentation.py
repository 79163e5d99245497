"""Parameters that two classes share are described once, and diagrams lead to the documentation."""

import importlib
import inspect
import pydoc

import pytest

from sksuperpixel import SLIC, LabelMaker, LabFeatures, TrainableSLIC, make_channel_union
from sksuperpixel._documentation import with_parameters_of


class Described:
    """Summary.

    Parameters
    ----------
    first : int, default=1
        The first, over
        two lines.
    second : {"a", "b"}
        One of:

        - a
        - b
    third : float
        The third.

    Attributes
    ----------
    fourth : int
        Not a parameter.
    """


def test_descriptions_are_filled_in():
    @with_parameters_of(Described)
    class Other:
        """Another summary.

        Parameters
        ----------
        own : int
            Its own.
        third, second
            As in `Described`.
        last : int
            Below, as in `Described`.

        Notes
        -----
        As in `Described`.
        """

    assert Other.__doc__.split("\n") == [
        "Another summary.",
        "",
        "Parameters",
        "----------",
        "own : int",
        "    Its own.",
        "third : float",
        "    The third.",
        'second : {"a", "b"}',
        "    One of:",
        "",
        "    - a",
        "    - b",
        "last : int",
        "    Below, as in `Described`.",
        "",
        "Notes",
        "-----",
        "As in `Described`.",
    ]


@pytest.mark.parametrize("name", ["fourth", "fifth"])
def test_parameters_that_are_not_described(name):
    class Other:
        pass

    Other.__doc__ = f"Summary.\n\nParameters\n----------\n{name}\n    As in `Described`.\n"
    with pytest.raises(KeyError, match=name):
        with_parameters_of(Described)(Other)


def test_another_class_than_the_one_that_describes():
    class Other:
        """Summary.

        Parameters
        ----------
        first
            As in `Another`.
        """

    with pytest.raises(KeyError, match="found parameters of Another in Other"):
        with_parameters_of(Described)(Other)


def test_classes_without_docstrings_stay_as_they_are():
    class Other:
        pass

    assert with_parameters_of(Described)(Other).__doc__ is None


def parameters_section(cls):
    return inspect.getdoc(cls).partition("Parameters\n")[2].partition("Attributes\n")[0]


def test_estimators_describe_shared_parameters_alike():
    one, other = parameters_section(SLIC), parameters_section(TrainableSLIC)
    assert "As in `SLIC`" not in other
    shared = SLIC().get_params().keys() & TrainableSLIC().get_params().keys()
    # Learned weights may belong to more features than those set by hand.
    for name in shared - {"channel_weights", "features"}:
        entries = []
        for section in (one, other):
            lines = iter(section[section.index(f"\n{name} : ") + 1 :].split("\n"))
            entry = [next(lines)]
            for line in lines:
                if line and not line.startswith(" "):
                    break
                entry.append(line)
            entries.append("\n".join(entry).strip())
        assert entries[0] == entries[1], name
    assert "Step S of the grid" in pydoc.render_doc(TrainableSLIC)


@pytest.mark.parametrize("cls", [SLIC, TrainableSLIC])
def test_parameters_come_in_the_order_of_the_documentation(cls):
    names = list(inspect.signature(cls).parameters)
    text = parameters_section(cls)
    places = [text.index(f"\n{name} : ") for name in names]
    assert places == sorted(places)
    # Those of merging stand together.
    first = names.index("oversegmentation")
    merging = ["oversegmentation", "edge_channel", "refine_iter", "min_size_factor"]
    assert names[first : first + 4] == merging
    assert "the next three control how regions are merged" in text.replace("\n    ", " ")


@pytest.mark.parametrize(
    ("estimator", "page"),
    [
        (SLIC(), "sksuperpixel.SLIC"),
        (TrainableSLIC(), "sksuperpixel.TrainableSLIC"),
        (LabelMaker(), "sksuperpixel.LabelMaker"),
        (LabFeatures(), "sksuperpixel.features.LabFeatures"),
        (make_channel_union(LabFeatures()), "sksuperpixel.features.ChannelUnion"),
    ],
)
def test_diagrams_link_to_the_documentation(estimator, page):
    link = f"https://sksuperpixel.readthedocs.io/stable/generated/{page}.html"
    assert link in estimator._repr_html_()
    module, _, name = page.rpartition(".")
    assert getattr(importlib.import_module(module), name) is type(estimator)
