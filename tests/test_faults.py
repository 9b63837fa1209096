"""Some of each kind of fault of `faults.py`, and faults that are brought about one by one."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import faults
from fast_select import ComputationError, _core, _plan, select
from fast_select.cli._commit import Outcome
from fast_select.cli._main import told
from fast_select.cli._run import Hash
from fast_select.io import read_features


@pytest.mark.slow
def test_no_fault_leaves_a_trace():
    found = faults.tally(5, 1)
    assert {name: +wrong for name, (_, wrong) in found.items() if +wrong} == {}


def python(code, *arguments):
    """Run code in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


CUT = """
import mmap, tempfile
from fast_select import _core
_core.exit_on_faults(b"memory\\n", b"cut\\n")
with tempfile.TemporaryFile() as file:
    file.truncate(8192)
    mapped = mmap.mmap(file.fileno(), 8192)
    file.truncate(0)
    print(mapped[5000])
"""


def test_a_mapped_file_that_is_cut_short_ends_in_a_line():
    got = python(CUT)
    assert (got.returncode, got.stdout, got.stderr) == (1, b"", b"cut\n")


# The limit leaves the core a little more than it has.
LITTLE = """
import resource, sys
import numpy as np
import fast_select
from fast_select import _core
x = np.random.default_rng(0).random((50_000, 300), dtype=np.float32)
if sys.argv[1:] == ["unplanned"]:
    _core.can_have = lambda bytes: True
    _core.exit_on_faults(b"Error: memory\\n", b"cut\\n")
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 30_000_000,) * 2)
try:
    fast_select.select(x, ratio=0.01, threads=1)
except fast_select.ComputationError as err:
    print(err)
"""


def test_memory_that_is_planned_and_cannot_be_had_is_an_error():
    got = python(LITTLE)
    assert (got.returncode, got.stderr) == (0, b"")
    assert got.stdout.startswith(b"memory: ")
    assert b"MiB more, which the plan has, cannot be had. Lower max_memory" in got.stdout


def test_memory_that_cannot_be_had_ends_the_command_in_a_line():
    got = python(LITTLE, "unplanned")
    assert (got.returncode, got.stdout, got.stderr) == (1, b"", b"Error: memory\n")


def test_the_plan_is_asked_for_before_any_work(monkeypatch):
    seen = []
    monkeypatch.setattr(_plan._core, "can_have", lambda size: seen.append(size))
    stages = []
    with pytest.raises(ComputationError, match="cannot be had"):
        select(np.eye(50), ratio=0.5, progress=lambda *at: stages.append(at))
    assert stages == []
    assert seen[0] > 0


@pytest.mark.parametrize("limit", [60_000, 150_000, 220_000, 320_000])
def test_the_command_under_a_limit_of_memory(run, tmp_path, limit):
    path = tmp_path / "x.npy"
    np.save(path, np.random.default_rng(0).random((60_000, 100), dtype=np.float32))
    command = f"ulimit -v {limit}; exec {sys.executable} -m fast_select {path} --ratio .01 --quiet"
    got = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        cwd=run.folder,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    assert got.returncode == 1
    assert got.stderr.count(b"\n") == 1, got.stderr
    assert list(run.folder.iterdir()) == []


def test_threads_that_cannot_be_started_are_told(run, features):
    got = run(features, "--ratio", "0.1", RUST_MIN_STACK=str(1 << 50))
    assert got.returncode == 2
    [line] = got.stderr.splitlines()
    assert line.startswith(b"Error: --threads: ")
    assert b"cannot be started" in line


def test_without_a_thread_to_hash_in_the_hash_is_taken_later(monkeypatch, features):
    def start(_thread):
        raise RuntimeError("can't start new thread")

    expected = read_features([str(features)], key=None, flatten=False)
    monkeypatch.setattr(threading.Thread, "start", start)
    assert Hash(expected).digest() == expected.sha256()


def test_a_bug_of_ours_is_a_line(capsys):
    try:
        raise ZeroDivisionError("division\nby zero")
    except ZeroDivisionError as err:
        assert told(err, Outcome()) == 1
    line = capsys.readouterr().err
    assert line.startswith("Error: fast-select: failed in test_faults.py:")
    assert "(ZeroDivisionError: division by zero); nothing was written." in line
    assert line.count("\n") == 1


def test_the_core_can_tell_what_can_be_had():
    assert _core.can_have(1 << 20)
    assert not _core.can_have(1 << 60)
