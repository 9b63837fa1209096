"""Malformed and odd inputs, made at random, and what the command makes of them: a tally.

    python tests/odd_inputs.py                    # 1,000 files of features, labels and rows
    python tests/odd_inputs.py --count 5000 --seed 7
    python tests/odd_inputs.py --one 431          # that one, in this process

Every run must end in exit 0 with a right pick (as many distinct rows in range as asked for, the
same as `select` makes of the array that numpy reads, where it reads it), or in exit 2 with one line
on stderr; nothing but the outputs of a run that ended in 0 may be left behind; memory is limited.
Runs share processes, as a thousand starts take minutes; what a process dies of is charged to the
run that it was at.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

MEMORY = 1 << 30
"""Bytes that a process may take beyond what it begins with: a claimed shape must take none."""
SECONDS = 20
"""A run that takes longer hangs."""

Rng = np.random.Generator


@dataclass
class Case:
    """A command line in a folder of its own, and what must come of it."""

    kind: str
    args: list[str]
    count: int | None = None
    """Rows to be selected; None where the input must be refused, -1 where it may be."""
    array: np.ndarray | None = None
    """What the file holds, where that is beyond doubt."""


def matrix(rng: Rng) -> np.ndarray:
    """A small matrix of any type, order and range."""
    n, d = int(rng.integers(2, 120)), int(rng.integers(1, 12))
    kind = rng.choice(["f4", "f8", "f2", "i8", "u1", "i2", ">f4", ">i8", "?", "u8"])
    x = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 3)
    if np.dtype(kind).kind in "iub":
        x = np.abs(x * 10).astype(np.int64) % 120
    x = x.astype(kind)
    if rng.random() < 0.2:
        x[:, rng.integers(d)] = x[0, 0]
    if rng.random() < 0.2:
        x[rng.integers(n)] = x[0]
    return np.asfortranarray(x) if rng.random() < 0.3 else x


def npy(x: np.ndarray, version: tuple[int, int] = (1, 0)) -> bytes:
    """The bytes of a .npy file."""
    file = io.BytesIO()
    np.lib.format.write_array(file, x, version=version, allow_pickle=True)
    return file.getvalue()


def with_header(x: np.ndarray, header: bytes, length: int | None = None) -> bytes:
    """A .npy file with a header of its own before the data of `x`."""
    header = header + b" " * (-(len(header) + 11) % 64) + b"\n"
    length = len(header) if length is None else length
    return b"\x93NUMPY\x01\x00" + (length % 65536).to_bytes(2, "little") + header + x.tobytes()


def size_options(x: np.ndarray, rng: Rng) -> tuple[list[str], int]:
    """How many rows are asked for."""
    count = int(rng.integers(1, len(x) + 1))
    return ["--count", str(count)], count


def valid(folder: Path, rng: Rng) -> Case:
    """A good matrix, in any version of the format, in a .npy, an .npz or in shards."""
    x = matrix(rng)
    options, count = size_options(x, rng)
    form = rng.choice(["npy", "npz", "shards", "NPY"])
    if form == "npz":
        save = np.savez if rng.random() < 0.5 else np.savez_compressed
        save(folder / "x.npz", x=x)
        return Case("valid", ["x.npz", *options], count, x)
    if form == "shards":
        (folder / "shards").mkdir()
        cut = int(rng.integers(1, len(x)))
        for name, part in (("part-2.npy", x[:cut]), ("part-10.npy", x[cut:])):
            (folder / "shards" / name).write_bytes(npy(np.ascontiguousarray(part)))
        (folder / "shards" / "._part-2.npy").write_bytes(b"\0\5\26\7")
        (folder / "shards" / "readme.txt").write_text("rows\n")
        return Case("valid", ["shards", *options], count, x)
    version = [(1, 0), (2, 0), (3, 0)][rng.integers(3)]
    name = "x.npy" if form == "npy" else "x.NPY"
    (folder / name).write_bytes(npy(x, version))
    return Case("valid", [name, *options], count, x)


def header(shape: str, descr: str = "'<f4'") -> bytes:
    """The text of a header."""
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()


HEADERS = [
    *map(header, [
        "(-300, 8)", "(True, 8)", "(8.0, 8)", "'(8, 8)'", "(0, 8)", "(8, 8", "(4, ４)", "((8,), 8)",
        "(9223372036854775808, 8)", "(4294967296, 4294967296)", "(100000000000, 64)", "None",
    ]),
    *(header("(2, 2)", descr) for descr in [
        "'|O'", "'<c8'", "'<M8[s]'", "'|V3'", "'<U4'", "'|S0'", "'<f9'", "None", "[[[]]]",
        "[('a', '<f4'), ('b', '<f4')]", "'" + "f" * 20_000 + "'", "'<f4', 'more': 1",
    ]),
    b"{'descr': '<f4', 'fortran_order': 3, 'shape': (2, 2), }",
    b"{'descr': '<f4', 'shape': (2, 2), }",
    b"[('descr', '<f4')]",
    b"__import__('os').system('true')",
    b"(" * 3000,
    b"{" * 300 + b"}" * 300,
    header("(4, 4)") + b"\0\0",
    b"\xff\xfe{'descr': '<f4'}",
    b"",
]  # fmt: skip


def odd_header(folder: Path, rng: Rng) -> Case:
    """Data behind a header that does not describe it."""
    x = matrix(rng)
    header = HEADERS[rng.integers(len(HEADERS))]
    length = int(rng.integers(0, 70_000)) if rng.random() < 0.2 else None
    (folder / "x.npy").write_bytes(with_header(x, header, length))
    return Case("odd header", ["x.npy", "--count", "1"])


def damaged(folder: Path, rng: Rng) -> Case:
    """A good file cut short, prolonged, or with bytes turned."""
    x = matrix(rng)
    data = bytearray(npy(x))
    way = rng.integers(4)
    if way == 0:
        del data[int(rng.integers(0, len(data))) :]
    elif way == 1:
        data += rng.bytes(int(rng.integers(1, 100))) if rng.random() < 0.5 else npy(x)
    elif way == 2:
        # The header's text: what it then says may be a shape that fits.
        for _ in range(int(rng.integers(1, 4))):
            data[int(rng.integers(0, 80))] = int(rng.integers(256))
        (folder / "x.npy").write_bytes(data)
        return Case("turned bytes", ["x.npy", "--ratio", "0.5", "--nonfinite", "drop"], -1)
    else:
        data = bytearray(rng.bytes(int(rng.integers(0, 300))))
    (folder / "x.npy").write_bytes(data)
    return Case("damaged", ["x.npy", "--count", "1"])


def odd_archive(folder: Path, rng: Rng) -> Case:
    """An .npz with members that cannot be read, or that are none."""
    x = matrix(rng)
    path = folder / "x.npz"
    way = rng.integers(7)
    with zipfile.ZipFile(path, "w", [0, 8][rng.integers(2)]) as archive:
        if way == 0:
            archive.writestr("x.txt", "1,2\n")
        elif way == 1:
            archive.writestr("x.npy", npy(x)[: int(rng.integers(0, 90))])
        elif way == 2:
            archive.writestr("x.npy", with_header(x, HEADERS[rng.integers(len(HEADERS))]))
        elif way == 3:
            archive.writestr("a.npy", npy(x))
            archive.writestr("b.npy", npy(x))
        elif way == 4:
            archive.writestr("x.npy", npy(x) + b"more")
        elif way > 4:
            archive.writestr("x.npy", npy(x))
    data = bytearray(path.read_bytes())
    if way == 5:
        flags = data.index(b"PK\1\2") + int(rng.choice([8, 10]))  # encrypted, or compressed oddly
        data[flags] |= 1 if flags % 4 == 0 else 99
        data[flags] = data[flags] or 1
    elif way == 6:
        del data[int(rng.integers(1, len(data) - 1)) :]
    path.write_bytes(data)
    return Case("odd archive", ["x.npz", "--count", "1"], -1 if way in (2, 5) else None)


def odd_shape(folder: Path, rng: Rng) -> Case:
    """Arrays that are no matrices, or of no numbers."""
    shapes: list[np.ndarray] = [
        np.zeros(5), np.zeros(()), np.zeros((0, 3)), np.zeros((3, 0)), np.zeros((4, 2, 2)),
        np.zeros((3, 3), complex), np.zeros((3, 3), "U2"), np.zeros((3, 3), "M8[s]"),
        np.zeros(4, [("a", "f4"), ("b", "f4")]), np.zeros((3, 3), "S1"), np.zeros((3, 3), object),
        np.full((3, 3), np.nan), np.array([[1.0, np.inf], [0.0, 0.0]]),
    ]  # fmt: skip
    (folder / "x.npy").write_bytes(npy(shapes[rng.integers(len(shapes))]))
    return Case("odd shape", ["x.npy", "--count", "1"])


def odd_values(folder: Path, rng: Rng) -> Case:
    """Numbers at the ends of what there is, copies, constants, islands, and missing ones."""
    n, d = int(rng.integers(2, 200)), int(rng.integers(1, 80))
    x = rng.normal(size=(n, d))
    way = rng.integers(8)
    if way == 0:
        x *= 10.0 ** rng.integers(-307, 307)
    elif way == 1:
        x[:] = x[0]
    elif way == 2:
        x[rng.integers(n)] = 10.0 ** rng.integers(3, 308)
    elif way == 3:
        x = x**9
    elif way == 4:
        x += 10.0 ** rng.integers(3, 16)
    elif way == 5:
        x = rng.integers(-(2**62), 2**62, size=(n, d))
    elif way == 6:
        x[rng.random((n, d)) < 0.02] = [np.nan, np.inf][rng.integers(2)]
    else:
        x = (rng.random((n, d)) < 0.02) * 10.0 ** rng.integers(-300, 300)
    kept = np.isfinite(x).all(axis=1).sum()
    np.save(folder / "x.npy", x)
    if not kept:
        return Case("odd values", ["x.npy", "--count", "1", "--nonfinite", "drop"])
    count = int(rng.integers(1, kept + 1))
    options = ["--count", str(count), "--nonfinite", "drop"]
    if rng.random() < 0.1:
        options += ["--method", "paper"]
    return Case("odd values", ["x.npy", *options], count, x)


LINES = [
    "cat", "dog", "1", "2", "1.5", "007", "", " ", "nan", "NaN", "-", "#", "a,b", '"a"', '"a',
    "a;b", "a\tb", "é", "\u2028", "a\x85b", "\x00", "\x0c", "1e400", "99999999999999999999",
    "label", "x" * 5000, "=1+1", "\x1b[31m",
]  # fmt: skip


def labels(folder: Path, rng: Rng) -> Case:
    """Labels of two kinds, and among them lines that are none, or of another length."""
    x = matrix(rng)
    lines = [str(rng.choice(["cat", "dog"])) for _ in x]
    way = rng.integers(5)
    if way:
        for _ in range(int(rng.integers(1, 4))):
            lines[int(rng.integers(len(lines)))] = str(rng.choice(LINES))
    if way == 2:
        del lines[int(rng.integers(len(lines))) :]
    if way == 3:
        lines += ["cat"] * int(rng.integers(1, 3))
    end = str(rng.choice(["\n", "\r\n"]))
    text = end.join(lines) + end * int(rng.integers(2))
    encoding = str(rng.choice(["utf-8", "utf-8-sig", "utf-16"], p=[0.8, 0.1, 0.1]))
    (folder / "y.txt").write_bytes(text.encode(encoding))
    (folder / "x.npy").write_bytes(npy(x))
    args = ["x.npy", "--ratio", "0.5", "--labels", "y.txt"]
    # Which of the odd lines are labels all the same is for the tests of labels to say.
    return Case("labels", args, None if way == 2 else -1, x)


def row_lists(folder: Path, rng: Rng) -> Case:
    """Lists of rows to leave out: good ones, and ones with odd lines."""
    x = matrix(rng)
    good = rng.choice(len(x), size=int(rng.integers(1, len(x))), replace=False)
    way = rng.integers(5)
    if way == 0:
        text = "".join(f"{i}\n" for i in good)
    elif way == 1:
        text = ",index\n" + "".join(f"{k},{i}\n" for k, i in enumerate(good))
    elif way == 2:
        text = ",".join(map(str, good)) + "\n"
    else:
        cells = [*map(str, good), *rng.choice([*LINES, "-1", str(len(x)), str(good[0])], size=2)]
        text = "\n".join(cells) + "\n"
    (folder / "rows.csv").write_text(text, encoding="utf-8")
    (folder / "x.npy").write_bytes(npy(x))
    args = ["x.npy", "--count", "1", "--exclude", "rows.csv"]
    return Case("rows left out" if way < 3 else "odd rows", args, 1 if way < 3 else -1, None)


VALUES = [
    "0", "1", "-1", "0.5", "1.5", "nan", "inf", "-inf", "1e400", "", " ", "abc", "0x10",
    "1_000", "１", "1e-320", "18446744073709551615", "18446744073709551616", "1GiB", "1XB",
    "auto", "none", "fast", "paper", "random", "k-means", "drop", "equal", "/", "..", "a" * 300,
    "\udcff", "--", "-",
]  # fmt: skip


def options(folder: Path, rng: Rng) -> Case:
    """A good matrix with options of any value, half of them none."""
    from fast_select import _core

    x = matrix(rng)
    (folder / "x.npy").write_bytes(npy(x))
    table = _core.option_table("select")
    args = ["x.npy"] if rng.random() < 0.95 else []
    args += ["--count", "1"] if rng.random() < 0.7 else []
    for _ in range(int(rng.integers(1, 3))):
        flag = table[rng.integers(len(table))]["flag"]
        args += [str(flag)[: None if rng.random() < 0.95 else -1], str(rng.choice(VALUES))]
    args += ["--steps", "3"] if rng.random() < 0.5 else []
    return Case("options", args, -1)


KINDS = [valid, odd_header, damaged, odd_archive, odd_shape, odd_values, labels, row_lists, options]


def made(number: int, seed: int, folder: Path) -> Case:
    """Case `number`, its files in `folder`."""
    rng = np.random.default_rng([seed, number])
    return KINDS[number % len(KINDS)](folder, rng)


def fault(case: Case, code: int, stdout: str, stderr: str, left: list[str]) -> str | None:
    """What is wrong with how a run ended."""
    lines = stderr.splitlines()
    if code == 2:
        if case.count is not None and case.count >= 0:
            return "refused what is good"
        if len(lines) != 1 or not lines[0].startswith("Error: "):
            return f"{len(lines)} lines on stderr"
        return f"left {left}" if left or stdout else None
    if code != 0:
        return f"exit {code}"
    if case.count is None:
        return "took what is none"
    picked = [int(line) for line in stdout.split()]
    if sorted(set(picked)) != picked or left:
        return f"a pick that is none, or left {left}"
    if case.count >= 0 and len(picked) != case.count:
        return f"{len(picked)} rows for {case.count}"
    if case.array is not None and picked and picked[-1] >= len(case.array):
        return f"row {picked[-1]} of {len(case.array)}"
    return None


@contextlib.contextmanager
def captured(descriptor: int) -> Iterator[list[str]]:
    """What is written to a standard stream within the block, there after it."""
    stream = {1: sys.stdout, 2: sys.stderr}[descriptor]
    stream.flush()
    before, text = os.dup(descriptor), [""]
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), descriptor)
        try:
            yield text
        finally:
            stream.flush()
            os.dup2(before, descriptor)
            os.close(before)
            file.seek(0)
            text[0] = file.read().decode()


def run(number: int, seed: int) -> tuple[str, int, str | None]:
    """Make a case, run the command on it in this process, and look at what came of it."""
    from fast_select import select
    from fast_select.cli._main import main

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case = made(number, seed, folder)
        before = {path.name for path in folder.rglob("*")}
        os.chdir(folder)
        with captured(1) as out, captured(2) as err:
            code = main(
                ["select", *case.args, "--quiet", "-o", "-", "--threads", "1", "--random", "1"]
            )
        os.chdir("/")
        left = sorted({path.name for path in folder.rglob("*")} - before)
        wrong = fault(case, code, out[0], err[0], left)
        if wrong is None and code == 0 and case.kind in ("valid", "odd values"):
            asked: dict[str, Any] = {"count": case.count, "nonfinite": "drop", "n_random": 0}
            if "paper" in case.args:
                asked["method"] = "paper"
            if [*map(str, select(case.array, **asked).indices)] != out[0].split():
                wrong = "not the rows that the array gives"
        return case.kind, code, wrong and f"{wrong}: {case.args} {err[0][-300:]!r}"


def work(numbers: range, seed: int) -> None:
    """Run cases in this process, each announced on stdout and followed by what came of it."""
    import resource

    import fast_select.cli._main

    assert fast_select.cli._main.main
    now = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (now + MEMORY, now + MEMORY))
    for number in numbers:
        print(json.dumps([number]), flush=True)
        print(json.dumps([number, *run(number, seed)]), flush=True)


def batch(numbers: range, seed: int) -> list[tuple[str, int, str | None]]:
    """What came of cases that a process of their own has run; where it dies, another goes on."""
    found: list[tuple[str, int, str | None]] = []
    while len(found) < len(numbers):
        rest = numbers[len(found) :]
        asked = [sys.executable, __file__, "--work", f"{rest.start},{rest.stop},{rest.step}"]
        try:
            done = subprocess.run(
                [*asked, "--seed", str(seed)],
                capture_output=True, text=True, check=False, timeout=60 + SECONDS * len(rest) / 20,
            )  # fmt: skip
            printed, end = done.stdout, f"{done.returncode} {done.stderr[-300:]}"
        except subprocess.TimeoutExpired as err:
            printed, end = (err.stdout or b"").decode(), "no end"
        results = [json.loads(line) for line in printed.splitlines()]
        found += [tuple(result[1:]) for result in results if len(result) > 1]
        if len(found) < len(numbers):
            found.append(
                ("process", -1, f"case {results[-1][0] if results else rest[0]} ended it: {end}")
            )
    return found


def tally(count: int, seed: int, jobs: int) -> tuple[Counter[tuple[str, int]], list[str]]:
    """Cases by kind and exit code, and what was wrong."""
    parts = [range(part, count, jobs) for part in range(jobs)]
    with ThreadPoolExecutor(jobs) as pool:
        found = [
            case for cases in pool.map(lambda part: batch(part, seed), parts) for case in cases
        ]
    by_code = Counter((kind, code) for kind, code, _ in found)
    return by_code, [f"{kind}: {wrong}" for kind, _, wrong in found if wrong]


def main() -> int:
    """Print the tally; 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--one", type=int, help="run this case only, in this process")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(range(*map(int, options.work.split(","))), options.seed)
        return 0
    if options.one is not None:
        print(run(options.one, options.seed))
        return 0
    by_code, wrong = tally(options.count, options.seed, options.jobs)
    for (kind, code), number in sorted(by_code.items()):
        print(f"{kind:15} exit {code}: {number}")
    print(f"{sum(by_code.values())} cases, {len(wrong)} wrong", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
