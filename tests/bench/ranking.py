"""Prefixes of a ranking beside selections made at their size: the table of RANKING.md.

    python tests/bench/ranking.py
    python tests/bench/ranking.py letter usps --seeds 5

CF distance and mean distance to the nearest row, as shares of random rows' of the same size.
"""

from __future__ import annotations

import argparse
import statistics

from common import DATA, load

import fast_select

SETS = ["fashion_mnist", "letter", "pendigits", "banking77_lsa"]
ROWS = 12_000
RATIO = 0.1
N_RANDOM = 20
FIGURES = {"cfd_m": "CF", "coverage_mean": "distance"}


def shares(name: str, with_labels: bool, seed: int) -> dict[tuple[float, str, str], float]:
    """By share of the picks, figure and kind (prefix, selected): over random rows'."""
    x, y, _, _ = load(DATA, name, ROWS)
    picked = fast_select.select(
        x, ratio=RATIO, labels=y if with_labels else None, rank=True, n_random=N_RANDOM, seed=seed
    )
    return {
        (entry["share"], figure, kind): entry[kind][figure] / entry["random"][figure]
        for entry in picked.report["selection"]["ranking"]
        for figure in FIGURES
        for kind in ("prefix", "selected")
        if entry[kind]
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    heads = [f"{name}, {kind}" for name in FIGURES.values() for kind in ("prefix", "selected")]
    print(f"| set | labels | first | {' | '.join(heads)} |")
    print("|---" * (3 + len(heads)) + "|")
    for name in args.sets or SETS:
        for with_labels in (False, True):
            runs = [shares(name, with_labels, seed) for seed in range(args.seeds)]
            for share in sorted({key[0] for key in runs[0]}):
                keys = [(share, f, kind) for f in FIGURES for kind in ("prefix", "selected")]
                means = [
                    f"{statistics.mean(run[key] for run in runs):.3f}" if key in runs[0] else ""
                    for key in keys
                ]
                labels = "yes" if with_labels else "no"
                print(f"| {name} | {labels} | {share:.0%} | {' | '.join(means)} |")


if __name__ == "__main__":
    main()
