"""
The pretrained model beside SSN
===============================

What does the difference in scores look like?

This script cuts three of the first 100 test images, at their own size, into 200 superpixels: with
plain SLIC, with SSN (label maps that others computed with the published network) and with the
pretrained model. One picture shows the superpixels drawn into the photographs. A second picture
shows what is missed: superpixel edges are grey, and the annotators' edges are blue where a
superpixel edge is near and red where none is.

    python tests/benchmarks/bsds500/beside.py --data BSDS500 --peers peers
"""

from functools import partial

from data import load, published_folders, read_label_maps, take
from evaluation import TOLERANCES, score
from methods import slic_superpixels
from overlays import draw, draw_found_edges, draw_superpixels, indices_of
from results import PEERS, parse

from sksuperpixel import TrainableSLIC

IMAGES = ("100007", "101027", "103006")
N_SEGMENTS = 200


def main():
    """Segment the images with each method, and draw both pictures."""
    arguments = parse(__doc__, peers=PEERS)
    test = load(arguments, "test", small=False)
    images, truths, names = take(test, indices_of(IMAGES, test[2]))
    methods = {"SLIC": slic_superpixels(images, N_SEGMENTS, arguments.n_jobs)}
    folders = published_folders(arguments.peers, "ssn")
    if N_SEGMENTS in folders:
        methods["SSN"] = read_label_maps(folders[N_SEGMENTS], names)
    model = TrainableSLIC.from_pretrained("bsds500").set_params(n_segments=N_SEGMENTS)
    methods["pretrained model"] = model.transform(images)
    tolerance = TOLERANCES["native"]
    columns = {
        name: (superpixels, score(truths, superpixels, names, arguments, tolerance))
        for name, superpixels in methods.items()
    }
    results = arguments.results
    draw(draw_superpixels, images, truths, columns, results / "beside_overlays.png", (18, 12.5))
    draw_edges = partial(draw_found_edges, tolerance=tolerance)
    draw(draw_edges, images, truths, columns, results / "beside.png", (6, 4.4))


if __name__ == "__main__":
    main()
