"""How time and memory grow with rows, picks and threads: a table, exponents, the plan beside it.

    python tests/bench/scaling.py                  # 5,000 to 500,000 rows, 1, 10 and 30 %
    python tests/bench/scaling.py --rows 5000 20000 80000 --method paper

Every run is a process of its own, with the command's allocator. Memory is the process's own
(anonymous) at its largest.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import fast_select
from fast_select._allocator import return_large_buffers

DIMS = 32


def clusters(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """`n` rows in twenty clusters of unequal sizes and spreads, (n, d); the cluster of each."""
    rng = np.random.default_rng(n)
    centers = 1.5 * rng.standard_normal((20, d), dtype=np.float32)
    spreads = rng.uniform(0.3, 1.3, 20).astype(np.float32)
    y = rng.choice(20, n, p=rng.dirichlet(np.ones(20)))
    x = rng.standard_normal((n, d), dtype=np.float32)
    x *= spreads[y][:, None]
    x += centers[y]
    return x, y


def made(n: int, folder: Path) -> Path:
    """A file of `n` rows in clusters."""
    path = folder / f"{n}.npy"
    if not path.exists():
        np.save(path, clusters(n, DIMS)[0])
    return path


def anonymous_bytes() -> int:
    """Memory of this process that no file backs."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def one(path: str, ratio: float, threads: int, method: str) -> dict:
    """Stages' seconds, the largest memory above the start, and what the plan said."""
    return_large_buffers()
    x = np.load(path, mmap_mode="r")
    asked = {"ratio": ratio, "threads": threads, "method": method}
    planned = fast_select.plan(x, **asked)
    before, peak = anonymous_bytes(), [0]

    def watch() -> None:
        while True:
            peak[0] = max(peak[0], anonymous_bytes())
            time.sleep(0.002)

    threading.Thread(target=watch, daemon=True).start()
    report = fast_select.select(x, **asked).report
    stages: dict[str, float] = {}
    for stage in report["stages"]:
        stages[stage["name"]] = stages.get(stage["name"], 0.0) + stage["wall_s"]
    return {
        "stages": stages,
        "seconds": report["totals"]["wall_s"],
        "bytes": peak[0] - before,
        "planned_seconds": planned["seconds"],
        "planned_bytes": planned["working_bytes"],
    }


def measured(path: Path, ratio: float, threads: int, method: str) -> dict:
    """`one` in a process of its own."""
    words = [str(path), str(ratio), str(threads), method]
    command = [sys.executable, __file__, "--one", *words]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result: dict = json.loads(output)
    return result


def exponent(rows: list[int], seconds: list[float]) -> float:
    """Slope of log(seconds) against log(rows)."""
    return float(np.polyfit(np.log(rows), np.log(np.maximum(seconds, 1e-4)), 1)[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = [5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000]
    parser.add_argument("--rows", type=int, nargs="+", default=sizes)
    parser.add_argument("--ratios", type=float, nargs="+", default=[0.01, 0.1, 0.3])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--method", default="fast")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        path, ratio, threads, method = options.one
        print(json.dumps(one(path, float(ratio), int(threads), method)))
        return
    most = max(options.threads)
    print("| rows | ratio | s | planned s | MiB | planned MiB | stages |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for ratio in options.ratios:
            taken = []
            for n in options.rows:
                run = measured(made(n, folder), ratio, most, options.method)
                taken.append(run)
                stages = ", ".join(f"{k} {v:.2f}" for k, v in run["stages"].items())
                sizes = " | ".join(f"{run[k] / 2**20:.0f}" for k in ("bytes", "planned_bytes"))
                times = f"{run['seconds']:.2f} | {run['planned_seconds']:.2f}"
                print(f"| {n:,} | {ratio:.0%} | {times} | {sizes} | {stages} |", flush=True)
            fitted = {
                stage: exponent(options.rows, [run["stages"][stage] for run in taken])
                for stage in taken[0]["stages"]
            }
            fitted["all"] = exponent(options.rows, [run["seconds"] for run in taken])
            print(f"exponents at {ratio:.0%}:", {k: round(v, 2) for k, v in fitted.items()})
        middle = made(options.rows[len(options.rows) // 2], folder)
        for threads in options.threads:
            times = [measured(middle, 0.1, threads, options.method)["seconds"] for _ in range(3)]
            print(f"{threads} threads, {middle.stem} rows, 10 %: {np.median(times):.2f} s")


if __name__ == "__main__":
    main()
