"""Files with versions agree: the floors in pyproject.toml and the two constraints files."""

import pytest
from oldest_versions import NOT_TESTED, OLDEST, ROOT, check_agreement, read_floors, read_pins
from packaging.version import Version


def test_floors_are_the_oldest_versions_that_are_tested():
    check_agreement()


def test_differences_are_told(monkeypatch, tmp_path):
    path = tmp_path / "oldest.txt"
    monkeypatch.setattr("oldest_versions.OLDEST", path)
    text = OLDEST.read_text("utf-8")
    path.write_text(text.replace("scipy==", "scipy==0."), "utf-8")
    with pytest.raises(ValueError, match=r"scipy: found \S+ in pyproject.toml and 0\."):
        check_agreement()
    path.write_text(text + "six==1.16.0  # of no use\n", "utf-8")
    with pytest.raises(ValueError, match=r"six: found None in pyproject.toml and 1\."):
        check_agreement()
    path.write_text("scipy>=1.13\n", "utf-8")
    with pytest.raises(ValueError, match=r"oldest\.txt: found 'scipy>=1\.13', expected a line"):
        check_agreement()


@pytest.mark.parametrize("requirement", ["numpy", "numpy>2.0", "numpy>=2.0,<3", "numpy==2.0"])
def test_every_dependency_needs_a_floor(requirement, monkeypatch, tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "some"\ndependencies = ["{requirement}"]\n'
        '[project.optional-dependencies]\ntest = ["some[other]"]\n',
        "utf-8",
    )
    monkeypatch.setattr("oldest_versions.ROOT", tmp_path)
    with pytest.raises(ValueError, match=f"found '{requirement}', expected a requirement like"):
        read_floors()


def test_the_known_versions_are_new_enough():
    floors = read_floors()
    known = read_pins(ROOT / "tests" / "constraints.txt")
    # No test needs matplotlib.
    assert floors.keys() - known.keys() <= {"matplotlib"}
    old = [name for name, pin in known.items() if Version(pin) < Version(floors.get(name, "0"))]
    assert not old
    assert not NOT_TESTED & floors.keys()
