"""Errors and warnings begin with the number of the image they are about."""

import threading

import pytest

from sksuperpixel._images.errors import about_image, warn_about_image


@pytest.mark.parametrize("kind", [ValueError, TypeError])
def test_the_number_comes_first(kind):
    with pytest.raises(kind, match=r"^image 3: found 1, expected 2$"), about_image(3):
        raise kind("found 1, expected 2")


def test_the_outermost_number_counts():
    def nested():
        with about_image(0), about_image(1):
            pass
        with about_image(0):
            raise ValueError("found nothing")

    with pytest.raises(ValueError, match=r"^image 7: found nothing$"), about_image(7):
        nested()


def test_after_an_error_the_next_image_has_its_own_number():
    for number in range(2):
        with pytest.raises(ValueError, match=rf"^image {number}: no$"), about_image(number):
            raise ValueError("no")


def test_other_errors_keep_their_kind_and_say_which_image():
    with pytest.raises(UnicodeDecodeError) as caught, about_image(4):
        b"\xff".decode()
    assert caught.value.__notes__ == ["This happened to image 4."]
    with pytest.raises(KeyError) as caught, about_image(4):
        raise KeyError("a")
    assert caught.value.args == ("a",)
    assert caught.value.__notes__ == ["This happened to image 4."]


def test_files_that_cannot_be_read_say_which_image():
    with pytest.raises(OSError, match="no file") as caught, about_image(2):
        raise OSError("no file")
    assert caught.value.__notes__ == ["This happened to image 2."]


def test_threads_do_not_share_the_number():
    found = []

    def work():
        try:
            with about_image(1):
                raise ValueError("no")
        except ValueError as error:
            found.append(str(error))

    with about_image(0):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == ["image 1: no"]


def test_warnings():
    with pytest.warns(UserWarning, match="^found much$"):
        warn_about_image("found much")
    with about_image(2), pytest.warns(UserWarning, match="^image 2: found much$"):
        warn_about_image("found much")


def test_an_error_that_is_raised_again_is_named_once():
    kept = ValueError("boom")

    def work(index, error):
        with about_image(index):
            raise error

    for index in (1, 2):
        with pytest.raises(ValueError, match=r"^image 1: boom$"):
            work(index, kept)
    missing = OSError("no file")
    for index in (1, 2):
        with pytest.raises(OSError, match="no file"):
            work(index, missing)
    assert missing.__notes__ == ["This happened to image 1."]
