"""What does not fit into memory lies in a scratch folder, and the rows stay the same."""

import errno
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import fast_select
from fast_select import _core
from fast_select._checks import checked
from fast_select._memory import current_rss
from fast_select._plan import fitted
from fast_select._scratch import Scratch
from fast_select.cli._main import cli, main


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    return (rng.normal(size=(40_000, 24)) ** 3).astype(np.float32)


@pytest.mark.parametrize("columns", [5, 90])
@pytest.mark.parametrize("method", ["fast", "paper", "herding"])
def test_the_rows_are_those_of_memory(tmp_path, columns, method, rng):
    x = rng.normal(size=(3000, columns))
    x[17, 0] = np.nan
    labels = np.arange(3000) % 3
    asked = {"ratio": 0.05, "labels": labels, "nonfinite": "drop", "n_random": 3, "method": method}
    inside = fast_select.select(x, **asked)
    outside = fast_select.select(x, scratch=tmp_path, **asked)
    assert (inside.indices == outside.indices).all()
    assert inside.report["quality"] == outside.report["quality"]
    assert inside.report["memory"]["mapped_scratch_bytes"] == 0
    assert outside.report["memory"]["mapped_scratch_bytes"] == 3000 * min(columns, 80) * 4
    assert not list(tmp_path.iterdir())


def test_it_is_used_where_memory_does_not_do(tmp_path, rng):
    x = rng.normal(size=(120_000, 40)).astype(np.float32)
    asked = {"count": 1200, "n_random": 0, "threads": 1, "max_sweeps": 1}
    ample = fast_select.select(x, max_memory=8 << 30, scratch=tmp_path, **asked)
    assert ample.report["memory"]["mapped_scratch_bytes"] == 0

    def planned(limit, **more):
        params = checked("select", {**asked, "max_memory": limit, **more})
        return fitted(params, 40, [len(x)], 1200, Scratch(tmp_path))

    # Blocks as large as asked for, with the features on disk, and smaller ones without.
    limits = range(current_rss() + (10 << 20), 8 << 30, 2 << 20)
    limit = next(limit for limit in limits if fits(planned, limit))
    params, is_mapped = planned(limit)
    if not is_mapped:  # this process takes so much already that the limit is no matter
        pytest.fail(f"{limit} bytes do not need a scratch folder")
    assert params.values()["block_rows"] == 16384
    tight = fast_select.select(x, max_memory=limit, scratch=tmp_path, **asked)
    assert tight.report["memory"]["mapped_scratch_bytes"] == x.nbytes
    assert (tight.indices == ample.indices).all()


def fits(planned, limit):
    """Whether anything can be done within a limit."""
    try:
        planned(limit)
    except _core.Refused:
        return False
    return True


def test_planned_bytes_leave_the_scratch_aside(tmp_path, data):
    asked = {"count": 400}
    inside, outside = (
        fast_select.plan(data, **asked),
        fast_select.plan(data, scratch=tmp_path, **asked),
    )
    assert inside["mapped_bytes"] == 0
    assert outside["mapped_bytes"] == data.nbytes
    quality = [plan["stages"][-1]["bytes"] for plan in (inside, outside)]
    assert quality[0] - quality[1] == data.nbytes
    assert all("mapped" in stage["formula"] for stage in outside["stages"])


def shards(folder, x, kind):
    folder.mkdir()
    for at in range(4):
        part = x[at * 1000 : (at + 1) * 1000]
        if kind == "npy":
            np.save(folder / f"{at}.npy", part)
        else:
            pq.write_table(pa.table({"v": list(part)}), folder / f"{at}.parquet")


@pytest.mark.parametrize("kind", ["npy", "parquet"])
def test_tables_lie_there_and_shards_where_they_are(tmp_path, monkeypatch, data, kind):
    monkeypatch.chdir(tmp_path)
    shards(tmp_path / "in", data, kind)
    (tmp_path / "s").mkdir()
    asked = ["in", "--ratio", "0.1", "--random", "2", "--quiet"]
    assert main([*asked, "-o", "a.npy", "--report", "a.json"]) == 0
    assert main([*asked, "-o", "b.npy", "--report", "b.json", "--scratch", "s"]) == 0
    assert (np.load("a.npy") == np.load("b.npy")).all()
    told = [json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json")]
    assert [each["memory"]["mapped_input_bytes"] for each in told] == [
        4000 * 24 * 4 if kind == "npy" else 0,
        4000 * 24 * 4,
    ]
    assert told[0]["input"]["hashes"] == told[1]["input"]["hashes"]
    assert not list((tmp_path / "s").iterdir())
    assert main(["verify", "b.json", "--quiet"]) == 0
    shown = CliRunner().invoke(cli, ["plan", "in", "--ratio", "0.1", "--scratch", "s", "--json"])
    assert json.loads(shown.stdout)["input"]["matrix_bytes"] == 0


@pytest.mark.parametrize("make", ["missing", "a file", "closed"])
def test_no_folder_to_write_to(tmp_path, monkeypatch, data, make):
    folder = tmp_path / "s"
    if make == "a file":
        folder.write_text("")
    if make == "closed":
        folder.mkdir()

        def closed(**_):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr("tempfile.TemporaryFile", closed)
    with pytest.raises(fast_select.InvalidInputError, match="scratch: '"):
        fast_select.select(data, count=10, scratch=folder)
    with pytest.raises(fast_select.InvalidInputError, match="scratch: is a name without"):
        fast_select.select(data, count=10, scratch="")
    with pytest.raises(fast_select.InvalidInputError, match="scratch: int is no path"):
        fast_select.select(data, count=10, scratch=3)
    np.save(tmp_path / "x.npy", data[:100])
    shown = CliRunner().invoke(
        cli, [str(tmp_path / "x.npy"), "--count", "10", "--scratch", str(folder)]
    )
    assert "scratch" in str(shown.exception)


def failing(number):
    """A call that the system refuses."""

    def fail(*_):
        raise OSError(number, os.strerror(number))

    return fail


def test_a_folder_that_cannot_hold_files_is_told(tmp_path, monkeypatch, data):
    monkeypatch.setattr(os, "posix_fallocate", failing(errno.EIO))
    with pytest.raises(fast_select.ComputationError, match="cannot hold a mapped file"):
        fast_select.select(data, count=400, scratch=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_full_folder_is_told_before_the_work(tmp_path, monkeypatch, data):
    monkeypatch.setattr(os, "posix_fallocate", failing(errno.ENOSPC))
    with pytest.raises(fast_select.ComputationError, match="has no room for 4 MiB"):
        fast_select.select(data, count=400, scratch=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("how", ["missing", "refused"])
def test_room_without_posix_fallocate(tmp_path, monkeypatch, how):
    if how == "missing":
        monkeypatch.delattr(os, "posix_fallocate")
    else:
        monkeypatch.setattr(os, "posix_fallocate", failing(errno.EOPNOTSUPP))
    room = Scratch(tmp_path).array((700_000,), np.dtype(np.float32))
    assert room.shape == (700_000,)
    assert not room.any()
    room[-1] = 1.0


def test_room_that_cannot_be_used_is_refused(data):
    params = _core.Params("select")
    short, closed = np.zeros(7, np.float32), np.zeros(data.size, np.float32)
    closed.flags.writeable = False
    for room in (short, closed, np.zeros(2 * data.size, np.float32)[::2]):
        with pytest.raises(_core.Refused):
            _core.prepare(data, params, room=room)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_by_a_run_that_ends(tmp_path, data, number):
    np.save(tmp_path / "x.npy", data)
    folder = tmp_path / "s"
    folder.mkdir()
    run = subprocess.Popen(
        [sys.executable, "-m", "fast_select", "x.npy", "--ratio", "0.2", "--scratch", "s",
         "--progress", "json"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in run.stderr:
        if '"exchange"' in line:
            break
    run.send_signal(number)
    run.stderr.read()
    assert run.wait() == -number
    assert not list(folder.iterdir())
    assert not (tmp_path / "x.selected.npy").exists()
