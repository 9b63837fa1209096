"""A table in Parquet parts with ids beside the same rows as .npy: time, memory, ids.

    python tests/bench/tables.py                   # 1,000,000 x 48 float32, eight parts, 1 %
    python tests/bench/tables.py --rows 100000 --pairs 5

Both are selected by the command, in turn, a process each. Memory is at its largest, all of the
process's and what no file backs (a mapped .npy is aside then).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scaling import clusters

PARTS = 8
FORMS = ("npy", "vectors", "columns")


def made(n: int, d: int, folder: Path) -> None:
    """The rows as .npy, and as parts with ids: a column of vectors, and columns of numbers."""
    x = clusters(n, d)[0]
    np.save(folder / "npy.npy", x)
    for form in FORMS[1:]:
        (folder / form).mkdir()
    for part, rows in enumerate(np.array_split(np.arange(n), PARTS)):
        ids = pa.array([f"row-{row:08d}" for row in rows])
        own = x[rows]
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(own.ravel()), d)
        table = pa.table({"id": ids, "embedding": vectors.cast(pa.list_(pa.float32()))})
        pq.write_table(table, folder / "vectors" / f"part-{part}.parquet")
        table = pa.table({"id": ids, **{f"e{j}": own[:, j] for j in range(d)}})
        pq.write_table(table, folder / "columns" / f"part-{part}.parquet")


def selected(form: str, folder: Path, ratio: float) -> dict[str, float]:
    """Seconds, seconds of the processor and MiB at the peak of one run."""
    source = [str(folder / "npy.npy")] if form == "npy" else [str(folder / form), "--id-key", "id"]
    command = [sys.executable, "-m", "fast_select", *source, "--ratio", str(ratio), "--quiet"]
    command += ["-o", f"{form}.parquet", "--force"]
    start, anonymous = time.perf_counter(), 0
    process = subprocess.Popen(command, cwd=folder)
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        own = (int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
        anonymous = max(anonymous, next(own, 0))
        time.sleep(0.01)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{form}: exit code {process.returncode}")
    return {
        "s": time.perf_counter() - start,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss / 1024,
        "anonymous": anonymous / 1024,
    }


def check_ids(folder: Path) -> None:
    """Fail unless the same rows are selected of all forms, and their ids are those of the rows."""
    rows = pq.read_table(folder / "npy.parquet")["index"].to_pylist()
    for form in FORMS[1:]:
        got = pq.read_table(folder / f"{form}.parquet")
        if got["index"].to_pylist() != rows:
            raise RuntimeError(f"{form}: other rows are selected than of .npy")
        if got["id"].to_pylist() != [f"row-{row:08d}" for row in rows]:
            raise RuntimeError(f"{form}: ids are not those of the rows")


def main() -> None:
    """Run the pairs and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=48)
    parser.add_argument("--ratio", type=float, default=0.01)
    parser.add_argument("--pairs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(asked.rows, asked.columns, folder)
        runs: dict[str, list[dict[str, float]]] = {form: [] for form in FORMS}
        for _ in range(asked.pairs):
            for form in FORMS:
                runs[form].append(selected(form, folder, asked.ratio))
        check_ids(folder)
    print("| input | s | s / .npy | processor's s / .npy | peak MiB | of no file |")
    print("|---|---|---|---|---|---|")
    for form in FORMS:
        of = [[run[key] for run in runs[form]] for key in ("s", "cpu_s", "peak", "anonymous")]
        base = [[run[key] for run in runs["npy"]] for key in ("s", "cpu_s")]
        ratios = [
            statistics.median(a / b for a, b in zip(mine, other, strict=True))
            for mine, other in zip(of[:2], base, strict=True)
        ]
        cells = [f"{statistics.median(of[0]):.2f}", *(f"{ratio:.2f}" for ratio in ratios)]
        cells += [f"{max(of[2]):.0f}", f"{max(of[3]):.0f}"]
        print(f"| {form} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
