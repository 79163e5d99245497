"""Run a small part of `fuzz.interruptions`, whose docstring says how to run the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("skorch")

SHARE = (
    "kills_of_save:3",
    "kills_of_fit:2",
    "kills_of_cache:2",
    "ctrl_c:3",
    "full_disk:1",
    "savers:8",
    "sharers:1",
    "forks:1",
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked")
def test_interruptions():
    # In a separate process, because forked processes inherit what this one did with torch.
    command = [sys.executable, Path(__file__).with_name("interruptions.py"), *SHARE]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(result.stdout.splitlines()) == len(SHARE)
