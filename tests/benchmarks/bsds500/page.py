"""
The page of results
===================

This script fills the tables that the other scripts of this folder have written into the text of
page.md, writes the page to docs/bsds500.md, and copies the tables and plots beside it. It does not
copy pictures that show photographs of BSDS500, because these may not be redistributed. The default
folders are relative to the root of the repository.

    python tests/benchmarks/bsds500/page.py
"""

import argparse
import shutil
from pathlib import Path
from string import Template

import pandas as pd

PLOTS = (
    "mining",
    "images",
    "images_compactness",
    "compactness",
    "missed",
    "native",
    "beside",
    "weights",
)
COLUMNS = {"IoU": 3, "Rec": 3, "MDE": 3, "UE": 4, "CO": 3}
NATIVE = {"K": 0, "Rec": 3, "MDE": 3, "UE": 4, "ASA": 4, "IoU": 3, "CO": 3}
OTHERS = {"UE": 4, "ASA": 4, "Rec": 4, "MDE": 3, "CO": 3, "K": 0}
PEOPLE = {
    "boundary_recall": "Rec",
    "mean_distance_to_edge": "MDE",
    "undersegmentation_error": "UE",
    "achievable_segmentation_accuracy": "ASA",
    "compactness": "CO",
}


def markdown(table, first="method"):
    """Lay out a table of strings in Markdown."""
    lines = [[first, *table.columns], ["---"] * (1 + len(table.columns))]
    lines += [[str(name), *row] for name, row in zip(table.index, table.values, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def rounded(table, digits):
    """Format columns of a table with a given number of decimals each."""
    return pd.DataFrame(
        {name: [f"{value:.{n}f}" for value in table[name]] for name, n in digits.items()},
        index=table.index,
    )


def scores(table):
    """Lay out Table I: our scores with standard errors, and the paper's in brackets."""
    cells = {}
    for name, digits in COLUMNS.items():
        cells[name] = [
            f"{row[name]:.{digits}f} ± {row[f'{name} se']:.{digits}f} ({row[f'paper {name}']:.3f})"
            for _, row in table.iterrows()
        ]
    cells["K"] = [f"{value:.0f}" for value in table["K"]]
    cells["images improved"] = [
        "" if name == "SLIC" else f"{100 * value:.0f} %"
        for name, value in table["improved"].items()
    ]
    return markdown(pd.DataFrame(cells, index=table.index))


def gains(table):
    """Lay out what each method gains over SLIC, with the paper's gain in brackets."""
    slic, rows = table.loc["SLIC"], {}
    for name, row in table.iloc[1:].iterrows():
        rows[name] = {}
        for column in ("IoU", "Rec"):
            ours, paper = (row[k] - slic[k] for k in (column, f"paper {column}"))
            rows[name][column] = f"{ours:+.4f} ({paper:+.3f})"
        for column in ("MDE", "UE"):
            ours, paper = (100 * (row[k] / slic[k] - 1) for k in (column, f"paper {column}"))
            rows[name][column] = f"{ours:+.1f} % ({paper:+.1f} %)"
        ours, paper = (row[k] - slic[k] for k in ("CO", "paper CO"))
        rows[name]["CO"] = f"{ours:+.3f} ({paper:+.3f})"
    return markdown(pd.DataFrame(rows).T)


def losses(table):
    """Lay out Table II: our losses, and the paper's in brackets."""
    cells = {
        name: [f"{row[name]:.3f} ({row[f'paper {name}']:.3f})" for _, row in table.iterrows()]
        for name in ("scattering", "ENet")
    }
    return markdown(pd.DataFrame(cells, index=table.index), "network: what it is taught")


def per_image(table):
    """Lay out the shares of images on which each score is better than SLIC's."""
    cells = {
        name: [f"{100 * value:.0f} %" for value in table[f"{name} better"]]
        for name in ("IoU", "Rec", "MDE", "UE")
    }
    return markdown(pd.DataFrame(cells, index=table.index))


def without_colour(table):
    """Lay out scores in colour and in grey."""
    names = [
        f"{method}, {kind}" for kind, method in zip(table["images"], table.index, strict=True)
    ]
    return markdown(rounded(table.set_axis(names), COLUMNS))


def at_all_numbers(table):
    """Lay out UE and ASA of the best methods at each number of superpixels asked for."""
    cells = {}
    for name in ("SEAL-ERS", "SSN", "pretrained (ours)"):
        rows = table.loc[name].set_index("asked")
        cells[name] = {
            f"{number}": f"{row['UE']:.4f} / {row['ASA']:.4f}" for number, row in rows.iterrows()
        }
    return markdown(pd.DataFrame(cells).T)


def at_all_sizes(table):
    """Lay out scores of plain SLIC and the pretrained model by size."""
    rows = {}
    for (size, way), part in table.reset_index().groupby(["size", "by"], sort=False):
        plain, model = (part[part["method"] == name].iloc[0] for name in ("SLIC", "pretrained"))
        rows[f"{size}, by {way}"] = {
            "K": f"{plain['K']:.0f}, {model['K']:.0f}",
            "UE": f"{plain['UE']:.4f}, {model['UE']:.4f}",
            "Rec": f"{plain['Rec']:.3f}, {model['Rec']:.3f}",
            "CO": f"{plain['CO']:.3f}, {model['CO']:.3f}",
        }
    return markdown(pd.DataFrame(rows).T, "size (SLIC, pretrained)")


def other_images(table):
    """Lay out scores on images of other kinds."""
    names = [
        f"{kind}: {method}" for kind, method in zip(table.index, table["method"], strict=True)
    ]
    return markdown(rounded(table.set_axis(names), OTHERS), "images and method")


def other_domains(table):
    """Lay out UE on images of other kinds as a fraction of SLIC's, and the means."""
    ratios = table.set_index("method", append=True)["to SLIC"].unstack()
    ratios = ratios[list(dict.fromkeys(table["method"]))].drop(columns="SLIC")
    ratios.loc["mean"] = ratios.mean()
    ratios.index = ratios.index.str.replace("_", " ")
    slic = table.loc[table["method"] == "SLIC", "UE"]
    cells = {"UE of SLIC": [f"{value:.4f}" for value in slic.sort_index()] + [""]}
    cells |= {name: [f"{value:.3f}" for value in ratios[name]] for name in ratios}
    return markdown(pd.DataFrame(cells, index=ratios.index), "images")


def agreement(table):
    """Lay out the shares of the edges found, by how many annotators drew them."""
    cells = {name: [f"{100 * value:.1f} %" for value in table[name]] for name in table}
    return markdown(pd.DataFrame(cells, index=table.index), "drawn by")


def main():
    """Write the page, and copy its tables and plots."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("bsds500_results"))
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    beside = arguments.docs / "bsds500"
    beside.mkdir(parents=True, exist_ok=True)
    tables = {}
    for path in sorted(arguments.results.glob("*.csv")):
        tables[path.stem] = pd.read_csv(path).pipe(lambda t: t.set_index(t.columns[0]))
        shutil.copy(path, beside)
    for name in PLOTS:
        shutil.copy(arguments.results / f"{name}.png", beside)
    native = tables["native"]
    text = Template(Path(__file__).with_name("page.md").read_text()).substitute(
        table1=scores(tables["table1"]),
        gains=gains(tables["table1"]),
        table2=losses(tables["table2"]),
        mining=markdown(rounded(tables["mining"], COLUMNS)),
        images=per_image(tables["images"]),
        grey=without_colour(tables["grey"].reset_index().set_index("method")),
        native=markdown(rounded(native[native["K"].between(500, 660)], NATIVE)),
        numbers=at_all_numbers(native),
        ablation=markdown(
            rounded(tables["ablation"], {**NATIVE, "parameter": 2, "seconds": 2}), "what is used"
        ),
        agreement=agreement(tables["agreement"]),
        people=markdown(
            rounded(
                tables["people"].rename(columns=PEOPLE), {k: NATIVE[k] for k in PEOPLE.values()}
            ),
            "superpixels",
        ),
        scales=at_all_sizes(tables["scales"]),
        others=other_images(tables["others"]),
        domains=other_domains(tables["domains"]),
    )
    path = arguments.docs / "bsds500.md"
    path.write_text(text)
    print(f"Wrote {path}")


if __name__ == "__main__":
    main()
