import sys

import pytest
from fuzz import load

from sksuperpixel import SLIC

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_threads_share_an_estimator():
    assert load.share_an_estimator(SLIC(8), n_threads=4, n_times=6) == 24


def test_streamed_images_take_no_memory():
    load.stream(n_images=600)


def test_a_transform_has_the_threads_it_was_given():
    image = load.Stream(1)[0]
    counts = load.threads_of_transform(SLIC(8).fit([image]), image, jobs=(1, 2, 10**6))
    assert counts[1] < 2 <= counts[2] <= 3
