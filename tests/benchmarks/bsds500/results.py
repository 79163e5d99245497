"""Command-line arguments, cached results and tables, shared by the scripts of this folder.

Whatever takes long (fitting a model, scoring a method) is cached in a file whose name is a hash
of everything that the result depends on. A script that was stopped goes on where it left off, and
running it again takes seconds.
"""

import argparse
import hashlib
import json
from functools import lru_cache
from pathlib import Path
from time import perf_counter

import pandas as pd
from joblib import Memory

import sksuperpixel
from sksuperpixel._files.writing import write_atomically

# Part of the key of every cached result. The key holds a method's settings but not the code that
# interprets them, so increase this number when a change of the library or of the modules shared
# by these scripts changes results.
VERSION = 3

# Identifies the pretrained model in the keys of cached results.
MODEL_HASH = hashlib.sha256(
    (Path(sksuperpixel.__file__).parent / "models" / "bsds500.safetensors").read_bytes()
).hexdigest()

# The option of the scripts that compare with label maps of published methods.
PEERS = {"type": Path, "help": "folder of published label maps (METHOD/K<number>/IMAGE.png)"}


def parse(description, **options):
    """Read the arguments that all scripts share, and those that `options` adds.

    With ``--limit``, results go to a folder of their own, so that results of a few images never
    mix with those of all.
    """
    parser = argparse.ArgumentParser(description=description.strip().splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of BSDS500")
    parser.add_argument("--results", type=Path, default=Path("bsds500_results"))
    parser.add_argument(
        "--limit",
        type=int,
        help="maximum number of images per subset; the results go to the folder RESULTS_LIMIT",
    )
    parser.add_argument("--n-jobs", type=int, default=2)
    for name, settings in options.items():
        parser.add_argument(f"--{name}", **settings)
    arguments = parser.parse_args()
    # What a script passes on when it runs another script.
    arguments.shared = ["--data", arguments.data, "--results", arguments.results]
    arguments.shared += ["--n-jobs", str(arguments.n_jobs)]
    if arguments.limit is not None:
        arguments.shared += ["--limit", str(arguments.limit)]
        name = f"{arguments.results.name}_{arguments.limit}"
        arguments.results = arguments.results.with_name(name)
    arguments.cache = arguments.results / "cache"
    arguments.cache.mkdir(parents=True, exist_ok=True)
    return arguments


def key_of(**parts):
    """Hash everything that a result depends on."""
    text = json.dumps({"version": VERSION, **parts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def cached(folder, name, parts, compute):
    """Read a table of results from the cache, or compute and cache it."""
    path = folder / f"{name}-{key_of(**parts)}.csv"
    if not path.exists():
        start = perf_counter()
        table = compute()
        write_atomically(path, table.to_csv(index=False).encode())
        print(f"  {name}: {perf_counter() - start:.0f} s", flush=True)
    return pd.read_csv(path)


@lru_cache
def memory(folder):
    """Return the joblib memory that caches return values of functions in a folder."""
    return Memory(folder, verbose=0)


def mean_scores(tables):
    """Average the scores of each method over the images, one row per method."""
    rows = {name: table.drop(columns="image").mean() for name, table in tables.items()}
    return pd.DataFrame(rows).T


def print_and_save(table, path, index_label="method"):
    """Print a table and write it to a CSV file."""
    print(table.round(4).to_string(), flush=True)
    table.to_csv(path, index_label=index_label)
