"""What a cluster's plan says beside its stages run on a few pieces of the right size.

    python tests/bench/simulate.py                      # 10,000,000 x 64 and more, W = 1, 8, 64
    python tests/bench/simulate.py --shape 200000000x512 --workers 4 16 --threads 32
    python tests/bench/simulate.py --input features.npy # its rows as the pieces, its shape

The pieces are made of rows in 200 Gaussian clusters, or of rows of the input: some rows of all d
columns prepared, pass by pass; rows cut in two, seven times; a block of rows that are near each
other made ready and exchanged, with as many picks and frequencies as the plan's; the quality of a
share of the rows with the same share of picks. The processor's seconds of a piece on one thread
are what counts (others may run meanwhile), the least of several tries, times the number of pieces
that the plan has.

Assumed, and not run: that threads of the members are as fast as one here, however many there are,
but for what a block's exchange does on one of them, as the plan says; that every member moves as
many bytes a second as --bandwidth says, whatever the others do; that a block handed over to
another member is seen 10 ms later; that one block costs what another does; that no member dies.
Bytes are the plan's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log2
from pathlib import Path
from typing import Any

import numpy as np

import fast_select
from fast_select import _core
from fast_select._text import counted
from fast_select.cli.plan import shape_of

SHAPES = ("10000000x64", "100000000x768", "1000000000x768")
CLUSTERS = 200
PREPARED = 1 << 24
"""Entries of the rows that are prepared: their passes are long beside the clock's steps."""
CUT, CELLS = 1 << 21, 128
"""Rows that are cut into cells: so many that most of them are far apart in memory."""
NEAR = 1 << 19
"""Rows among which those of a block are near each other."""
JUDGED = 200_000
"""Rows whose selection is judged."""
TRIES = 2


def clusters(n: int, d: int) -> np.ndarray:
    """`n` rows in clusters of unequal spreads, (n, d)."""
    rng = np.random.default_rng(0)
    centers = 1.5 * rng.standard_normal((CLUSTERS, d), dtype=np.float32)
    spreads = rng.uniform(0.3, 1.3, CLUSTERS).astype(np.float32)
    rng = np.random.default_rng(n)
    own = rng.integers(0, CLUSTERS, n)
    x = rng.standard_normal((n, d), dtype=np.float32)
    x *= spreads[own][:, None]
    x += centers[own]
    return x


def sampled(x: np.ndarray, n: int) -> np.ndarray:
    """`n` of the rows of an input, or all of them, as float32."""
    rows = np.sort(np.random.default_rng(1).permutation(len(x))[:n])
    return np.ascontiguousarray(x[rows], dtype=np.float32)


def least(task: Callable[[], object]) -> float:
    """The processor's seconds of a task, the least of several tries."""
    taken = []
    for _ in range(TRIES):
        before = time.process_time()
        task()
        taken.append(time.process_time() - before)
    return min(taken)


@dataclass
class Pieces:
    """Rows to take pieces from, and what was taken, on one thread of the processor."""

    rows: Callable[[int], np.ndarray]
    n: int
    d: int

    @property
    def p(self) -> int:
        """Columns of Z."""
        return min(self.d, 64)

    def prepared(self) -> dict[str, float]:
        """Seconds of each pass over all rows: the statistics, two for the components, and Z's."""
        x = self.rows(PREPARED // self.d)
        params = _core.Params("evaluate", threads=1)
        is_reduced = self.d > self.p
        passes = {"statistics": 1, "components": 2 if is_reduced else 0, "z": 1}
        passes = {name: count for name, count in passes.items() if count}
        found = dict.fromkeys(passes, np.inf)
        for _ in range(TRIES):
            reached = [(0.0, time.process_time())]

            def note(_stage: str, done: int, _total: int, at: list = reached) -> None:
                at.append((done / len(x), time.process_time()))

            _core.prepare(x, params, progress=note)
            reached.append((float(sum(passes.values())), time.process_time()))
            progress, seconds = np.array(reached).T
            first = 0
            for name, count in passes.items():
                ends = np.interp([first, first + count], progress, seconds)
                found[name] = min(found[name], float(ends[1] - ends[0]))
                first += count
        return {name: seconds * self.n / len(x) for name, seconds in found.items()}

    def cut(self, blocks: int) -> float:
        """Seconds of cutting all rows into blocks: of the mean level, as often."""
        z = np.ascontiguousarray(self.rows(CUT * 64 // self.d)[:, : self.p])
        cells = min(CELLS, len(z))
        seconds = least(lambda: _core.stages.partition_seconds(z, cells, n_threads=1))
        return seconds / log2(cells) * self.n / len(z) * log2(blocks)

    def block(self, rows: int, picks: int, freqs: int) -> tuple[float, float]:
        """Seconds in which a block is made ready, and exchanged."""
        near = self.rows(NEAR * 64 // self.d)[:, : self.p]
        far = ((near - near[0]) ** 2).sum(axis=1)
        x = near[np.sort(np.argpartition(far, rows)[:rows])] if len(near) > rows else near
        x = x - x.mean(axis=0)
        pairs = np.random.default_rng(2).integers(0, len(x), (2, 2000))
        x = np.ascontiguousarray(x / np.median(np.linalg.norm(x[pairs[0]] - x[pairs[1]], axis=1)))
        # Of low to middle frequencies, as the whole's are.
        w = np.random.default_rng(3).standard_normal((freqs, self.p), dtype=np.float32)
        w *= 2 / np.sqrt(self.p)
        found = []
        for _ in range(TRIES):
            before = time.process_time()
            ready, exchanged = _core.stages.block_seconds(x, picks, w, n_threads=1)
            taken = time.process_time() - before
            # Of the processor's seconds, as of the wall's.
            found.append(taken * np.array([ready, exchanged]) / (ready + exchanged))
        ready, exchanged = np.min(found, axis=0)
        return float(ready), float(exchanged)

    def judged(self, ratio: float) -> float:
        """Seconds of the quality: of a share of the rows and picks."""
        x = self.rows(min(JUDGED, self.n) * 64 // max(self.d, 64))[:, : self.p]
        prepared = _core.prepare(np.ascontiguousarray(x), _core.Params("evaluate", threads=1))
        rows = np.random.default_rng(4).permutation(len(x))[: max(int(ratio * len(x)), 1)]
        params = _core.Params("evaluate", threads=1, n_random=20)
        return least(lambda: _core.evaluate(prepared, np.sort(rows), params)) * self.n / len(x)


def blocks_of(planned: dict[str, Any], n: int) -> int:
    """Blocks of the exchange."""
    return max(min(ceil(n / planned["block_rows"]), planned["count"] // 64), 1)


def simulated(pieces: Pieces, planned: dict[str, Any], ratio: float) -> dict[str, float]:
    """The processor's seconds of each stage, of all workers."""
    picks, blocks = planned["count"], blocks_of(planned, pieces.n)
    freqs = min(max(picks // 5, 1024), 2048) if blocks > 12 else 0
    ready, exchanged = pieces.block(ceil(pieces.n / blocks), ceil(picks / blocks), freqs)
    return {
        **pieces.prepared(),
        "partition": pieces.cut(blocks),
        "ready": ready * blocks,
        "exchange": exchanged * blocks,
        "quality": pieces.judged(ratio),
    }


def seconds(planned: dict[str, Any], cpu_s: dict[str, float], pieces: Pieces) -> dict[str, float]:
    """Seconds of each stage, shared as the plan has it, of stages that take `cpu_s` in all."""
    params = _core.Params("plan", **asked_of(planned))
    workers, threads = planned["workers"], planned["threads"]
    found = {}
    for stage in planned["stages"]:
        name = stage["name"]
        # A thread that does the plan's work in the seconds that it took.
        rate = planned["multiply_adds_per_s"] * stage["cpu_s"] / cpu_s[name]
        stages, _ = _core.crew_plan(
            pieces.d,
            [pieces.n],
            planned["count"],
            params,
            workers=workers,
            rate=rate,
            bandwidth=planned["bandwidth"],
            entry_bytes=4,
            memory=planned["options"]["memory"] or 0,
        )
        found[name] = next(each["seconds"] for each in stages if each["name"] == name)
    blocks, chain = blocks_of(planned, pieces.n), found["exchange"]
    moved = next(stage["read_bytes"] for stage in planned["stages"] if stage["name"] == "ready")
    alone = max(cpu_s["ready"] / threads, moved / planned["bandwidth"])
    both = max((alone + chain) / workers, chain + cpu_s["ready"] / blocks)
    return {**found, "ready": both - chain}


def asked_of(planned: dict[str, Any]) -> dict[str, Any]:
    """Options of a plan that matter to its stages."""
    return {name: planned["options"][name] for name in ("ratio", "workers", "threads")}


def show(pieces: Pieces, asked: dict[str, Any], workers: list[int]) -> None:
    """Plan beside simulation: the processor's seconds, then seconds for each number of workers."""
    plans = [fast_select.plan(**asked, workers=count) for count in workers]
    cpu_s = simulated(pieces, plans[0], asked["ratio"])
    runs = [seconds(plan, cpu_s, pieces) for plan in plans]
    print(
        f"\n{pieces.n:,} x {pieces.d}, {asked['ratio']:.0%}, {asked['threads']} threads a worker\n"
    )
    columns = [f"W = {count}: plan | simulated" for count in workers]
    moved = [f"GB read, written, sent at W = {workers[-1]}", "peak GB"]
    print("| stage | CPU s: plan | simulated | " + " | ".join([*columns, *moved]) + " |")
    print("|---" * (3 + 2 * len(workers) + 2) + "|")
    for k, stage in enumerate(plans[0]["stages"]):
        name = stage["name"]
        of_plans = [plan["stages"][k]["seconds"] for plan in plans]
        of_runs = [run[name] for run in runs]
        last = plans[-1]["stages"][k]
        print(line(name, stage["cpu_s"], cpu_s[name], of_plans, of_runs, last, last["bytes"]))
    last = plans[-1]
    of_plans, of_runs = [plan["seconds"] for plan in plans], [sum(run.values()) for run in runs]
    all_cpu_s, peak = sum(cpu_s.values()), last["working_bytes"]
    print(line("in all", plans[0]["cpu_s"], all_cpu_s, of_plans, of_runs, last, peak))
    print(
        f"\nv = {last['multiply_adds_per_s']:.3g} multiply-adds a second of a thread; "
        f"worth having: {counted(last['worthwhile_workers'], 'worker')}.",
        flush=True,
    )


def line(
    name: str,
    plan_cpu_s: float,
    own_cpu_s: float,
    plan_s: list[float],
    own_s: list[float],
    moved: dict[str, Any],
    peak: int,
) -> str:
    """A line of the table."""
    cells = [name, f"{plan_cpu_s:,.0f}", f"{own_cpu_s:,.0f}"]
    for pair in zip(plan_s, own_s, strict=True):
        cells += [f"{value:,.0f}" for value in pair]
    sizes = (moved[f"{kind}_bytes"] / 1e9 for kind in ("read", "written", "sent"))
    cells += [", ".join(f"{size:,.1f}" for size in sizes), f"{peak / 1e9:.1f}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Plan, run the pieces, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", nargs="+", default=SHAPES)
    parser.add_argument("--input", type=Path, help="an .npy of the rows")
    parser.add_argument("--ratio", type=float, default=0.01)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--memory", type=int, default=16 << 30)
    parser.add_argument("--bandwidth", type=int, default=500_000_000)
    options = parser.parse_args()
    shapes = [shape_of(text) for text in options.shape]
    x = None if options.input is None else np.load(options.input, mmap_mode="r")
    if x is not None:
        shapes = [x.shape]
    for n, d in shapes:

        def rows(count: int, n: int = n, d: int = d) -> np.ndarray:
            return clusters(min(count, n), d) if x is None else sampled(x, count)

        names = ("ratio", "threads", "memory", "bandwidth")
        asked = {name: getattr(options, name) for name in names}
        show(Pieces(rows, n, d), {"shape": (n, d), **asked}, options.workers)


if __name__ == "__main__":
    main()
