"""Runs with checkpoints that are killed at random moments and run again: rows, and time lost.

``python tests/bench/preempted.py [TRIALS] [ROWS]``
"""

from __future__ import annotations

import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

COLUMNS = 48
FLAGS = ["--ratio", "0.01", "--block-rows", "4096", "--random", "0", "--quiet", "--force"]


def points(rows: int) -> np.ndarray:
    """200 clusters of unequal breadth."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(200, COLUMNS)) * 2
    which = rng.integers(0, 200, rows)
    breadth = rng.uniform(0.3, 1.3, 200)[which, None]
    return np.float32(centres[which] + rng.normal(size=(rows, COLUMNS)) * breadth)


def begun(folder: Path, *more: str) -> subprocess.Popen[bytes]:
    """A run over `folder`."""
    command = [sys.executable, "-m", "fast_select", "x.npy", *FLAGS, "-o", "rows.npy", *more]
    return subprocess.Popen(command, cwd=folder)


def main() -> None:
    trials, rows = (int(word) for word in [*sys.argv[1:], "30", "200000"][:2])
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "x.npy", points(rows))
        plain, kept = [], []
        for trial in range(3):
            for took, more in ((plain, ()), (kept, ("--checkpoint", f"free-{trial}"))):
                start = time.perf_counter()
                assert begun(folder, *more).wait() == 0
                took.append(time.perf_counter() - start)
        expected = np.load(folder / "rows.npy")
        whole = statistics.median(kept)
        print(f"without a checkpoint {statistics.median(plain):.2f} s, with one {whole:.2f} s")
        lost, same, ended = [], 0, 0
        for trial in range(trials):
            number = (signal.SIGKILL, signal.SIGTERM)[trial % 2]
            more = ("--checkpoint", f"work-{trial}")
            (folder / "rows.npy").unlink(missing_ok=True)
            start = time.perf_counter()
            process = begun(folder, *more)
            try:
                process.wait(draw.uniform(0, whole))
            except subprocess.TimeoutExpired:
                process.send_signal(number)
                process.wait()
                ended += 1
                assert not (folder / "rows.npy").exists()
                assert begun(folder, *more).wait() == 0
            lost.append(time.perf_counter() - start - whole)
            same += np.array_equal(np.load(folder / "rows.npy"), expected)
            left = [path for path in folder.rglob(".*") if path.suffix in (".part", ".lock")]
            assert not left, left
        figures = {
            "trials": trials,
            "killed": ended,
            "same": same,
            "lost_s": round(sum(lost), 1),
            "median_lost_s": round(statistics.median(lost), 2),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
