"""A selection by the workers of a Dask cluster: the same rows, whatever becomes of the workers."""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import dask.array
import dask.dataframe
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster, WorkerPlugin
from numpy.typing import NDArray

from fast_select import ComputationError, FastSelectError, InvalidInputError, select, select_nested
from fast_select._cluster import census, presence
from fast_select._cluster.collections import is_collection
from fast_select._cluster.deaths import Deaths
from fast_select._cluster.member import read
from fast_select._cluster.notes import Notes, held
from fast_select._cluster.presence import Presence
from fast_select._cluster.shared import file_of
from fast_select._cluster.urls import fetched
from fast_select.page import Told
from fast_select.page.words import took
from many_blocks import FLAGS, OPTIONS, points, run

ROWS = 12_000


def small_cluster(folder: Path) -> LocalCluster:
    return LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=":0",
        memory_limit=0,
        silence_logs=logging.CRITICAL,
        local_directory=folder,
    )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with small_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[Client]:
    with Client(cluster, set_as_default=False) as client:
        scaled(client, 2)
        yield client


def scaled(client: Client, n_workers: int) -> None:
    client.cluster.scale(n_workers)
    deadline = time.monotonic() + 60
    while len(client.nthreads()) != n_workers:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("input") / "x.npy"
    np.save(path, points(ROWS))
    return path


@pytest.fixture(scope="module")
def expected(features: Path) -> NDArray[np.int64]:
    return select(np.load(features), **OPTIONS).indices


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.glob(".cluster-*")]


@pytest.mark.parametrize("n_workers", [1, 2, 3])
def test_the_rows_are_those_of_one_process(
    tmp_path: Path, client: Client, expected: NDArray[np.int64], n_workers: int
) -> None:
    scaled(client, n_workers)
    made = select(points(ROWS), client=client, checkpoint=tmp_path / "work", **OPTIONS)
    np.testing.assert_array_equal(made.indices, expected)
    crew = made.report["crew"]
    assert (crew["processes"], crew["machines"]) == (n_workers + 1, 1)
    assert f"{n_workers + 1} processes on 1 machine" in took(Told.of(made.report))
    assert crew["cpu_s"] > made.report["totals"]["cpu_s"]
    assert crew["joules"] > made.report["totals"]["joules"]
    assert [stage["name"] for stage in made.report["stages"]] == ["prepare", "exchange", "quality"]
    assert not left_in(tmp_path / "work")


@pytest.mark.parametrize(
    ("d", "options"),
    [
        (80, {}),
        (6, {"labels": np.array(["a", "b", "c"])[np.arange(ROWS) % 3]}),
        (6, {"labels": np.arange(ROWS) % 2, "balance": {0: 40, 1: 20}, "ratio": None}),
        (6, {"groups": np.arange(ROWS) // 4, "max_per_group": 1, "include": [7, 8]}),
        (6, {"exclude": np.arange(ROWS) < 400, "weights": "nearest", "rank": True}),
        (6, {"ids": [f"row {i}" for i in range(ROWS)], "max_memory": 1 << 30, "threads": 1}),
        (6, {"method": "k-means", "include": None}),
    ],
)
def test_all_that_a_selection_takes_goes_along(
    client: Client, d: int, options: dict[str, Any]
) -> None:
    x, options = points(ROWS, d), {**OPTIONS, **options}
    free, made = select(x, **options), select(x, client=client, **options)
    np.testing.assert_array_equal(made.indices, free.indices)
    for name in ("weights", "rank", "labels", "ids"):
        one, other = getattr(made, name), getattr(free, name)
        assert (one is None) == (other is None)
        np.testing.assert_array_equal(one, other)
    assert made.report["quality"] == free.report["quality"]
    assert made.report["input"]["hashes"] == free.report["input"]["hashes"]


def test_nested_selections(client: Client) -> None:
    options = {**OPTIONS, "ratios": [0.02, 0.1]}
    del options["ratio"]
    free, made = (
        select_nested(points(ROWS), **options),
        select_nested(points(ROWS), client=client, **options),
    )
    for one, other in zip(free, made, strict=True):
        np.testing.assert_array_equal(one.indices, other.indices)


@pytest.mark.parametrize("done", ["input/*-0*", "selection-*/block-*"])
def test_a_worker_is_killed(
    tmp_path: Path, client: Client, expected: NDArray[np.int64], done: str
) -> None:
    pids = list(client.run(os.getpid).values())
    killed: list[int] = []

    def kill() -> None:
        while not list(tmp_path.glob(f"work/{done}")):
            time.sleep(0.0005)
        os.kill(pids[0], signal.SIGKILL)
        killed.append(pids[0])

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    made = select(points(ROWS), client=client, checkpoint=tmp_path / "work", **OPTIONS)
    killer.join(5)
    assert killed
    np.testing.assert_array_equal(made.indices, expected)


class DiesAt(WorkerPlugin):
    """Has workers die that take a piece."""

    def __init__(self, piece: str) -> None:
        self.piece = piece

    def setup(self, worker: Any) -> None:
        from fast_select._cluster import member

        piece, take = self.piece, member.Noted.take

        def dies(self: Any, scope: str, name: str) -> bool | None:
            taken = take(self, scope, name)
            if name == piece and taken:
                os._exit(9)
            return taken

        member.Noted.take = dies  # type: ignore[method-assign]


@pytest.mark.slow
def test_workers_that_die_again_and_again(
    tmp_path: Path, client: Client, expected: NDArray[np.int64]
) -> None:
    options = {**OPTIONS, "checkpoint": tmp_path / "work"}
    with (
        small_cluster(tmp_path / "dask") as doomed,
        Client(doomed, set_as_default=False) as theirs,
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
    ):
        theirs.register_plugin(DiesAt("block-000003"), name="dies")
        with pytest.raises(ComputationError, match=r"2 workers died.* had block-000003"):
            select(points(ROWS), client=theirs, **options)
    assert not left_in(tmp_path / "work")
    np.testing.assert_array_equal(select(points(ROWS), client=client, **options).indices, expected)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (["+a\n+b\n-a\n"] * 4, "while they had b"),
        ([None] * 4, "before they had begun"),
        (["+a\n", "+b\n", None, "+a\n", "+b\n-b\n", "+a\n", "+c\n", "+a\n"], "they had a"),
    ],
)
def test_deaths_are_counted_by_piece(tmp_path: Path, lines: list[str | None], named: str) -> None:
    deaths = Deaths()
    for i, text in enumerate(lines):
        path = tmp_path / str(i)
        if text is not None:
            path.write_text(text)
        if i + 1 == len(lines):
            with pytest.raises(ComputationError, match=f"4 workers died.*{named}"):
                deaths.count(path)
        else:
            deaths.count(path)


def test_no_workers_are_told_of(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "GRACE_S", 0.3)
    scaled(client, 0)
    with pytest.raises(ComputationError, match="no worker"):
        select(points(ROWS), client=client, checkpoint=tmp_path / "work", **OPTIONS)
    assert not (tmp_path / "work").exists()


def test_a_run_that_is_stopped_goes_on(
    tmp_path: Path, client: Client, expected: NDArray[np.int64]
) -> None:
    class Enough(Exception):
        pass

    def progress(*_: Any) -> None:
        raise Enough

    x = points(n=60_000)
    options = {**OPTIONS, "client": client, "checkpoint": tmp_path / "work"}
    with pytest.raises(Enough):
        select(x, progress=progress, **options)
    assert not left_in(tmp_path / "work")
    assert not any(client.processing().values())
    assert list((tmp_path / "work").glob("*/*"))
    monitored: list[str] = []
    made = select(x, progress=lambda stage, *_: monitored.append(stage), **options)
    np.testing.assert_array_equal(made.indices, select(x, **OPTIONS).indices)
    assert list(dict.fromkeys(monitored)) == ["prepare", "exchange", "quality"]


def test_a_checkpoint_of_other_values_is_refused_before_the_work(
    tmp_path: Path, client: Client
) -> None:
    x = points(n=3000)
    select(x, checkpoint=tmp_path, **OPTIONS)
    x[1, 1] += 1
    members = len(list(tmp_path.glob("members/*")))
    with pytest.raises(InvalidInputError, match="other values"):
        select(x, client=client, checkpoint=tmp_path, **OPTIONS)
    assert len(list(tmp_path.glob("members/*"))) <= members + 1


def frame(x: NDArray[np.float32]) -> pd.DataFrame:
    """Columns of several types: one of whole numbers that lacks some in a part."""
    table = pd.DataFrame(x, columns=list("abcdef"))
    table["g"] = pd.array(np.arange(len(x)) % 7, dtype="Int64")
    table.loc[len(x) - 5, "g"] = pd.NA
    return table


def test_arrays_of_dask(tmp_path: Path, client: Client, expected: NDArray[np.int64]) -> None:
    x = dask.array.from_array(points(ROWS), chunks=(2500, 4))
    assert is_collection(x) and not is_collection(points(ROWS))
    made = select(x, client=client, checkpoint=tmp_path, **OPTIONS)
    np.testing.assert_array_equal(made.indices, expected)
    some = x[x[:, 0] > 0]  # of which nobody knows how many rows a part has
    made = select(some, client=client, **OPTIONS)
    np.testing.assert_array_equal(made.indices, select(some.compute(), **OPTIONS).indices)


def dies_once(part: NDArray[np.float32], marker: Path) -> NDArray[np.float32]:
    if not marker.exists():
        marker.touch()
        os._exit(9)
    return part


def test_a_worker_dies_as_it_writes_a_part(
    tmp_path: Path, client: Client, expected: NDArray[np.int64]
) -> None:
    x = dask.array.from_array(points(ROWS), chunks=(2500, 6))
    x = x.map_blocks(dies_once, tmp_path / "died", dtype=x.dtype, meta=x._meta)
    made = select(x, client=client, checkpoint=tmp_path / "work", **OPTIONS)
    assert (tmp_path / "died").exists()
    np.testing.assert_array_equal(made.indices, expected)


def test_frames_of_dask(client: Client) -> None:
    table = frame(points(ROWS))
    options = {**OPTIONS, "nonfinite": "drop"}
    parts = dask.dataframe.from_pandas(table, npartitions=5)
    made = select(parts, client=client, labels=parts["a"] > 0, **options)
    free = select(table, labels=table["a"] > 0, **options)
    np.testing.assert_array_equal(made.indices, free.indices)
    assert made.report["input"]["dtype"] == "float64"


@pytest.mark.parametrize(
    ("x", "named"),
    [
        (dask.array.zeros(10, chunks=5), "1 dimensions"),
        (dask.array.zeros((0, 3), chunks=5), "no rows"),
        (dask.array.from_array(np.full((6, 2), "a"), chunks=3), "part 0"),
        (dask.dataframe.from_pandas(pd.DataFrame({"a": ["x", "y"]}), npartitions=1), "'a'"),
        (dask.delayed(np.zeros)((3, 3)), "neither an array nor a frame"),
    ],
)
def test_what_of_dask_is_no_matrix(client: Client, x: Any, named: str) -> None:
    with pytest.raises(InvalidInputError, match=named) as refused:
        select(x, client=client, **OPTIONS)
    assert refused.value.what == "x"


def test_urls_are_copied_by_workers(tmp_path: Path, client: Client) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    for k, part in enumerate(np.split(points(ROWS), 3)):
        np.save(parts / f"part-{9 + k}.npy", part)
    (parts / "notes.md").write_text("no features")
    (parts / ".hidden.npy").write_text("")
    (tmp_path / "labels.txt").write_text("a\nb\n")
    names = ["parts", "parts/part-*.npy", "parts/part-9.npy", "labels.txt"]
    given = [f"file://{tmp_path}/{name}" for name in names]
    copies = [fetched(Presence(client), given, tmp_path) for _ in range(2)]
    assert copies[0] == copies[1]
    folder, pattern, file, labels = (Path(copies[0][url]) for url in given)
    for several in (folder, pattern):
        np.testing.assert_array_equal(read([several]), points(ROWS))
    np.testing.assert_array_equal(read([file]), points(ROWS)[: ROWS // 3])
    assert labels.read_text() == "a\nb\n" and labels.name == "labels.txt"
    np.save(parts / "part-9.npy", np.zeros((3, 6)))
    again = fetched(Presence(client), given, tmp_path)
    assert read([Path(again[given[2]])]).shape == (3, 6)


@pytest.mark.slow
def test_urls_on_the_command_line(tmp_path: Path, features: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\n" * (ROWS // 2))
    there = [features, "--labels", labels]
    elsewhere = [f"file://{features}", "--labels", f"file://{labels}", "--cluster", "local"]
    for words, output in ((there, "one.npy"), (elsewhere, "two.npy")):
        more = ["--threads", "2", "--quiet", "--report", f"{output}.json"]
        done = run(*words, *FLAGS, *more, "-o", output, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    one, two = (np.load(tmp_path / name) for name in ("one.npy", "two.npy"))
    np.testing.assert_array_equal(one, two)
    named = json.loads((tmp_path / "two.npy.json").read_text())["input"]["named"]
    assert named["inputs"] == [f"file://{features}"]
    alone = run("s3://bucket/x.npy", *FLAGS, cwd=tmp_path)
    assert alone.returncode == 2
    assert (
        alone.stderr.startswith("Error: s3://bucket/x.npy: is a URL")
        and "--cluster" in alone.stderr
    )


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("file:///nowhere/x.npy", "cannot be read"),
        ("file:///nowhere/", "cannot be read"),
        ("nosuch://bucket/x.npy", "nosuch"),
        ("file:///proc/self/fd/", "no files with features"),
    ],
)
def test_urls_that_cannot_be_read(tmp_path: Path, client: Client, url: str, named: str) -> None:
    with pytest.raises(InvalidInputError, match=named) as refused:
        fetched(Presence(client), [url], tmp_path)
    assert refused.value.what == url
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_the_command_on_a_cluster_elsewhere(
    tmp_path: Path, client: Client, features: Path, expected: NDArray[np.int64]
) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"type": "Scheduler", "address": client.scheduler.address}))
    words = [features, *FLAGS, "--force", "-o", "rows.npy"]
    for cluster in (client.scheduler.address, file):
        done = run(*words, "--cluster", cluster, "--scratch", ".", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Crew: 3 processes on 1 machine" in done.stderr
        np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), expected)
    assert not list(tmp_path.glob("fast-select-*"))
    lacks = run(*words, "--cluster", client.scheduler.address, cwd=tmp_path)
    assert lacks.returncode == 2
    assert (
        lacks.stderr.startswith("Error: --checkpoint: is missing") and "--scratch" in lacks.stderr
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped(tmp_path: Path, number: int) -> None:
    np.save(tmp_path / "x.npy", points(n=200_000))
    words = ["x.npy", *FLAGS, "--cluster", "local", "--threads", "2", "-o", "rows.npy"]
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "fast_select", *words, "--progress", "json"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    while not list(tmp_path.glob("tmp/fast-select-*/members/*")):
        assert process.poll() is None
        time.sleep(0.02)
    since = time.monotonic()
    # As a terminal does, to all processes.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert time.monotonic() - since < 6
    lines = [line for line in stderr.splitlines() if not line.startswith("{")]
    assert lines == (["Interrupted; nothing was written."] if number == signal.SIGINT else [])
    assert not list(tmp_path.glob("tmp/*")) and not (tmp_path / "rows.npy").exists()
    with pytest.raises(ProcessLookupError):
        while time.monotonic() - since < 6:
            os.killpg(process.pid, 0)
            time.sleep(0.02)


def test_a_client_that_is_killed_leaves_no_members(tmp_path: Path, client: Client) -> None:
    np.save(tmp_path / "x.npy", points(n=80_000))
    words = ["x.npy", *FLAGS, "--cluster", client.scheduler.address, "--checkpoint", "work"]
    process = subprocess.Popen([sys.executable, "-m", "fast_select", *words], cwd=tmp_path)
    while not list(tmp_path.glob("work/members/*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    until = time.monotonic() + 5
    while any(client.run(n_running).values()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(client.run(n_running).values())
    assert left_in(tmp_path / "work")
    options = {**OPTIONS, "client": client, "checkpoint": tmp_path / "work"}
    select(np.load(tmp_path / "x.npy", mmap_mode="r"), **options)
    assert not left_in(tmp_path / "work")


def n_running(dask_worker: Any) -> int:
    return len(dask_worker.state.executing)


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("tcp://127.0.0.1:9", "Connection refused"),
        ("foo://host:1", "scheme 'foo'"),
        ("nowhere", "neither an address nor a file"),
        ("", "neither an address nor a file"),
        ("x.npy", "no scheduler file"),
    ],
)
def test_clusters_that_are_not_there(tmp_path: Path, word: str, named: str) -> None:
    np.save(tmp_path / "x.npy", points(n=500))
    words = ["x.npy", *FLAGS, "--cluster", word, "--checkpoint", "work"]
    refused = run(*words, cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error: --cluster: ") and refused.stderr.count("\n") == 1
    assert named in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy"]


@pytest.mark.parametrize("client", [7, "tcp://127.0.0.1:8786"])
def test_what_is_no_client(client: Any) -> None:
    with pytest.raises(InvalidInputError, match="client"):
        select(points(n=500), client=client, **OPTIONS)


def test_a_client_that_is_closed(cluster: LocalCluster) -> None:
    with Client(cluster, set_as_default=False) as client:
        pass
    with pytest.raises(InvalidInputError, match="client: is closed"):
        select(points(n=500), client=client, **OPTIONS)
    with pytest.raises(ComputationError, match="the scheduler is gone"):
        Presence(client).workers()


def test_what_a_member_refuses_or_fails_in_is_told(tmp_path: Path, client: Client) -> None:
    x = points(n=3000)
    x[7, 2] = np.nan
    with pytest.raises(InvalidInputError, match=r"NaN.*row 7") as refused:
        select(x, client=client, **OPTIONS)
    assert refused.value.what == "x" and "{nonfinite}" in refused.value.fix
    options = {**OPTIONS, "client": client, "checkpoint": tmp_path}
    made = select(points(ROWS), **options)
    (block,) = tmp_path.glob("selection-*/block-000003")
    block.write_bytes(b"damaged")
    with pytest.raises(ComputationError, match="was damaged"):
        select(points(ROWS), **options)
    np.testing.assert_array_equal(select(points(ROWS), **options).indices, made.indices)


def worker(version: str = "1", used: str = "avx2", *others: str) -> census.Worker:
    return census.Worker(version, used, ("scalar", used, *others))


@pytest.mark.parametrize(
    ("workers", "pinned", "named", "fix"),
    [
        ({"tcp://a:1": worker("0.1")}, None, "tcp://a:1 has fast-select 0.1", "same version"),
        ({"tcp://a:1": worker("")}, None, "no fast-select", "same version"),
        ({"tcp://a:1": worker("1", "other")}, None, "tcp://a:1 uses other", "to scalar"),
        (
            {"tcp://a:1": worker(), "tcp://b:1": worker("1", "avx512", "avx2")},
            None,
            "tcp://b:1 uses avx512, this process avx2",
            "to avx2, which all have",
        ),
        ({"tcp://b:1": worker("1", "avx512", "avx2")}, "avx2", "avx512", "anew"),
    ],
)
def test_workers_unlike_this_process(
    monkeypatch: pytest.MonkeyPatch,
    workers: dict[str, census.Worker],
    pinned: str | None,
    named: str,
    fix: str,
) -> None:
    class Core:
        @staticmethod
        def info() -> dict[str, str]:
            return {"version": "1", "instruction_set": "avx2"}

        @staticmethod
        def instruction_sets() -> list[str]:
            return ["scalar", "avx2"]

    monkeypatch.setattr(census, "_core", Core)
    census.check_alike({"tcp://a:1": worker()}, pinned)
    with pytest.raises(InvalidInputError, match=named) as refused:
        census.check_alike(workers, pinned)
    assert fix in refused.value.fix


def changes_version(version: str) -> str:
    from fast_select import _core

    before = _core.__version__
    _core.__version__ = version
    return before


def test_another_version_is_refused(tmp_path: Path, client: Client) -> None:
    first = next(iter(client.nthreads()))
    before = client.run(changes_version, "0.0.7", workers=[first])[first]
    try:
        with pytest.raises(InvalidInputError, match=f"{first} has fast-select 0.0.7"):
            select(points(n=500), client=client, checkpoint=tmp_path / "work", **OPTIONS)
    finally:
        client.run(changes_version, before, workers=[first])
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
def test_an_instruction_set_is_pinned(tmp_path: Path, features: Path) -> None:
    words = [features, *FLAGS, "--quiet", "--force"]
    env = {**os.environ, "FAST_SELECT_INSTRUCTION_SET": "scalar"}
    for more, output, settings in (
        ([], "one.npy", {"env": env}),
        (["--instruction-set", "scalar"], "two.npy", {}),
        (["--instruction-set", "scalar", "--cluster", "local"], "three.npy", {}),
    ):
        report = output.replace("npy", "json")
        done = run(*words, *more, "-o", output, "--report", report, cwd=tmp_path, **settings)
        assert (done.returncode, done.stderr) == (0, "")
        tool = json.loads((tmp_path / report).read_text())["tool"]
        assert tool["instruction_set"] == "scalar"
    rows = [np.load(tmp_path / name) for name in ("one.npy", "two.npy", "three.npy")]
    assert np.array_equal(rows[0], rows[1]) and np.array_equal(rows[0], rows[2])
    lacks = run(*words, "--instruction-set", "neon" if sys.maxsize else "", cwd=tmp_path)
    assert lacks.returncode == 2 and "not one of this machine's" in lacks.stderr
    both = run(*words, "--instruction-set", "avx2", cwd=tmp_path, env=env)
    assert both.returncode == 2 and "scalar already" in both.stderr


@pytest.mark.parametrize(
    ("folder", "files", "named"),
    [
        ("nowhere", [], "does not see the folder"),
        (".", [], "locks of other machines"),
        ("held", [("missing.npy", 3)], "does not see 'missing.npy'"),
        ("held", [("small.npy", 3)], "sees another 'small.npy', of 1 bytes"),
        ("held", [("small.npy", 1)], ""),
    ],
)
def test_what_a_worker_does_not_see(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    files: list[tuple[str, int]],
    named: str,
) -> None:
    from fast_select._locks import Lock

    monkeypatch.chdir(tmp_path)
    Path("small.npy").write_text("x")
    Path("held").mkdir()
    lock = Lock.take(Path("held/client"))
    assert lock is not None
    fact = census._seeing(folder, f"{folder}/client", files)
    assert named in fact and bool(named) == bool(fact)
    lock.release()


def test_a_worker_that_sees_too_little_is_refused(tmp_path: Path, features: Path) -> None:
    class Blind:
        def run(self, function: Callable[..., Any], *args: Any, **_: Any) -> dict[str, str]:
            return {"tcp://far:1": "does not see the folder '/shared'"}

    with pytest.raises(InvalidInputError, match="worker tcp://far:1 does not see") as refused:
        census.check_see(Blind(), ["tcp://far:1"], tmp_path, tmp_path / "client", [features])
    assert refused.value.what == "cluster"


def test_maps_are_known_by_their_file(tmp_path: Path, features: Path) -> None:
    whole = np.load(features, mmap_mode="r")
    assert file_of(whole) == file_of(np.asarray(whole)) == features
    others = [whole[1:], whole[::-1], whole[:, ::-1], whole[:, :3], np.array(whole)]
    assert [file_of(x) for x in others] == [None] * 5
    raw = tmp_path / "raw"
    points(n=20).tofile(raw)
    assert file_of(np.memmap(raw, np.float32, "r", shape=(20, 6))) is None
    assert file_of(np.load(features, mmap_mode="c")) is None


def test_notes_tell_what_is_held(tmp_path: Path) -> None:
    assert held(tmp_path / "none") is None
    notes = Notes(tmp_path / "notes")
    assert held(tmp_path / "notes") is None
    for piece in ("a", "b", "c"):
        notes.takes(piece)
    notes.leaves("b")
    assert held(tmp_path / "notes") == ["a", "c"]
    notes.leaves("a")
    notes.leaves("c")
    assert held(tmp_path / "notes") == []
    notes.takes("a")
    notes.close()
    anew = Notes(tmp_path / "notes")
    assert held(tmp_path / "notes") is None
    anew.takes("b")
    assert held(tmp_path / "notes") == ["b"]
    with pytest.raises(ComputationError, match=r"4 workers died.*had b"):
        Deaths().count(tmp_path / "notes", is_last=True)
    anew.close()


@pytest.mark.parametrize("kind", [FastSelectError, InvalidInputError, ComputationError])
def test_errors_come_from_other_processes_as_they_are(kind: type[FastSelectError]) -> None:
    err = kind("x", "has {no} rows", "Set {ratio}", is_parameter=True)
    back = pickle.loads(pickle.dumps(err))
    assert type(back) is kind and str(back) == str(err) and vars(back) == vars(err)
