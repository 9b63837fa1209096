"""Signals at random moments and while files are written, closed and full streams, two runs at once.

    python tests/faults.py [RUNS] [SEED]

prints a tally of each kind of fault: runs, and what must not be. `test_faults.py` has some of each.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

COMMAND = [sys.executable, "-m", "fast_select"]
RATIOS = [f"{percent / 100}" for percent in range(2, 42, 4)]
EACH = [word for ratio in RATIOS for word in ("--ratio", ratio)]
ALL = {f"x.selected-{ratio}.npy" for ratio in RATIOS} | {
    f"x.report-{ratio}.json" for ratio in RATIOS
}
"""What a run at all ratios writes."""
STOPPING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
ROWS = 1500

Found = Counter
"""What was found wrong with a run, by kind."""


def data(folder):
    """An input, outside the folders of the runs."""
    path = folder / "x.npy"
    np.save(path, np.random.default_rng(0).normal(size=(ROWS, 8)).astype(np.float32))
    return path


def started(folder, *arguments, **options):
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=folder,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )


def results(folder):
    """Names of the results that are there, and what is wrong with the folder."""
    wrong, names = Found(), set()
    for path in folder.iterdir():
        if path.name.startswith("."):
            wrong["temporaries left"] += 1
            continue
        names.add(path.name)
        try:
            if path.suffix == ".npy":
                np.load(path)
            elif path.suffix == ".json":
                json.loads(path.read_text())
        except (ValueError, EOFError):
            wrong["half-written"] += 1
    return names, wrong


def judged(folder, process, errors, expected, *, sent=None):
    """What is wrong after a run that should leave the files `expected` or none."""
    names, wrong = results(folder)
    text, code = errors.decode(), process.returncode
    ours = "fast_select/cli/_main" in text or "Exception ignored" in text
    if "Traceback" in text and (ours or sent is None):
        wrong["tracebacks"] += 1
    if names and names != expected:
        wrong["half-written"] += 1
    if code == 0 and names != expected:
        wrong["false messages"] += 1
    if "nothing was written" in text and names:
        wrong["false messages"] += 1
    if "are written" in text and names != expected:
        wrong["false messages"] += 1
    if code == 130 and text.count("Interrupted; ") != 1:
        wrong["false messages"] += 1
    # Until the interpreter has come to run(), it answers a signal itself.
    codes = {0, -sent, 1 if "Traceback" in text else 130} if sent else {0}
    if sent == signal.SIGINT and ours:
        codes -= {-sent, 1}
    if code not in codes:
        wrong["exit codes"] += 1
    return wrong


def at_random(folder, x, rng, longest):
    """A signal at any moment of a run."""
    process = started(folder, x, *EACH)
    number = STOPPING[rng.integers(len(STOPPING))]
    time.sleep(rng.uniform(0, longest))
    process.send_signal(number)
    return judged(folder, process, process.communicate(timeout=60)[1], ALL, sent=number)


def in_the_window(folder, x, rng, number=None, force=False):
    """A signal once the first file is there under its hidden name, or a little later."""
    if force:
        for name in ALL:
            (folder / name).write_bytes(b"")
    process = started(folder, x, *EACH, "--quiet", *(["--force"] if force else []))
    number = number or STOPPING[rng.integers(len(STOPPING))]
    while process.poll() is None and not any(
        entry.name.startswith(".") for entry in os.scandir(folder)
    ):
        pass
    # Folders are tried before the work: the files come after that.
    since = time.monotonic()
    while process.poll() is None and time.monotonic() - since < 60:
        hidden = [entry.name for entry in os.scandir(folder) if entry.name.startswith(".")]
        if len(hidden) > 1:
            break
    time.sleep(rng.uniform(0, 0.006))
    process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    if force and all((folder / name).stat().st_size == 0 for name in ALL):
        for name in ALL:  # as before: none was written
            (folder / name).unlink()
    return judged(folder, process, errors, ALL, sent=number)


def killed(folder, x, rng):
    """SIGKILL in the same window: hidden files and some of the results may stay, whole ones."""
    in_the_window(folder, x, rng, signal.SIGKILL)
    _, wrong = results(folder)
    del wrong["temporaries left"]
    return wrong


def into_a_slow_pipe(folder, x, rng):
    """A signal while indices go into a FIFO whose reader is slow."""
    pipe = folder / "rows.txt"
    os.mkfifo(pipe)
    process = started(folder, x, "--ratio", "0.9", "-o", "rows.txt", "--report", "r.json",
                      "--quiet")  # fmt: skip
    number = STOPPING[rng.integers(len(STOPPING))]
    with pipe.open("rb", buffering=0) as reader:
        reader.read(1)
        reading = rng.integers(2)
        if reading:
            while reader.read(512):
                time.sleep(0.0005)
        process.send_signal(number)
        errors = process.communicate(timeout=60)[1]
    pipe.unlink()
    return judged(folder, process, errors, {"r.json"}, sent=number)


def on_bad_streams(folder, x, rng):
    """Standard streams closed or full, in any combination."""
    ways = {"open": "", "closed": "{}>&-", "full": "{}>/dev/full", "left": "{}>&3"}
    out, err = (list(ways)[rng.integers(len(ways))] for _ in range(2))
    shown = bool(rng.integers(2))
    command = " ".join([*COMMAND, str(x), "--ratio .1", *(["--json"] if shown else [])])
    redirected = f"{ways[out].format(1)} {ways[err].format(2)}"
    read, write = os.pipe()
    os.close(read)  # its reader has left
    process = subprocess.Popen(
        ["bash", "-c", f"exec 3>&{write}; {command} {redirected}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        pass_fds=[write],
    )
    os.close(write)
    errors = process.communicate(timeout=60)[1]
    names, wrong = results(folder)
    expected = {"x.selected.npy", "x.report.json"}
    failing = shown and out in ("closed", "full")
    if names != (set() if failing else expected):
        wrong["half-written"] += 1
    if bool(process.returncode) != failing:
        wrong["exit codes"] += 1
    if b"Traceback" in errors or (failing and err == "open" and errors.count(b"Error") != 1):
        wrong["tracebacks"] += 1
    return wrong


def two_at_once(folder, x, rng):
    """Two runs to one name: the second fails, or with --force replaces both files of the first."""
    force = ["--force"] if rng.integers(2) else []
    both = []
    for count in (100, 200):
        both.append(started(folder, x, "--count", count, "--quiet", *force))
        time.sleep(rng.uniform(0, 0.02))
    errors = [process.communicate(timeout=60)[1] for process in both]
    names, wrong = results(folder)
    if names != {"x.selected.npy", "x.report.json"}:
        wrong["half-written"] += 1
        return wrong
    count = json.loads((folder / "x.report.json").read_text())["selection"]["count"]
    if np.load(folder / "x.selected.npy").size != count:
        wrong["half-written"] += 1
    codes = sorted(process.returncode for process in both)
    if codes[0] != 0 or codes[1] not in ((0,) if force else (1, 2)):
        wrong["exit codes"] += 1
    if any(b"Traceback" in text for text in errors):
        wrong["tracebacks"] += 1
    return wrong


def duration(x):
    """Seconds of a run with nothing in its way."""
    with tempfile.TemporaryDirectory() as folder:
        since = time.monotonic()
        process = started(Path(folder), x, *EACH)
        process.communicate()
        return time.monotonic() - since


def kinds(x):
    """The kinds of faults, each with the share of the runs that it gets."""
    longest = 1.1 * duration(x)
    return {
        "signals at random moments": (0.5, lambda f, rng: at_random(f, x, rng, longest)),
        "signals while files are written": (0.2, lambda f, rng: in_the_window(f, x, rng)),
        "the same with --force": (0.1, lambda f, rng: in_the_window(f, x, rng, force=True)),
        "signals while a slow pipe is written": (0.1, lambda f, rng: into_a_slow_pipe(f, x, rng)),
        "kill -9 while files are written": (0.1, lambda f, rng: killed(f, x, rng)),
        "closed and full streams": (0.2, lambda f, rng: on_bad_streams(f, x, rng)),
        "two runs at once": (0.2, lambda f, rng: two_at_once(f, x, rng)),
    }


def tally(n_runs, seed):
    """What was found wrong, by kind of fault; and the runs of each."""
    found = {}
    with tempfile.TemporaryDirectory() as root:
        x = data(Path(root))
        for at, (name, (share, fault)) in enumerate(kinds(x).items()):
            rng = np.random.default_rng([seed, at])
            count, wrong = max(1, round(share * n_runs)), Found()
            for run in range(count):
                folder = Path(root) / f"{at}-{run}"
                folder.mkdir()
                wrong += fault(folder, rng)
            found[name] = (count, wrong)
    return found


WRONGS = ["half-written", "false messages", "temporaries left", "tracebacks", "exit codes"]


def main():
    n_runs, seed = (int(given or usual) for given, usual in
                    itertools.zip_longest(sys.argv[1:], ["200", "0"]))  # fmt: skip
    print(f"{'':<38}{'runs':>6}" + "".join(f"{name:>18}" for name in WRONGS))
    for name, (count, wrong) in tally(n_runs, seed).items():
        print(f"{name:<38}{count:>6}" + "".join(f"{wrong[each]:>18}" for each in WRONGS))


if __name__ == "__main__":
    main()
