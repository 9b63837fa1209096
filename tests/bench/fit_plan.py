"""The cost constants of select/stage_costs.rs in the core, fitted to what stages take: two tables.

    python tests/bench/fit_plan.py            # ten minutes at most
    python tests/bench/fit_plan.py --quick    # two, on a quarter of the rows
    python tests/bench/fit_plan.py --threads 1

Prints each constant as it stands there and as fitted, then for each stage the planned seconds over
the measured ones with either. Writes no file. Seconds of a stage are the least of several runs, and
the machine's rate is the best that was measured, as other processes only ever slow both down; a
machine that is never quiet still makes all constants too large. With one thread the processor's
seconds are taken, which waiting does not lengthen; stages that run on one thread in any case then
cost less than with more, as they leave no other idle.

The formulas are those of that file as rows of regressors: what is known, and what each constant is
multiplied by. The script stops where they give another figure than `_core.plan`. Constants of a
stage are fitted by non-negative least squares of planned minus measured over the root of both, so
that half and twice count the same.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from math import ceil, log2
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA
from scaling import DIMS, clusters
from scipy.optimize import nnls

import fast_select
from fast_select import _core

PLAN = Path(__file__).resolve().parents[2] / "rust" / "core" / "src" / "select" / "stage_costs.rs"

# Sizes that the formulas of stage_costs.rs take from the core.
N_DIMS, OVERSAMPLES, PASSES = 64, 16, 3
BLOCK_PICKS, SHORT = 64, 0.25
NEIGHBORS_PER_ROW, MIN_NEIGHBORS, COVERING_PER_PICK = 2.5, 32, 50
FEW_BLOCKS, PICKS_PER_FREQUENCY, MIN_LIBRARY, MAX_LIBRARY = 12, 5, 1024, 2048
MAX_ITER = 20
CELL_PICKS, CELL_ROWS = 2, 512
COVERAGE_ROWS, N_FREQS, TOGETHER, N_BY_BLOCKS = 2048, 1280, 64, 20

LEAST_SECONDS = 0.005
"""Shorter stages are left out: nobody waits for them, and the clock and threads rule them."""
ROUNDS = 20
"""Of the fit, as its weights depend on what it plans."""
MADE, MADE_WIDE, MADE_WIDER = "made", "made 64", "made 768"
"""Names of the rows that `clusters` makes; not for graphs, which they would fall apart in."""
MADE_COLUMNS = {MADE: DIMS, MADE_WIDE: 64, MADE_WIDER: 768}


@dataclass(frozen=True)
class Case:
    """What to select from, and how."""

    data: str
    rows: int
    ratio: float
    labels: bool = False
    options: dict[str, Any] = field(default_factory=dict)


def paper(data: str, rows: int, ratio: float, labels: bool = False, **options: Any) -> Case:
    """A run of the paper's stages, with few draws to judge by."""
    return Case(data, rows, ratio, labels, {"method": "paper", "n_random": 2, **options})


def rival(data: str, rows: int, ratio: float, method: str, labels: bool = False) -> Case:
    """A run of a rival."""
    return Case(data, rows, ratio, labels, {"method": method, "n_random": 2})


def alone(data: str, rows: int, ratio: float, labels: bool = False, **options: Any) -> Case:
    """A run that is not judged."""
    return Case(data, rows, ratio, labels, {"n_random": 0, **options})


CASES = (
    alone("letter", 4_000, 0.01),
    Case("letter", 16_000, 0.01),
    Case("letter", 16_000, 0.3),
    Case("letter", 16_000, 0.1, labels=True, options={"n_random": 100}),
    Case("fashion_mnist", 6_000, 0.1),
    Case("fashion_mnist", 12_000, 0.02),
    Case("fashion_mnist", 12_000, 0.3, options={"max_sweeps": 1}),
    Case("fashion_mnist", 60_000, 0.1, labels=True),
    Case("fashion_mnist", 60_000, 0.01, options={"n_random": 100}),
    Case("covtype20k", 16_000, 0.05, labels=True),
    alone(MADE, 50_000, 0.01),
    Case(MADE, 50_000, 0.3),
    Case(MADE, 200_000, 0.01, labels=True),
    Case(MADE_WIDE, 300_000, 0.01),
    Case(MADE_WIDE, 300_000, 0.05),
    alone(MADE_WIDE, 300_000, 0.001),
    alone(MADE_WIDER, 40_000, 0.02),
    alone("letter", 16_000, 0.1, rank=True, weights="nearest"),
    alone("fashion_mnist", 12_000, 0.05, rank=True, weights="nearest"),
    alone("fashion_mnist", 60_000, 0.1, labels=True, rank=True, weights="nearest"),
    alone("covtype20k", 16_000, 0.3, labels=True, rank=True, weights="nearest"),
    alone(MADE, 100_000, 0.1, rank=True, weights="nearest"),
    alone(MADE_WIDE, 200_000, 0.01, rank=True, weights="nearest"),
    paper("letter", 8_000, 0.05),
    paper("letter", 16_000, 0.02, batch_size=64),
    paper("letter", 16_000, 0.1, batch_size=1024, n_freqs=4096),
    paper("letter", 16_000, 0.1, labels=True, n_neighbors=16),
    paper("letter", 16_000, 0.05, space="joint"),
    paper("fashion_mnist", 10_000, 0.1),
    paper("fashion_mnist", 20_000, 0.02, n_neighbors=64),
    paper("fashion_mnist", 40_000, 0.05, labels=True, batch_size=1024),
    paper("fashion_mnist", 20_000, 0.05, space="joint", n_components=16),
    paper("fashion_mnist", 20_000, 0.02, labels=True, space="joint", n_freqs=512),
    paper("banking77_lsa", 10_000, 0.1, batch_size=64),
    paper("letter", 16_000, 0.05, space="spectral", n_components=64),
    rival("letter", 16_000, 0.05, "k-center"),
    rival("letter", 16_000, 0.1, "k-means"),
    rival("letter", 16_000, 0.1, "herding", labels=True),
    rival("fashion_mnist", 30_000, 0.02, "k-center"),
    rival("fashion_mnist", 30_000, 0.05, "k-means", labels=True),
    rival("fashion_mnist", 16_000, 0.05, "herding"),
)


@dataclass
class Run:
    """What a case turned out to be: columns, groups, options, seconds of each stage."""

    d: int
    groups: list[tuple[int, int]]
    values: dict[str, Any]
    seconds: dict[str, float]

    @property
    def n(self) -> int:
        """Rows."""
        return sum(rows for rows, _ in self.groups)

    @property
    def m(self) -> int:
        """Picks."""
        return sum(quota for _, quota in self.groups)

    @property
    def p(self) -> int:
        """Columns kept."""
        return min(self.d, N_DIMS)

    @property
    def p_u(self) -> int:
        """Columns of the matching space."""
        c = self.values["n_components"]
        return {"features": self.p, "joint": self.p + c, "spectral": c}[self.values["space"]]


Terms = tuple[float, dict[str, float]]
"""Multiply-adds that are known, and those of one unit of each constant."""


def prepare(run: Run, known: dict[str, float]) -> Terms:
    """Reading, hashes, Z, and the passes of the principal components."""
    is_reduced = run.d > run.p
    passes = 2 * PASSES - 1 if is_reduced else 0
    entries, width = run.n * run.d, run.p + OVERSAMPLES if is_reduced else run.p
    fixed = entries * passes * (run.p + OVERSAMPLES) + run.n * known["HASH_COST"]
    return fixed, {"READ_COST": entries * (1 + (passes + 1) / 2), "ENTRY_COST": run.n * width}


def neighbors(run: Run, _: dict[str, float]) -> Terms:
    """Half of all pairs, and what a neighbour takes."""
    squares = sum(rows**2 for rows, _ in run.groups)
    near = run.n * run.values["n_neighbors"]
    return 0.5 * squares * run.p, {"SCAN_COST": squares, "NEAREST_COST": near}


def graph(run: Run, _: dict[str, float]) -> Terms:
    """Neighbours."""
    return 0.0, {"NEIGHBOR_COST": run.n * run.values["n_neighbors"]}


def spectral(run: Run, _: dict[str, float]) -> Terms:
    """Neighbours and components."""
    values = run.values
    return 0.0, {"SPECTRAL_COST": run.n * values["n_neighbors"] * values["n_components"]}


def frequencies(run: Run, known: dict[str, float]) -> Terms:
    """Phases of all rows, and the libraries."""
    phases = run.n * run.values["n_freqs"] * (run.p_u + known["SINCOS_COST"])
    return 0.0, {"PHASE_PASSES": phases, "LIBRARY_COST": len(run.groups)}


def optimize(run: Run, _: dict[str, float]) -> Terms:
    """Steps: their own cost, frequencies of the anchors, and the anchors themselves."""
    steps, phases = run.values["max_steps"], run.m * run.values["batch_size"]
    return steps * phases * 2 * run.p_u, {
        "STEP_COST": steps * len(run.groups),
        "ANCHOR_FREQUENCY_COST": steps * phases,
        "ANCHOR_COST": steps * run.m,
        "ANCHOR_COLUMN_COST": steps * run.m * run.p_u,
    }


def decode(run: Run, _: dict[str, float]) -> Terms:
    """Distances from anchors to rows, and the last matching."""
    products = run.n * run.m / len(run.groups) * run.p_u
    return 0.0, {"DECODE_PRODUCTS": products, "DECODE_COST": run.m}


def block_count(rows: int, quota: int, block_rows: int) -> int:
    """Blocks into which the exchange cuts a group."""
    return min(ceil(rows / block_rows), max(quota // BLOCK_PICKS, 1))


def block_sizes(rows: int, quota: int, block_rows: int) -> tuple[int, int, int]:
    """Rows and picks of a block of a group, and how many blocks there are."""
    count = block_count(rows, quota, block_rows)
    picks = ceil(quota / count)
    return min(ceil(rows / count), max(block_rows, 2 * picks)), picks, count


def cut_rows(run: Run) -> float:
    """How often rows are cut in two until they are in blocks, summed over rows."""
    block_rows = run.values["block_rows"]
    return sum(rows * log2(block_count(rows, quota, block_rows)) for rows, quota in run.groups)


def exchange(run: Run, known: dict[str, float]) -> Terms:
    """Pairs and lists of all blocks, kernels with their picks, swaps, and features of the whole."""
    rounds = 1 + SHORT * max(run.values["max_sweeps"] - 1, 0)
    block_rows = run.values["block_rows"]
    pairs = lists = kernels = 0.0
    n_blocks = n_rows = 0
    fixed = known["CUT_COST"] * cut_rows(run) * run.p
    for rows, quota in run.groups:
        if not 0 < quota < rows:
            continue
        size, picks, count = block_sizes(rows, quota, block_rows)
        covering = min(size, COVERING_PER_PICK * picks)
        k = min(max(ceil(NEIGHBORS_PER_ROW * covering / picks), MIN_NEIGHBORS), size)
        pairs += count * 0.5 * size**2
        lists += count * size * k
        kernels += count * size * picks
        n_blocks += count
        n_rows += count * size
    fixed += (pairs + rounds * kernels) * run.p
    terms = {
        "PAIR_COST": pairs,
        "LIST_COST": lists,
        "KERNEL_COST": rounds * kernels,
        "SWAP_COST": kernels,
        "EXCHANGE_COST": n_blocks,
        "FEATURE_COST": 0.0,
    }
    if n_blocks > FEW_BLOCKS:
        picks = sum(quota for _, quota in run.groups)
        freqs = min(max(picks // PICKS_PER_FREQUENCY, MIN_LIBRARY), MAX_LIBRARY)
        features = n_rows * freqs * (1 + rounds)
        fixed += features * run.p
        terms["FEATURE_COST"] = features
    return fixed, terms


def baseline(run: Run, _: dict[str, float]) -> Terms:
    """Rows against picks, and for some rivals products as well."""
    by_picks = run.p * sum(rows * quota for rows, quota in run.groups)
    by_rows = run.p * sum(rows**2 for rows, _ in run.groups)
    products = {"k-center": 0, "k-means": (1 + MAX_ITER) * by_picks, "herding": 2 * by_rows}
    return products[run.values["method"]], {"RIVAL_COST": by_picks}


def quality(run: Run, _: dict[str, float]) -> Terms:
    """Phases of all rows, distances to sampled rows, and those of every selection."""
    n_random = run.values["n_random"]
    blocks = [block_count(*group, run.values["block_rows"]) for group in run.groups]
    by_blocks = min(N_BY_BLOCKS, n_random) if max(blocks) > 1 else 0
    selections = 1 + (2 if len(run.groups) > 1 else 1) * n_random
    judged = selections + by_blocks + (run.values["weights"] != "none")
    phases = run.n * N_FREQS * ceil(judged / TOGETHER)
    cells = max(run.m // CELL_PICKS, ceil(run.n / CELL_ROWS), 1)
    cuts = run.n * log2(cells) + (cut_rows(run) if by_blocks else 0.0)
    sampled = min(COVERAGE_ROWS, run.n)
    pairs = sampled * selections * run.m
    return phases * run.p, {
        "PHASE_COST": phases,
        "CUT_COST": cuts * run.p,
        "COVERAGE_PRODUCTS": sampled * run.n * run.p,
        "COVERAGE_COST": pairs,
        "COVERAGE_COLUMN_COST": pairs * run.p,
    }


def rank(run: Run, _: dict[str, float]) -> Terms:
    """Rows of the blocks beside their picks; of runs that are not judged."""
    pairs = 0.0
    for rows, quota in run.groups:
        if 0 < quota < rows:
            size, picks, count = block_sizes(rows, quota, run.values["block_rows"])
            pairs += count * size * picks
    return 0.0, {
        "RANK_PRODUCTS": pairs * run.p,
        "RANK_COST": pairs,
        "RANKED_ROW_COST": run.n,
    }


def weights(run: Run, _: dict[str, float]) -> Terms:
    """Rows beside the picks of their class."""
    pairs = sum(rows * quota for rows, quota in run.groups)
    return 0.0, {
        "NEAREST_PRODUCTS": pairs * run.p,
        "NEAREST_PICK_COST": pairs,
    }


FORMULAS: dict[str, Callable[[Run, dict[str, float]], Terms]] = {
    "prepare": prepare,
    "neighbors": neighbors,
    "graph": graph,
    "spectral": spectral,
    "frequencies": frequencies,
    "optimize": optimize,
    "decode": decode,
    "exchange": exchange,
    "baseline": baseline,
    "quality": quality,
    "rank": rank,
    "weights": weights,
}


def multiply_adds(stage: str, run: Run, constants: dict[str, float]) -> float:
    """What `constants` make of a stage."""
    fixed, terms = FORMULAS[stage](run, constants)
    return fixed + sum(constants[name] * unit for name, unit in terms.items())


@cache
def whole(data: str) -> tuple[np.ndarray, np.ndarray]:
    """A real data set, its rows shuffled."""
    with np.load(DATA / f"{data}.npz") as file:
        order = np.random.default_rng(0).permutation(len(file["x"]))
        return file["x"][order], file["y"][order]


def rows_of(case: Case, n: int) -> tuple[np.ndarray, np.ndarray]:
    """`n` rows of the case's data set."""
    if case.data in MADE_COLUMNS:
        return clusters(n, MADE_COLUMNS[case.data])
    x, y = whole(case.data)
    return x[:n], y[:n]


def measured(case: Case, n: int, threads: int) -> Run:
    """Select, and look at what the report says it took."""
    x, y = rows_of(case, n)
    labels = y if case.labels else None
    asked = {"ratio": case.ratio, "threads": threads, **case.options}
    report = fast_select.select(x, labels=labels, **asked).report
    found = report["selection"]["groups"]
    seconds: dict[str, float] = {}
    for stage in report["stages"]:
        taken = stage["cpu_s" if threads == 1 else "wall_s"]
        seconds[stage["name"]] = seconds.get(stage["name"], 0.0) + taken
    run = Run(
        d=x.shape[1],
        groups=[(group["n_rows"], group["quota"]) for group in found],
        values=report["options"],
        seconds=seconds,
    )
    check_formulas(run, _core.Params("plan", **asked))
    return run


def check_formulas(run: Run, params: _core.Params) -> None:
    """Stop where the formulas here are not those of stage_costs.rs."""
    sizes = [rows for rows, _ in run.groups]
    constants = written()
    for stage in _core.plan(run.d, sizes, run.m, params):
        own = multiply_adds(stage["name"], run, constants)
        if not np.isclose(own, stage["multiply_adds"], rtol=1e-9):
            raise SystemExit(f"{stage['name']}: {own:.6g} here, {stage['multiply_adds']:.6g} there")


@cache
def written() -> dict[str, float]:
    """The constants as stage_costs.rs has them."""
    found = re.findall(
        r"^(?:pub\(super\) )?const (\w+): f64 = ([\d_.e]+);", PLAN.read_text(), re.MULTILINE
    )
    return {name: float(value) for name, value in found}


def fitted(stage: str, runs: list[Run], rate: float, known: dict[str, float]) -> dict[str, float]:
    """The stage's constants at which planned seconds are closest to measured ones."""
    taken = np.array([run.seconds[stage] * rate for run in runs])
    terms = [FORMULAS[stage](run, known) for run in runs]
    fixed = np.array([part for part, _ in terms])
    units = np.array([list(part.values()) for _, part in terms])
    planned, solved = taken, np.zeros(units.shape[1])
    for _ in range(ROUNDS):
        weights = 1 / np.sqrt(planned * taken)
        rows = units * weights[:, None]
        lengths = np.linalg.norm(rows, axis=0)
        solved = nnls(rows / lengths, (taken - fixed) * weights)[0] / lengths
        planned = np.maximum(fixed + units @ solved, 0.01 * taken)
    return dict(zip(terms[0][1], solved.tolist(), strict=True))


def ratios(stage: str, runs: list[Run], rate: float, constants: dict[str, float]) -> str:
    """Median and worst of planned over measured seconds, as cells of a table."""
    planned = [multiply_adds(stage, run, constants) / rate for run in runs]
    taken = [run.seconds[stage] for run in runs]
    shares = np.array(planned) / taken
    worst = shares[np.argmax(np.abs(np.log(shares)))]
    return f"{np.median(shares):.2f} | {worst:.2f}"


def busy_seconds() -> tuple[float, float]:
    """Seconds of the processors that went to all processes so far, and to this one."""
    user, nice, system, _, _, irq, softirq, steal, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    ticks = user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK"), time.process_time()


def measured_all(scale: float, threads: int, minutes: float) -> tuple[list[Run], float]:
    """The least seconds of every case, and the best rate, of as many turns as `minutes` hold."""
    params = _core.Params("plan", threads=threads)
    runs: list[Run] = []
    rate, turns, since = 0.0, 0, time.perf_counter()
    while turns == 0 or (time.perf_counter() - since) * (turns + 1) / turns < 60 * minutes:
        for at, case in enumerate(CASES):
            rate = max(rate, _core.products_per_second(params))
            run = measured(case, int(case.rows * scale), threads)
            if turns == 0:
                runs.append(run)
                continue
            least = runs[at].seconds
            least.update({stage: min(least[stage], taken) for stage, taken in run.seconds.items()})
        turns += 1
    print(f"{turns} turns, {threads} threads, {rate:.3g} multiply-adds a second")
    return runs, rate


def main() -> None:
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of the rows")
    parser.add_argument("--threads", type=int, default=_core.info()["n_threads"])
    options = parser.parse_args()
    scale, minutes = (0.25, 2) if options.quick else (1, 10)
    since, (all_before, own_before) = time.perf_counter(), busy_seconds()
    runs, rate = measured_all(scale, options.threads, minutes)
    seconds, (all_after, own_after) = time.perf_counter() - since, busy_seconds()
    others = (all_after - all_before) - (own_after - own_before)
    share = max(others, 0) / (seconds * os.cpu_count())
    print(f"{seconds:.0f} s, in which other processes took {share:.0%} of the processors\n")
    constants, lines = written().copy(), []
    print("| stage | constant | stands | fitted | fitted / stands |")
    print("|---|---|---|---|---|")
    for stage in FORMULAS:
        of_stage = [run for run in runs if run.seconds.get(stage, 0) > LEAST_SECONDS]
        found = fitted(stage, of_stage, rate, constants)
        constants.update(found)
        for name, value in found.items():
            before = written()[name]
            print(f"| {stage} | {name} | {before:.3g} | {value:.3g} | {value / before:.2f} |")
        before, after = (ratios(stage, of_stage, rate, c) for c in (written(), constants))
        lines.append(f"| {stage} | {len(of_stage)} | {before} | {after} |")
    print("\nPlanned over measured seconds:\n")
    print("| stage | runs | as it stands: median | worst | fitted: median | worst |")
    print("|---|---|---|---|---|---|")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
