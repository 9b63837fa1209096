"""Every row to its nearest pick: ours beside other exact searches, and its share of a whole run.

    python tests/bench/assigning.py            # the table of SPEED.md

Ours takes all rows; the others, which know no bounds, a share of them; their times are scaled up.
In turn, median of 3. Needs the extra `compare`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from common import DATA

import fast_select
from fast_select import _core

TRIES = 3
QUERIES = 10_000


def sets(folder: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray | None, float]]:
    """Name, rows, labels and ratio."""
    with np.load(folder / "fashion_mnist.npz") as data:
        x, y = data["x"], data["y"].astype(np.int64)
    for ratio in (0.01, 0.1):
        yield "Fashion-MNIST", x, None, ratio
        yield "Fashion-MNIST, by class", x, y, ratio
    rng = np.random.default_rng(0)
    for n, p, ratio in ((200_000, 32, 0.1), (1_000_000, 48, 0.01)):
        centres = rng.normal(size=(200, p)).astype(np.float32)
        noise = rng.normal(size=(n, p)).astype(np.float32)
        yield "200 clusters", centres[rng.integers(0, 200, n)] + 0.5 * noise, None, ratio
        yield "one Gaussian", noise, None, ratio


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def products(asked: np.ndarray, picks: np.ndarray, norms: np.ndarray) -> None:
    """The nearest of `picks` by products of numpy's, 1,000 rows at a time."""
    for at in range(0, len(asked), 1000):
        (norms - 2 * asked[at : at + 1000] @ picks.T).argmin(axis=1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--whole", action="store_true", help="a whole run of each as well")
    options = parser.parse_args()
    from sklearn.neighbors import NearestNeighbors

    print("| rows | picks | ours s | numpy s | scikit-learn s | of a whole run |")
    print("|---|---|---|---|---|---|")
    for name, x, labels, ratio in sets(options.data):
        params = _core.Params("select")
        prepared = _core.prepare(x, params)
        z, n = prepared.features, len(x)
        rows = np.sort(np.random.default_rng(1).permutation(n)[: round(n * ratio)])
        picks, norms = z[rows], (z[rows] ** 2).sum(axis=1)
        tree = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(picks)
        asked = z[np.sort(np.random.default_rng(2).permutation(n)[:QUERIES])]

        works = [partial(_core.weigh, prepared, rows, params, labels=labels)]
        if labels is None:
            works.append(partial(products, asked, picks, norms))
            works.append(partial(tree.kneighbors, asked))
        times = np.median([[seconds(work) for work in works] for _ in range(TRIES)], axis=0)
        times[1:] *= n / len(asked)
        cells = [f"{value:.2f}" for value in times] + [""] * (3 - len(times))
        share = ""
        if options.whole:
            whole = fast_select.select(x, ratio=ratio, labels=labels, weights="nearest").report
            own = next(s["wall_s"] for s in whole["stages"] if s["name"] == "weights")
            share = f"{own:.2f} of {whole['totals']['wall_s']:.1f} s"
        what = f"{name}, {n:,} x {z.shape[1]}"
        print(f"| {what} | {len(rows):,} | {' | '.join(cells)} | {share} |", flush=True)


if __name__ == "__main__":
    main()
