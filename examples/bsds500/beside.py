"""
The pretrained model beside SSN
===============================

What does the difference in scores look like?

Three of the first 100 test images at their own size, in 200 superpixels, by plain SLIC, by SSN
(label maps that others computed with the published network) and by the model that comes with
the library. Beside the overlays, a second picture shows what is missed: superpixels in grey, and
the annotators' edges in blue where a superpixel edge is near, in red where none is.

    python examples/bsds500/beside.py --data BSDS500 --peers peers
"""

from functools import partial
from pathlib import Path

from common import TOLERANCES, load, parse, published, read_all, score, slic_at
from overlays import draw, missed, overlay

from sksuperpixel import TrainableSLIC

IMAGES = ("100007", "101027", "103006")
NUMBER = 200


def main():
    """Segment by each method, and draw."""
    peers = {"type": Path, "help": "folder of published label maps"}
    arguments = parse(__doc__, peers=peers)
    images, truths, names = load(arguments, "test", small=False)
    chosen = [names.index(name) if name in names else i for i, name in enumerate(IMAGES)]
    images, truths, names = ([each[i] for i in chosen] for each in (images, truths, names))
    methods = {"SLIC": slic_at(images, NUMBER, arguments)}
    folders = published(arguments.peers and arguments.peers / "ssn")
    if NUMBER in folders:
        methods["SSN"] = read_all(folders[NUMBER], names)
    model = TrainableSLIC.from_pretrained("bsds500").set_params(n_segments=NUMBER)
    methods["pretrained model"] = model.transform(images)
    tolerance = TOLERANCES["native"]
    columns = {
        name: (superpixels, score(truths, superpixels, names, arguments, tolerance))
        for name, superpixels in methods.items()
    }
    results = arguments.results
    draw(overlay, images, truths, columns, results / "beside_overlays.png", (18, 12.5))
    edges = partial(missed, tolerance=tolerance)
    draw(edges, images, truths, columns, results / "beside.png", (6, 4.4))


if __name__ == "__main__":
    main()
