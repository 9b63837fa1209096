"""A local Dask cluster beside one process: wall and CPU seconds, and whether the rows are the same.

    python tests/bench/cluster.py                     # 2,000,000 x 48 at 1 %, 1, 2 and 4 workers
    python tests/bench/cluster.py --rows 200000 --rounds 3

Workers have one thread each. Every run is the command, in turn; CPU seconds are those of all its
processes, as the system counts them. Ratios are medians over rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scaling import clusters

RATIO = 0.01


def timed(folder: Path, *words: str) -> dict:
    """Seconds and rows of a run of the command."""
    command = [sys.executable, "-m", "fast_select", "x.npy", "--ratio", str(RATIO), *words]
    command += ["--quiet", "--force", "-o", "rows.npy", "--report", "report.json"]
    since = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - since
    if status:
        sys.exit(f"{' '.join(command)} failed")
    report = json.loads((folder / "report.json").read_text())
    return {
        "wall_s": wall_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "stages": {stage["name"]: stage["wall_s"] for stage in report["stages"]},
        "crew_cpu_s": report.get("crew", report["totals"])["cpu_s"],
        "sha256": report["selection"]["sha256"],
    }


def main() -> None:
    """Print a table, a line a way of running."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--columns", type=int, default=48)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    ways = {"one process, 1 thread": ["--threads", "1"]}
    for count in args.workers:
        name = f"{count} worker{'s' * (count > 1)}"
        ways[name] = ["--threads", str(count), "--cluster", "local"]
    runs: dict[str, list[dict]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "x.npy", clusters(args.rows, args.columns)[0])
        for _ in range(args.rounds):
            for name, words in ways.items():
                runs[name].append(timed(Path(folder), *words))
                print(name, runs[name][-1], file=sys.stderr, flush=True)
    alone = runs["one process, 1 thread"]
    print(f"{args.rows:,} x {args.columns}, {RATIO:.0%}, {os.cpu_count()} cores")
    print("| | wall s | CPU s | of one process's CPU | rows |\n|---|---|---|---|---|")
    for name, own in runs.items():
        wall_s, cpu_s = (statistics.median(run[key] for run in own) for key in ("wall_s", "cpu_s"))
        ratios = [run["cpu_s"] / one["cpu_s"] for run, one in zip(own, alone, strict=True)]
        same = all(run["sha256"] == alone[0]["sha256"] for run in own)
        cells = (f"{wall_s:.0f}", f"{cpu_s:.0f}", f"{statistics.median(ratios):.2f}")
        print(f"| {name} | {' | '.join(cells)} | {'the same' if same else 'OTHERS'} |")


if __name__ == "__main__":
    main()
