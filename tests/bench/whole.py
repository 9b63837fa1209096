"""Selections of many blocks and of many classes, judged as a whole: a table, and JSON.

    python tests/bench/whole.py                              # every case up to 1,048,576 rows
    python tests/bench/whole.py clusters --rows 10000000
    python tests/bench/whole.py classes zipf --option method=herding
    python tests/bench/whole.py wide --before ../before/.venv/bin/python --json whole.json

Every figure is a share of a random pick's of the same size; with labels, of a random pick's that
takes as many rows of each class. "CF", "moments" and "distance" (to the nearest pick) are those of
a report, "CF at r" is the CF distance over frequencies from N(0, r² I), r in units of one over the
median distance, summed over all rows; there a random pick's is its expectation, in closed form.
`--before` selects with another build's Python as well; this one judges both.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import fast_select
from fast_select import _core

CHUNK = 16_384
"""Rows made from one random stream, so that fewer rows of a case are the first of more."""
RADII = (0.25, 0.5, 1.0, 2.0, 4.0)
N_FREQS = 256
FIGURES = ("cfd_m", "moment_1", "moment_2", "moment_3", "moment_4", "coverage_mean")
"""Of the report."""
KEYS = (*FIGURES, *(f"cfd_at_{radius:g}" for radius in RADII))
HEADS = ("CF", "moment 1", "2", "3", "4", "distance", *(f"CF at {radius:g}" for radius in RADII))


@dataclass(frozen=True)
class Mixture:
    """Gaussian clusters: centres (c, d), spreads (c,), and which rows are whose."""

    centers: np.ndarray
    spreads: np.ndarray
    members: Callable[[np.random.Generator, int, int], np.ndarray]
    """From (random stream, first row, last row + 1) to their clusters."""

    def write(self, path: Path, n: int, seed: int) -> None:
        """`n` rows as float32, chunk by chunk; their clusters beside them."""
        shape = (n, self.centers.shape[1])
        x = np.lib.format.open_memmap(path, "w+", np.float32, shape)
        clusters = np.empty(n, np.int64)
        for chunk, begin in enumerate(range(0, n, CHUNK)):
            rng = np.random.default_rng([seed, chunk])
            end = min(begin + CHUNK, n)
            # Drawn whole, so that what the last chunk holds does not depend on its end.
            at = self.members(rng, begin, begin + CHUNK)[: end - begin]
            noise = rng.standard_normal((CHUNK, shape[1]), np.float32)[: end - begin]
            x[begin:end] = self.centers[at] + self.spreads[at, None] * noise
            clusters[begin:end] = at
        x.flush()
        np.save(labels_beside(path), clusters)


def labels_beside(path: Path) -> Path:
    """Where the clusters of a file's rows are."""
    return path.with_suffix(".labels.npy")


def unequal(n_clusters: int, d: int, seed: int) -> Mixture:
    """Clusters of unequal weight (Dirichlet) and spread (.3 to 1.3), which overlap in part."""
    rng = np.random.default_rng(seed)
    centers = 2 * rng.normal(size=(n_clusters, d)).astype(np.float32)
    spreads = rng.uniform(0.3, 1.3, n_clusters).astype(np.float32)
    weights = rng.dirichlet(np.ones(n_clusters))

    def members(rng: np.random.Generator, begin: int, end: int) -> np.ndarray:
        return rng.choice(n_clusters, end - begin, p=weights)

    return Mixture(centers, spreads, members)


def classes_of(sizes: np.ndarray, spread: float, d: int, seed: int) -> Mixture:
    """Classes of given sizes and equal spread, in random order."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(len(sizes), d)).astype(np.float32)
    order = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))

    def members(_rng: np.random.Generator, begin: int, end: int) -> np.ndarray:
        return order[begin:end]

    return Mixture(centers, np.full(len(sizes), spread, np.float32), members)


def zipf_sizes(n: int, n_classes: int) -> np.ndarray:
    """Sizes in proportion to 1 over the rank, which sum to `n`."""
    shares = 1 / np.arange(1, n_classes + 1)
    sizes = np.maximum(1, np.floor(n * shares / shares.sum()).astype(int))
    sizes[: n - sizes.sum()] += 1
    return sizes


@dataclass(frozen=True)
class Case:
    """What is made, and how much of it is selected."""

    mixture: Callable[[int], Mixture]
    """By seed."""
    rows: tuple[int, ...]
    ratio: float
    labelled: bool = False


EQUAL, ZIPF = np.full(1000, 100), zipf_sizes(100_000, 3001)
CASES = {
    "clusters": Case(partial(unequal, 200, 32), (16_384, 65_536, 262_144, 1_048_576), 0.01),
    "wide": Case(partial(unequal, 200, 48), (1_000_000,), 0.01),
    "classes": Case(partial(classes_of, EQUAL, 0.5, 32), (100_000,), 0.1, labelled=True),
    # The random pick's own distance is mostly that of its quotas, one row at least a class.
    "zipf": Case(partial(classes_of, ZIPF, 0.3, 32), (100_000,), 0.1, labelled=True),
    "zipf-loose": Case(partial(classes_of, ZIPF, 0.5, 32), (100_000,), 0.1, labelled=True),
}


def median_distance(x: np.ndarray) -> float:
    """Of 10,000 pairs of rows."""
    first, second = np.random.default_rng(0).integers(0, len(x), (2, 10_000))
    distances = np.linalg.norm(x[first].astype(float) - x[second], axis=1)
    return float(np.median(distances[first != second]))


class Whole:
    """Characteristic functions of all rows, and of each class: (c, q) with c = 1 without labels."""

    def __init__(self, x: np.ndarray, labels: np.ndarray | None) -> None:
        rng = np.random.default_rng(1)
        q, d = len(RADII) * N_FREQS, x.shape[1]
        radii = np.repeat(RADII, N_FREQS)[:, None] / median_distance(x)
        self.x, self.freqs = x, (radii * rng.normal(size=(q, d))).astype(np.float32)
        self.labels = np.zeros(len(x), np.int64) if labels is None else labels
        self.sizes = np.bincount(self.labels)
        sums = np.zeros((len(self.sizes), q), np.complex128)
        for begin in range(0, len(x), CHUNK):
            self.add(sums, np.arange(begin, min(begin + CHUNK, len(x))))
        self.of_classes = sums / self.sizes[:, None]
        self.all = sums.sum(axis=0) / len(x)

    def add(self, sums: np.ndarray, rows: np.ndarray) -> None:
        """Add exp(i ω·x) of `rows` to the sums of their classes."""
        rows = rows[np.argsort(self.labels[rows], kind="stable")]
        phases = self.x[rows] @ self.freqs.T
        labels, begins = np.unique(self.labels[rows], return_index=True)
        for part, unit in ((np.cos(phases), 1), (np.sin(phases), 1j)):
            sums[labels] += unit * np.add.reduceat(part, begins, axis=0, dtype=np.float64)

    def shares(self, rows: np.ndarray) -> list[float]:
        """CF distance of a pick at each radius, over a random pick's expectation."""
        sums = np.zeros((len(self.sizes), len(self.freqs)), np.complex128)
        for part in np.array_split(rows, -(-len(rows) // CHUNK)):
            self.add(sums, part)
        own = np.abs(sums.sum(axis=0) / len(rows) - self.all) ** 2
        drawn = self.expected(np.bincount(self.labels[rows], minlength=len(self.sizes)))
        return list(
            own.reshape(len(RADII), N_FREQS).sum(axis=1)
            / drawn.reshape(len(RADII), N_FREQS).sum(axis=1)
        )

    def expected(self, quotas: np.ndarray) -> np.ndarray:
        """E |φ_S - φ_X|² of a pick of `quotas` rows of each class, without replacement: (q,)."""
        shares = quotas[:, None] / quotas.sum()
        bias = np.abs((shares * self.of_classes).sum(axis=0) - self.all) ** 2
        # Of no consequence where nothing, or all, of a class is taken.
        left = (self.sizes - quotas) / (np.maximum(quotas, 1) * np.maximum(self.sizes - 1, 1))
        variances = (1 - np.abs(self.of_classes) ** 2) * left[:, None]
        return bias + (shares**2 * variances).sum(axis=0)


def one(path: Path, labelled: bool, out: Path, options: dict[str, Any]) -> dict[str, float]:
    """Select, write the rows to `out`, and return the seconds of all and of each stage."""
    x = np.load(path, mmap_mode="r")
    labels = np.load(labels_beside(path)) if labelled else None
    selection = fast_select.select(x, labels=labels, n_random=0, **options)
    np.save(out, selection.indices)
    seconds = {stage["name"]: stage["wall_s"] for stage in selection.report["stages"]}
    return {"all": selection.report["totals"]["wall_s"], **seconds}


def selected(
    python: str, path: Path, labelled: bool, options: dict[str, Any]
) -> tuple[np.ndarray, dict[str, float]]:
    """Rows and seconds of `one`, in a process of another Python."""
    out = path.with_suffix(".rows.npy")
    words = [str(path), str(int(labelled)), str(out), json.dumps(options)]
    command = [python, __file__, "--one", *words]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return np.load(out), json.loads(output)


class Judge:
    """What a selection of a file's rows comes to."""

    def __init__(self, path: Path, labelled: bool, n_random: int) -> None:
        x = np.load(path, mmap_mode="r")
        self.labels = np.load(labels_beside(path)) if labelled else None
        self.params = _core.Params("evaluate", n_random=n_random)
        self.prepared = _core.prepare(x, self.params)
        self.whole = Whole(x, self.labels)

    def figures(self, rows: np.ndarray) -> list[float]:
        """One for each of KEYS."""
        quality = _core.evaluate(self.prepared, rows, self.params, labels=self.labels)
        own, drawn = quality["selection"], quality["stratified"] or quality["random"]
        shares = [own[name] / drawn[name]["mean"] for name in FIGURES]
        return [*shares, *self.whole.shares(rows)]


def option(text: str) -> tuple[str, Any]:
    """`name=value`, the value a number if it can be read as one."""
    name, value = text.split("=", 1)
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def main() -> None:
    """Make, select, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--rows", type=int, nargs="+", help="of clusters and wide")
    parser.add_argument("--ratio", type=float, help="in place of the case's")
    parser.add_argument("--seeds", type=int, default=1, help="data sets and selections of a case")
    parser.add_argument("--n-random", type=int, default=20, help="random picks to compare with")
    parser.add_argument("--option", type=option, action="append", default=[], help="name=value")
    parser.add_argument("--before", metavar="PYTHON", help="an interpreter with another build")
    parser.add_argument("--folder", type=Path, help="keep the files here, and use those there")
    parser.add_argument("--json", type=Path, help="write every figure here")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        path, labelled, out, asked = options.one
        print(json.dumps(one(Path(path), labelled == "1", Path(out), json.loads(asked))))
        return
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no case {', '.join(unknown)}")
    pythons = {"before": options.before, "now": sys.executable}
    print("| case | rows | picks | seed | build | " + " | ".join(HEADS) + " | s |")
    print("|---" * (6 + len(HEADS)) + "|")
    runs = []
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for case_name in options.cases or CASES:
            case = CASES[case_name]
            sizes = case.rows if case.labelled else options.rows or case.rows
            for n, seed in ((n, seed) for n in sizes for seed in range(options.seeds)):
                path = folder / f"{case_name}-{n}-{seed}.npy"
                if not labels_beside(path).exists():
                    case.mixture(seed).write(path, n, seed)
                asked = {"ratio": options.ratio or case.ratio, "seed": seed, **dict(options.option)}
                judge = Judge(path, case.labelled, options.n_random)
                for build, python in pythons.items():
                    if python is None:
                        continue
                    rows, seconds = selected(python, path, case.labelled, asked)
                    figures = judge.figures(rows)
                    run = {"case": case_name, "rows": n, "picks": len(rows), "seed": seed}
                    run |= {"build": build, "options": asked, "seconds": seconds}
                    runs.append(run | {"figures": dict(zip(KEYS, figures, strict=True))})
                    cells = " | ".join(f"{figure:.3f}" for figure in figures)
                    first = f"| {case_name} | {n:,} | {len(rows):,} | {seed} | {build}"
                    print(f"{first} | {cells} | {seconds['all']:.2f} |", flush=True)
                    if options.json:
                        options.json.write_text(json.dumps(runs, indent=1))
                if options.folder is None:
                    path.unlink()


if __name__ == "__main__":
    main()
