"""Stages beside the libraries that people would use instead: medians, ratios, JSON.

    python tests/bench/speed.py                    # every case, each side 5 times in turn
    python tests/bench/speed.py knn-64 cf --repeats 3

Every measurement is a process of its own, ours and theirs in turn; inputs are made, and
just-in-time compilers warmed up, before the clock starts. Needs the extra `bench`, and
a build with the core's feature `stages`: `maturin develop --release --features stages`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from common import DATA

from fast_select import _core


@cache
def fashion() -> np.ndarray:
    """Fashion-MNIST, (60,000, 784), float32."""
    with np.load(DATA / "fashion_mnist.npz") as data:
        return data["x"].astype(np.float32) / 255


@cache
def prepared() -> np.ndarray:
    """Its 64 principal components."""
    return _core.prepare(fashion(), _core.Params("select")).features


@cache
def neighbors() -> tuple[np.ndarray, np.ndarray]:
    """Its 32 nearest neighbours."""
    return _core.stages.knn(prepared(), 32)


@cache
def laplacian():
    """Its normalised Laplacian, CSR, float32, and the graph."""
    import scipy.sparse as sp

    indptr, indices, data = _core.stages.fuzzy_graph(prepared(), *neighbors(), [8, 16, 32])[
        "connected"
    ]
    n = len(indptr) - 1
    graph = sp.csr_matrix((data, indices, indptr), shape=(n, n))
    scale = sp.diags(1 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel()))
    return (sp.identity(n) - scale @ graph @ scale).tocsr().astype(np.float32), graph


@cache
def frequencies() -> np.ndarray:
    """2,048 frequencies in 64 dimensions."""
    return np.random.default_rng(0).normal(size=(2048, 64)).astype(np.float32) / 8


@cache
def assignment() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """5,000 rows, 5,000 columns, 32 candidates each: indptr, indices, costs, later costs."""
    rng = np.random.default_rng(0)
    n, k = 5000, 32
    x, y = rng.normal(size=(n, 8)), rng.normal(size=(n, 8))
    hidden = rng.permutation(n)
    near = np.argpartition(((x[:, None, :] - y[None]) ** 2).sum(axis=2), k, axis=1)[:, : k - 1]
    lists = [np.unique(np.r_[near[i], hidden[i]]) for i in range(n)]
    indptr = np.r_[0, np.cumsum([len(part) for part in lists])]
    indices = np.concatenate(lists)
    rows = np.repeat(np.arange(n), np.diff(indptr))

    def costs(moved: np.ndarray) -> np.ndarray:
        return ((moved[rows] - y[indices]) ** 2).sum(axis=1)

    return indptr, indices, costs(x), costs(x + 0.01 * rng.normal(size=x.shape))


LOOP = 20
"""Steps of the descent in `assignment-loop` and `gradient`."""


@cache
def loop() -> tuple[np.ndarray, ...]:
    """6,000 anchors among 60,000 rows, 32 candidates each: indptr, indices, LOOP + 1 cost vectors.

    As measured in the middle of a descent, the anchors are .3 median distances from their rows and
    go .1 from one matching to the next; in directions in which the data vary.
    """
    rng = np.random.default_rng(0)
    z, near = prepared(), neighbors()[0]
    start = rng.choice(len(z), 6000, replace=False)
    indices = np.sort(np.c_[start, near[start][:, :31]], axis=1)
    indptr = np.arange(0, indices.size + 1, indices.shape[1])
    stray, stride, spread = 0.3, 0.1, z.std(axis=0) / np.linalg.norm(z.std(axis=0))

    def draw() -> np.ndarray:
        return stray * spread * rng.normal(size=(len(start), z.shape[1]))

    # With this share kept, steps have the length `stride` and the way to the rows stays as it is.
    keep, offset, costs = 1 - stride**2 / (2 * stray**2), draw(), []
    for _ in range(LOOP + 1):
        # Anchor by anchor: all differences at once would be 100 MB.
        pairs = zip(z[start] + offset, indices, strict=True)
        costs.append(np.concatenate([((z[near] - y) ** 2).sum(axis=1) for y, near in pairs]))
        offset = keep * offset + np.sqrt(1 - keep**2) * draw()
    return indptr, indices.ravel(), *costs


def knn_faiss(x: np.ndarray) -> object:
    """Exact search in a flat index."""
    import faiss

    index = faiss.IndexFlatL2(x.shape[1])
    index.add(x)
    return index.search(x, 33)


def knn_sklearn(x: np.ndarray) -> object:
    """Brute force."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=32, algorithm="brute").fit(x).kneighbors()


def knn_pynndescent(x: np.ndarray) -> object:
    """Approximate, at its defaults."""
    from pynndescent import NNDescent

    return NNDescent(x, n_neighbors=33).neighbor_graph


def fuzzy_umap_scipy() -> object:
    """Three fuzzy sets, their union, and a minimum spanning tree."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import minimum_spanning_tree
    from umap.umap_ import fuzzy_simplicial_set

    indices, dists = neighbors()
    x, fused = prepared(), None
    for k in (8, 16, 32):
        graph = fuzzy_simplicial_set(
            x, k, np.random.RandomState(0), "euclidean",
            knn_indices=indices[:, :k].astype(np.int32), knn_dists=dists[:, :k],
        )[0]  # fmt: skip
        fused = graph if fused is None else fused + graph - fused.multiply(graph)
    n = len(x)
    near = sp.csr_matrix((dists.ravel(), indices.ravel(), np.arange(0, n * 32 + 1, 32)), (n, n))
    return fused, minimum_spanning_tree(near)


def eigsh() -> object:
    """Lanczos (ARPACK) for the 33 smallest pairs, as 2I - L's largest."""
    import scipy.sparse as sp
    from scipy.sparse.linalg import eigsh

    matrix = laplacian()[0]
    return eigsh(2 * sp.identity(matrix.shape[0], dtype=np.float32) - matrix, 33, tol=1e-4)


def own_eigenpairs() -> object:
    """Ours."""
    graph = laplacian()[1]
    return _core.stages.spectral_embedding(
        graph.indptr.astype(np.int64), graph.indices.astype(np.uint32), graph.data, 32
    )


def own_assignment(problem: tuple[np.ndarray, ...], rounds: int, n: int) -> object:
    """Ours, cold, and again after the costs have changed, `rounds` in all; n columns."""
    indptr, indices, *costs = problem
    return _core.stages.linear_sum_assignment(
        indptr.astype(np.int64), indices.astype(np.uint32), costs[:rounds], n
    )


def lapmod() -> object:
    """Jonker and Volgenant's sparse solver (lapx)."""
    import lap

    indptr, indices, costs, _ = assignment()
    return lap.lapmod(len(indptr) - 1, costs, indptr.astype(np.int32), indices.astype(np.int32))


def scipy_matching(problem: tuple[np.ndarray, ...], n: int) -> object:
    """Sparse matching (LAPJVsp), of n columns."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    indptr, indices, *costs = problem
    matrix = sp.csr_matrix((costs[-1], indices, indptr), (len(indptr) - 1, n))
    return min_weight_full_bipartite_matching(matrix)


def numpy_cf(x: np.ndarray, freqs: np.ndarray) -> object:
    """Blocks of 4,096 rows."""
    total = np.zeros(len(freqs), complex)
    for at in range(0, len(x), 4096):
        phases = x[at : at + 4096] @ freqs.T
        total += np.cos(phases).sum(axis=0) + 1j * np.sin(phases).sum(axis=0)
    return total / len(x)


def numpy_gradient(y: np.ndarray, freqs: np.ndarray) -> object:
    """Squared CF distance from 0 and its gradient."""
    phases = y @ freqs.T
    cos, sin = np.cos(phases), np.sin(phases)
    re, im = cos.mean(axis=0), sin.mean(axis=0)
    return 2 / phases.size * ((im * cos - re * sin) @ freqs)


def own_gradient(y: np.ndarray, freqs: np.ndarray, steps: int) -> object:
    """Ours, with the phase term."""
    q = len(freqs)
    return _core.stages.pd_cfd_gradient(y, freqs, [0.1] * q, [0.1] * q, [0.3] * q, steps=steps)


@cache
def first_rows(name: str) -> _core.Prepared:
    """The first 12,000 rows of a data set, prepared."""
    with np.load(DATA / f"{name}.npz") as data:
        return _core.prepare(data["x"][:12_000], _core.Params("select", threads=1))


def own_selection(name: str, ratio: float) -> object:
    """The default method on one thread, without its report."""
    params = _core.Params("select", ratio=ratio, threads=1)
    rows = first_rows(name)
    return _core.select(rows, params.rows_wanted(len(rows.features)), params)


def one_batch_pam(name: str, ratio: float) -> object:
    """k-medoids on the distances to one batch of rows, on one thread."""
    from onebatch import OneBatchPAM
    from threadpoolctl import threadpool_limits

    z = first_rows(name).features
    with threadpool_limits(1):
        return OneBatchPAM(round(ratio * len(z)), random_state=0).fit(z)


def selection(name: str, ratio: float) -> Case:
    """Both of the above."""
    other = {"onebatch": lambda: one_batch_pam(name, ratio)}
    return Case(lambda: own_selection(name, ratio), other)


@dataclass(frozen=True)
class Case:
    """One thing done by us and by others; `target`: ours over the first other's, at most."""

    ours: Callable[[], object]
    others: dict[str, Callable[[], object]]
    target: float | None = None
    minus: Callable[[], object] | None = None
    """What to subtract from ours, timed in the same process."""
    per: int = 1
    """How many things the rest is the time of."""


@cache
def points() -> np.ndarray:
    """6,000 rows of the prepared features."""
    return np.ascontiguousarray(prepared()[:6000])


@cache
def batch() -> np.ndarray:
    """256 frequencies."""
    return np.ascontiguousarray(frequencies()[:256])


CASES = {
    "knn-64": Case(
        lambda: _core.stages.knn(prepared(), 32),
        {
            "faiss": lambda: knn_faiss(prepared()),
            "pynndescent": lambda: knn_pynndescent(prepared()),
            "scikit-learn": lambda: knn_sklearn(prepared()),
        },
        0.40,
    ),
    "knn-784": Case(
        lambda: _core.stages.knn(fashion(), 32), {"faiss": lambda: knn_faiss(fashion())}, 0.85
    ),
    "fuzzy-graph": Case(
        lambda: _core.stages.fuzzy_graph(prepared(), *neighbors(), [8, 16, 32]),
        {"umap-learn + scipy": fuzzy_umap_scipy},
        0.5,
    ),
    "eigenpairs": Case(own_eigenpairs, {"scipy eigsh": eigsh}, 0.30),
    "assignment": Case(
        lambda: own_assignment(assignment(), 1, 5000),
        {"lapmod": lapmod, "scipy": lambda: scipy_matching(assignment(), 5000)},
        1.0,
    ),
    "assignment-warm": Case(
        lambda: own_assignment(assignment(), 2, 5000),
        {"lapmod": lapmod},
        0.2,
        minus=lambda: own_assignment(assignment(), 1, 5000),
    ),
    # One matching of the descent; lapmod takes square problems only.
    "assignment-loop": Case(
        lambda: own_assignment(loop(), LOOP + 1, 60_000),
        {"scipy": lambda: scipy_matching(loop(), 60_000)},
        0.2,
        minus=lambda: own_assignment(loop(), 1, 60_000),
        per=LOOP,
    ),
    "cf": Case(
        lambda: _core.stages.characteristic_function(prepared(), frequencies()),
        {"numpy": lambda: numpy_cf(prepared(), frequencies())},
        0.4,
    ),
    # A step of the descent.
    "gradient": Case(
        lambda: own_gradient(points(), batch(), LOOP + 1),
        {"numpy": lambda: numpy_gradient(points(), batch())},
        0.4,
        minus=lambda: own_gradient(points(), batch(), 1),
        per=LOOP,
    ),
    # 12,000 rows each.
    "select-fashion-1": selection("fashion_mnist", 0.01),
    "select-fashion-5": selection("fashion_mnist", 0.05),
    "select-letter-1": selection("letter", 0.01),
    "select-letter-5": selection("letter", 0.05),
}


def timed(work: Callable[[], object], many: int = 1) -> float:
    """Seconds of one of `many` runs."""
    begun = time.perf_counter()
    for _ in range(many):
        work()
    return (time.perf_counter() - begun) / many


def seconds(work: Callable[[], object]) -> float:
    """Time after a run that makes the inputs and warms up; the best of three if short."""
    work()
    first = timed(work)
    if first > 5:
        return first
    many = max(1, round(0.2 / first))
    return min(first, timed(work, many), timed(work, many))


def measure(case: str, side: str) -> float:
    """One side of a case in this process."""
    entry = CASES[case]
    if side != "ours":
        return seconds(entry.others[side])
    return (seconds(entry.ours) - (seconds(entry.minus) if entry.minus else 0.0)) / entry.per


def in_turn(case: str, repeats: int) -> dict[str, list[float]]:
    """All sides of a case, each in processes of its own, one after the other."""
    times: dict[str, list[float]] = {side: [] for side in ("ours", *CASES[case].others)}
    for _ in range(repeats):
        for side, taken in times.items():
            command = [sys.executable, __file__, "--one", case, side]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            taken.append(float(output.split()[-1]))
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write every time here")
    parser.add_argument("--one", nargs=2, metavar=("CASE", "SIDE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(measure(*options.one))
        return
    info = _core.info()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, ", end="")
    print(f"{info['instruction_set']}, fast-select {info['version']}; median of {options.repeats}")
    print(f"{'case':<16}{'ours s':>9}  {'other':<20}{'s':>9}{'ratio':>8}{'target':>8}")
    results = {}
    for case in options.cases or CASES:
        times = results[case] = in_turn(case, options.repeats)
        medians = {side: statistics.median(taken) for side, taken in times.items()}
        for side in CASES[case].others:
            ratio = medians["ours"] / medians[side]
            first = side == next(iter(CASES[case].others))
            target = f"{CASES[case].target:.2f}" if first and CASES[case].target else ""
            row = f"{case:<16}{medians['ours']:>9.4f}  {side:<20}{medians[side]:>9.4f}"
            print(f"{row}{ratio:>8.2f}{target:>8}", flush=True)
    if options.json:
        options.json.write_text(json.dumps({"machine": info, "seconds": results}, indent=1))


if __name__ == "__main__":
    main()
