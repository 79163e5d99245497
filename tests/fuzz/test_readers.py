import sys

import pytest
from fuzz import harness, readers

# Other systems do not allow all the file names and links that the cases use.
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs the names of Linux")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return readers.prepare(tmp_path_factory.mktemp("readers"))


@pytest.mark.parametrize("first", range(0, 150, 30))
@pytest.mark.filterwarnings("ignore")  # the harness decides about warnings
def test_generated_files(shared, first):
    results = [harness.run_one(readers, 7, number, shared) for number in range(first, first + 30)]
    assert [(each.number, each.defect, each.where) for each in results if each.defect] == []
