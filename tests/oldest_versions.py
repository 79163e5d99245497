"""Run the tests with the oldest version of every dependency that pyproject.toml allows.

    python tests/oldest_versions.py
    python tests/oldest_versions.py --environment .venv-oldest -- -x tests/models

The script makes a virtual environment, installs the library there with the versions in
constraints-oldest.txt, and runs pytest. With ``--environment``, the environment stays in that
folder and later runs use it again. Otherwise it is removed at the end. What follows ``--`` goes to
pytest.

Run it with Python 3.11: for later ones, some oldest versions have no wheels. Packages that are
needed only by our dependencies are as new as possible. On Linux, the oldest torch comes with
gigabytes of CUDA.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST = ROOT / "tests" / "constraints-oldest.txt"

# Tools for developers, which no test uses.
NOT_TESTED = {"opencv-contrib-python-headless", "ruff", "sphinx", "sphinx-gallery"}


def read_pins(path):
    """Read a constraints file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict of str to str
        The version that each package is pinned to.
    """
    lines = (line.partition("#")[0].strip() for line in Path(path).read_text("utf-8").splitlines())
    pins = {}
    for line in filter(None, lines):
        name, equals, version = line.partition("==")
        if not equals:
            raise ValueError(f"{path}: found {line!r}, expected a line like 'numpy==2.4.6'")
        pins[_normalized(name)] = version
    return pins


def read_floors():
    """Read from pyproject.toml the oldest versions of what the library and its tests need.

    Returns
    -------
    dict of str to str
        The floor of each dependency, those of extras included, without the packages in
        `NOT_TESTED`.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    requirements = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        requirements += [each for each in extra if not each.startswith(project["name"] + "[")]
    floors = {}
    for requirement in requirements:
        found = re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement)
        if found is None:
            raise ValueError(
                f"pyproject.toml: found {requirement!r}, expected a requirement like 'numpy>=2.0'"
            )
        name, version = _normalized(found[1]), found[2]
        if floors.setdefault(name, version) != version:
            raise ValueError(f"pyproject.toml: found two floors of {name}, expected one")
    return {name: each for name, each in floors.items() if name not in NOT_TESTED}


def _normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def check_agreement():
    """Raise ValueError if constraints-oldest.txt and the floors in pyproject.toml differ."""
    floors, pins = read_floors(), read_pins(OLDEST)
    for name in sorted(floors.keys() | pins.keys()):
        floor, pin = floors.get(name), pins.get(name)
        if floor != pin:
            raise ValueError(
                f"{name}: found {floor} in pyproject.toml and {pin} in {OLDEST.name}, "
                "expected the same version"
            )


def main():
    """Make the environment and run the tests in it."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0],
        epilog="What follows -- goes to pytest.",
    )
    parser.add_argument("--environment", type=Path, help="folder that is kept; default: a new one")
    parser.add_argument("pytest_arguments", nargs="*", metavar="argument", help="for pytest")
    arguments = parser.parse_args()

    check_agreement()
    with tempfile.TemporaryDirectory() as temporary:
        environment = (arguments.environment or Path(temporary) / "venv").resolve()
        python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        if not python.exists():
            venv.create(environment, with_pip=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
        # Some tests draw pictures, but only where matplotlib is installed.
        subprocess.run(
            [*pip, "--constraint", OLDEST, "--editable", f"{ROOT}[test]", "matplotlib"], check=True
        )
        tests = subprocess.run(
            [python, "-m", "pytest", *arguments.pytest_arguments], cwd=ROOT, check=False
        )
    return tests.returncode


if __name__ == "__main__":
    sys.exit(main())
