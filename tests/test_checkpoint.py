"""A folder that keeps what is done: going on where a run was ended, and sharing the work."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import many_blocks
from fast_select import InvalidInputError, _core, _locks, select, select_nested
from fast_select._checkpoint import MANIFEST, Checkpoint
from fast_select._errors import ComputationError
from fast_select._locks import Lock
from many_blocks import OPTIONS, points, run

ROWS = 20_000
FLAGS = [*many_blocks.FLAGS, "--quiet"]


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("input") / "x.npy"
    np.save(path, points(ROWS))
    return path


@pytest.fixture(scope="module")
def expected(features: Path) -> NDArray[np.int64]:
    return select(np.load(features), **OPTIONS).indices


def begun(*words: str | Path, **settings: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fast_select", *map(str, words)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, **settings)


def half_written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if path.suffix in (".part", ".lock")]


@pytest.mark.parametrize(
    ("d", "options"),
    [
        (6, {}),
        (90, {}),
        (6, {"method": "paper", "max_steps": 2, "n_neighbors": 8, "n_components": 4}),
        (6, {"method": "k-means"}),
        (6, {"init": "k-means++", "rank": True, "weights": "nearest"}),
        (6, {"labels": np.arange(4000) % 3, "block_rows": 256}),
        (6, {"groups": np.arange(4000) // 4, "max_per_group": 1, "include": [7, 8]}),
    ],
)
def test_the_rows_are_those_of_a_run_without(
    tmp_path: Path, d: int, options: dict[str, Any]
) -> None:
    x = points(4000, d)
    options = {**OPTIONS, **options}
    free = select(x, **options)
    for _ in range(2):
        kept = select(x, checkpoint=tmp_path / "work", **options)
        np.testing.assert_array_equal(kept.indices, free.indices)
        for name in ("weights", "rank"):
            np.testing.assert_array_equal(getattr(kept, name), getattr(free, name))
        facts = ("n_distinct", "n_far", "far_rows", "explained_variance", "hashes")
        assert [kept.report["input"][f] for f in facts] == [free.report["input"][f] for f in facts]
        assert kept.report["quality"] == free.report["quality"]
    assert not half_written(tmp_path)


def test_nested_selections_go_on_too(tmp_path: Path) -> None:
    x = points(n=5000)
    options = {**OPTIONS, "ratios": [0.02, 0.1]}
    del options["ratio"]
    free = select_nested(x, **options)
    for _ in range(2):
        kept = select_nested(x, checkpoint=tmp_path, **options)
        for one, other in zip(free, kept, strict=True):
            np.testing.assert_array_equal(one.indices, other.indices)


def test_z_serves_other_ratios_and_seeds(tmp_path: Path) -> None:
    x = points(4000, 90)
    select(x, checkpoint=tmp_path, **OPTIONS)
    made = (tmp_path / "input" / "z").stat().st_mtime_ns
    for options in ({"ratio": 0.1}, {"seed": 4}):
        kept = select(x, checkpoint=tmp_path, **{**OPTIONS, **options})
        free = select(x, **{**OPTIONS, **options})
        np.testing.assert_array_equal(kept.indices, free.indices)
    assert (tmp_path / "input" / "z").stat().st_mtime_ns == made


def test_the_graph_serves_other_ratios_and_seeds(tmp_path: Path) -> None:
    x = points(n=2000)
    options = {**OPTIONS, "method": "paper", "max_steps": 1, "n_components": 4}
    select(x, checkpoint=tmp_path, **options)
    graphs = list(tmp_path.glob("graph-*/graph-*"))
    assert len(graphs) == 1
    made = graphs[0].stat().st_mtime_ns
    kept = select(x, checkpoint=tmp_path, **{**options, "seed": 3, "ratio": 0.1})
    free = select(x, **{**options, "seed": 3, "ratio": 0.1})
    np.testing.assert_array_equal(kept.indices, free.indices)
    assert graphs[0].stat().st_mtime_ns == made


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_was_ended_goes_on(
    tmp_path: Path, features: Path, expected: NDArray[np.int64], number: int
) -> None:
    folder, output = tmp_path / "work", tmp_path / "rows.npy"
    words = [features, *FLAGS, "--checkpoint", folder, "-o", output, "--force"]
    draw, ends = random.Random(number), 0
    while True:
        enough = len(results(folder)) + draw.randint(1, 6)
        process = begun(*words, cwd=tmp_path)
        while process.poll() is None and len(results(folder)) < enough:
            time.sleep(0.002)
        process.send_signal(number)
        if process.wait(30) == 0:
            break
        ends += 1
    assert ends
    done = run(*words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    np.testing.assert_array_equal(np.load(output), expected)
    assert not half_written(folder)


def results(folder: Path) -> list[Path]:
    return list(folder.glob("input/*")) + list(folder.glob("*/block-*"))


def test_shares_one_after_the_other(
    tmp_path: Path, features: Path, expected: NDArray[np.int64]
) -> None:
    for k in (1, 2, 3):
        share = run("shard", f"{k}/3", features, *FLAGS, "--checkpoint", "work", cwd=tmp_path)
        assert share.returncode == 0, share.stderr
    merged = run("merge", "work", "-o", "rows.npy", "--report", "r.json", "--quiet", cwd=tmp_path)
    assert (merged.returncode, merged.stderr) == (0, "")
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), expected)
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["crew"]["processes"] == 4
    assert report["crew"]["cpu_s"] > report["totals"]["cpu_s"]
    verified = run("verify", "r.json", cwd=tmp_path)
    assert verified.returncode == 0, verified.stderr


def test_shares_at_the_same_time_of_which_one_is_killed(
    tmp_path: Path, features: Path, expected: NDArray[np.int64]
) -> None:
    words = [features, *FLAGS, "--threads", "1", "--checkpoint", "work"]
    shares = [begun("shard", f"{k}/3", *words, cwd=tmp_path) for k in (1, 2, 3)]
    while len(results(tmp_path / "work")) < 5:
        assert shares[1].poll() is None
        time.sleep(0.002)
    shares[1].kill()
    assert [share.wait(60) for share in shares] == [0, -signal.SIGKILL, 0]
    merged = run("merge", tmp_path / "work", "-o", "rows.npy", "--quiet", cwd=tmp_path)
    assert merged.returncode == 0, merged.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), expected)


def test_merge_does_what_is_left(
    tmp_path: Path, features: Path, expected: NDArray[np.int64]
) -> None:
    words = [features, *FLAGS, "--checkpoint", "work"]
    share = begun("shard", "1/2", *words, cwd=tmp_path)
    while not list(tmp_path.glob("work/orders/*.json")):
        assert share.poll() is None
        time.sleep(0.02)
    share.kill()
    share.wait()
    merged = run("merge", "work", "-o", "rows.npy", "--quiet", cwd=tmp_path)
    assert merged.returncode == 0, merged.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), expected)


def other_values(x: NDArray[Any]) -> NDArray[Any]:
    x = x.copy()
    x[1, 1] += 1  # no row of the sample
    return x


@pytest.mark.parametrize(
    ("change", "options", "named"),
    [
        (lambda x: x[1:], {}, "shape"),
        (lambda x: x.astype("f8"), {}, "dtype"),
        (lambda x: x + 1, {}, "other values"),
        (other_values, {}, "other values"),
        (lambda x: x, {"scale": "standard"}, "scale"),
        (lambda x: x, {"nonfinite": "drop"}, "nonfinite"),
    ],
)
def test_a_folder_of_something_else_is_refused(
    tmp_path: Path, change: Any, options: dict[str, Any], named: str
) -> None:
    x = points(n=3000)
    select(x, checkpoint=tmp_path, **OPTIONS)
    before = sorted(path.name for path in tmp_path.rglob("block-*"))
    with pytest.raises(InvalidInputError, match=named) as refused:
        select(change(x), checkpoint=tmp_path, **{**OPTIONS, **options})
    assert refused.value.what == "checkpoint" and "empty" in refused.value.fix
    assert sorted(path.name for path in tmp_path.rglob("block-*")) == before


def test_shards_that_change_are_found(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    x = points(n=4000)
    for k in range(2):
        np.save(parts / f"part-{k}.npy", x[2000 * k :][:2000])
    words = [parts, *FLAGS, "--checkpoint", "work", "-o", "rows.npy", "--force"]
    assert run(*words, cwd=tmp_path).returncode == 0
    # Written again, the same: not refused, as values are what counts.
    np.save(parts / "part-1.npy", x[2000:])
    assert run(*words, cwd=tmp_path).returncode == 0
    np.save(parts / "part-1.npy", other_values(x[2000:]))
    for command in (words, ["shard", "1/2", parts, *FLAGS, "--checkpoint", "work"]):
        changed = run(*command, cwd=tmp_path)
        assert changed.returncode == 2
        assert "--checkpoint" in changed.stderr and "other values" in changed.stderr
    # Before it was prepared there is nothing to compare with but size and time of the files.
    (tmp_path / "work" / "input" / "prepared").unlink()
    changed = run(*words, cwd=tmp_path)
    assert changed.returncode == 2 and "have changed" in changed.stderr


@pytest.mark.parametrize("entry", ["version", "instruction_set", "format"])
def test_another_version_is_refused(tmp_path: Path, entry: str) -> None:
    x = points(n=2000)
    select(x, checkpoint=tmp_path, **OPTIONS)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    manifest[entry] = "scalar"
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InvalidInputError, match="was begun") as refused:
        select(x, checkpoint=tmp_path, **OPTIONS)
    if entry == "instruction_set":
        assert "FAST_SELECT_INSTRUCTION_SET=scalar" in refused.value.fix


def test_folders_with_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match="holds other files"):
        select(points(n=2000), checkpoint=tmp_path, **OPTIONS)
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(InvalidInputError, match="cannot be understood"):
        select(points(n=2000), checkpoint=tmp_path, **OPTIONS)
    with pytest.raises(InvalidInputError, match="checkpoint"):
        select(points(n=2000), checkpoint=tmp_path / "notes.txt", **OPTIONS)
    with pytest.raises(InvalidInputError, match="letters"):
        select(points(n=2000), checkpoint="", **OPTIONS)


def flipped(path: Path, before: bytes, _: Path) -> None:
    middle = len(before) // 2
    path.write_bytes(before[:middle] + bytes([before[middle] ^ 64]) + before[middle + 1 :])


DAMAGES: list[Callable[[Path, bytes, Path], object]] = [
    lambda path, before, _: path.write_bytes(before[:-1]),
    lambda path, before, _: path.write_bytes(bytes(len(before))),
    lambda path, _, foreign: shutil.copy(foreign, path),
    flipped,
]
"""Cut short, zeroed, of another folder, with a bit turned."""


def test_damaged_results_are_made_anew(tmp_path: Path) -> None:
    x = points(n=ROWS)
    expected = select(x, checkpoint=tmp_path, **OPTIONS).indices
    other = tmp_path / "other"
    select(x[::-1], checkpoint=other, **OPTIONS)
    other.rename(foreign := tmp_path.with_name(f"{tmp_path.name}-other"))
    names = ("input/prepared", "input/z", "selection-*/block-000003", "selection-*/cells-000000")
    for (path,), damage in itertools.product([[*tmp_path.glob(name)] for name in names], DAMAGES):
        before = path.read_bytes()
        damage(path, before, foreign / path.relative_to(tmp_path))
        with pytest.raises(ComputationError, match=f"damaged.*{path.name}|{path.name}.*damaged"):
            select(x, checkpoint=tmp_path, **OPTIONS)
        again = select(x, checkpoint=tmp_path, **OPTIONS).indices
        np.testing.assert_array_equal(again, expected)


def test_an_array_that_is_lost_is_made_anew(tmp_path: Path) -> None:
    x = points(3000, 90)
    expected = select(x, checkpoint=tmp_path, **OPTIONS).indices
    (tmp_path / "input" / "z").unlink()
    with pytest.raises(ComputationError, match="lost"):
        select(x, checkpoint=tmp_path, **OPTIONS)
    np.testing.assert_array_equal(select(x, checkpoint=tmp_path, **OPTIONS).indices, expected)


class Ended(Exception):
    """What ends a run in a test."""


class Ending(Checkpoint):
    """A checkpoint of a run that ends instead of giving a certain result."""

    last = ""

    def give(self, scope: str, name: str, result: bytes) -> None:
        if name == self.last:
            raise Ended
        super().give(scope, name, result)


def ended(x: NDArray[Any], folder: Path, last: str) -> None:
    """A run that ends when it has come to a result."""
    keeper = Ending(folder)
    keeper.last = last
    with pytest.raises(Ended):
        select(x, checkpoint=keeper, **OPTIONS)


@pytest.mark.parametrize(
    ("d", "last", "lost"),
    [
        (6, "written-000001", ("statistics", "written-000000", ".z.part")),
        (6, "prepared", ("written-000001", ".z.part")),
        (90, "scored-000001", ("scored-000000", ".scores.part")),
        (90, "gram", ("scored-000001", "scores")),
        (90, "turned-000001", ("gram", "scores", "turned-000000", ".z.part")),
        (90, "prepared", ("turned-000002", ".z.part")),
    ],
)
def test_what_is_damaged_on_the_way_is_made_anew(
    tmp_path: Path, d: int, last: str, lost: tuple[str, ...]
) -> None:
    x = points(ROWS if d == 6 else 3000, d)
    expected = select(x, **OPTIONS).indices
    ended(x, begun := tmp_path / "begun", last)
    for name, is_gone in itertools.product(lost, (False, True)):
        work = tmp_path / f"{name}-{is_gone}"
        shutil.copytree(begun, work)
        file = work / "input" / name
        if is_gone:
            file.unlink()
        else:
            file.write_bytes(bytes(file.stat().st_size))
        for _ in range(2):  # a piece, then the array that it is part of
            with contextlib.suppress(ComputationError):
                select(x, checkpoint=work, **OPTIONS)
        again = select(x, checkpoint=work, **OPTIONS).indices
        np.testing.assert_array_equal(again, expected, err_msg=str(file))
        assert {each.name for each in work.glob("input/[!.]*")} == {"prepared", "z"}


def test_values_that_change_while_they_are_prepared_are_found(tmp_path: Path) -> None:
    x = points(ROWS)
    ended(x, tmp_path, "written-000001")
    with pytest.raises(InvalidInputError, match="other values"):
        select(other_values(x), checkpoint=tmp_path, **OPTIONS)


@pytest.mark.parametrize("name", [MANIFEST, "members/*", "orders/*"])
@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"id": 1, "files": 2, "input": 3}'])
def test_damaged_words_are_no_tracebacks(
    shared: Path, tmp_path: Path, features: Path, name: str, text: str
) -> None:
    shutil.copytree(shared, work := tmp_path / "work")
    path = next(work.glob(name))
    path.write_text(text)
    done = run("merge", "work", "-o", "rows.npy", "--quiet", cwd=tmp_path)
    if name == "members/*":  # no row depends on what processes tell
        assert (done.returncode, done.stderr) == (0, "")
        return
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "cannot be understood" in done.stderr and not (tmp_path / "rows.npy").exists()
    if name == "orders/*":
        words = ["shard", "1/1", features, *FLAGS, "--checkpoint", "work"]
        assert run(*words, cwd=tmp_path).returncode == 0
        assert run("merge", "work", "-o", "rows.npy", "--quiet", cwd=tmp_path).returncode == 0


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, features: Path) -> Path:
    """A folder whose only share is done."""
    folder = tmp_path_factory.mktemp("shared")
    done = run("shard", "1/1", features, *FLAGS, "--checkpoint", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_merge_takes_the_last_share_by_no_clock(
    shared: Path, tmp_path: Path, features: Path
) -> None:
    shutil.copytree(shared, work := tmp_path / "work")
    os.utime(next(work.glob("orders/*")), (4e9, 4e9))
    own = [features, *FLAGS, "--seed", "3"]
    share = run("shard", "1/1", *own, "--checkpoint", "work", "--threads", "1", cwd=tmp_path)
    assert share.returncode == 0, share.stderr
    merged = run("merge", "work", "-o", "rows.npy", "--quiet", cwd=tmp_path)
    assert merged.returncode == 0, merged.stderr
    assert run(*own, "-o", "free.npy", "--force", cwd=tmp_path).returncode == 0
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), np.load(tmp_path / "free.npy"))


def test_no_results_in_the_folder(shared: Path, tmp_path: Path, features: Path) -> None:
    shutil.copytree(shared, work := tmp_path / "work")
    before = (work / MANIFEST).read_bytes()
    (tmp_path / "link").symlink_to(work)
    for words in (["-o", "work/rows.npy"], ["--report", f"link/{MANIFEST}"]):
        for command in (["merge", "work"], [features, *FLAGS, "--checkpoint", "work"]):
            refused = run(*command, *words, "--force", cwd=tmp_path)
            assert refused.returncode == 2 and "its own files" in refused.stderr
    assert (work / MANIFEST).read_bytes() == before


def test_shares_say_how_to_go_on(tmp_path: Path, features: Path) -> None:
    words = ["shard", "1/1", features, *FLAGS[:-1], "--checkpoint", "my work"]
    share = run(*words, cwd=tmp_path)
    assert share.returncode == 0 and share.stderr.endswith("fast-select merge 'my work'\n")


def test_what_others_hold_is_not_tidied(tmp_path: Path) -> None:
    with Checkpoint(tmp_path) as mine, Checkpoint(tmp_path) as other:
        for keeper in (mine, other):
            keeper.begin(points(n=2000), {"scale": "auto", "nonfinite": "error"})
        assert mine.take("input", "piece") is True
        part = tmp_path / "input" / f".piece.{'0' * 32}.part"
        part.touch()
        left = tmp_path / "input" / f".gone.{'0' * 32}.part"
        left.touch()
        other.tidy()
        assert part.exists() and not left.exists()
        assert other.take("input", "piece") is False
    with Checkpoint(tmp_path / "other") as gone:
        gone.begin(points(n=2000), {"scale": "auto", "nonfinite": "error"})
        shutil.rmtree(gone.folder)
        gone.tidy()


def test_the_lock_on_a_file_that_is_gone_is_none(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "a"
    first = Lock.take(path)
    assert first is not None
    lock = _locks._lock

    def lock_late(descriptor: int) -> None:
        # Whoever had it lets go, between opening and locking, and removes the file.
        monkeypatch.setattr(_locks, "_lock", lock)
        first.release(gone=True)
        lock(descriptor)

    monkeypatch.setattr(_locks, "_lock", lock_late)
    late = Lock.take(path)
    assert late is not None and path.exists() and Lock.take(path) is None
    late.release()


def test_locks_are_for_one(tmp_path: Path) -> None:
    lock = Lock.take(tmp_path / "a")
    assert lock is not None and Lock.take(tmp_path / "a") is None
    script = "import sys, pathlib, fast_select._locks as l\n"
    script += "print(l.Lock.take(pathlib.Path(sys.argv[1])) is None)"

    def held() -> str:
        command = [sys.executable, "-c", script, str(tmp_path / "a")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert held() == "True"
    lock.release()
    assert held() == "False"


def test_a_full_folder_keeps_what_is_whole(tmp_path: Path, monkeypatch: Any) -> None:
    x = points(n=ROWS)
    expected = select(x, **OPTIONS).indices
    put, left = Checkpoint.put, [9]

    def put_while_there_is_room(self: Checkpoint, path: Path, content: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, os.strerror(28))
        put(self, path, content)

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "put", put_while_there_is_room)
        with pytest.raises(ComputationError, match="no room") as failed:
            select(x, checkpoint=tmp_path, **OPTIONS)
        assert "run again" in failed.value.fix
    kept = select(x, checkpoint=tmp_path, **OPTIONS)
    np.testing.assert_array_equal(kept.indices, expected)


@pytest.mark.parametrize("share", ["0/3", "4/3", "1/0", "x", "3", "-1/2", "1/2/3"])
def test_shares_that_are_none(tmp_path: Path, features: Path, share: str) -> None:
    words = ["shard", "--checkpoint", "work", *FLAGS, "--", share, features]
    refused = run(*words, cwd=tmp_path)
    assert refused.returncode == 2
    assert share in refused.stderr and "Traceback" not in refused.stderr
    assert not (tmp_path / "work").exists()


def test_what_shares_and_merge_need(tmp_path: Path, features: Path) -> None:
    missing = run("shard", "1/2", features, *FLAGS, cwd=tmp_path)
    assert missing.returncode == 2 and "--checkpoint" in missing.stderr
    pipe = run("shard", "1/2", "-", *FLAGS, "--checkpoint", "work", cwd=tmp_path, input="")
    assert pipe.returncode == 2 and "standard input" in pipe.stderr
    for folder in ("nowhere", "."):
        nothing = run("merge", folder, cwd=tmp_path)
        assert nothing.returncode == 2 and "shard" in nothing.stderr


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    x = points(n=ROWS)
    taken: list[tuple[str, str]] = []

    class Watched(Checkpoint):
        def give(self, scope: str, name: str, result: bytes) -> None:
            taken.append((scope, name))
            super().give(scope, name, result)

    select(x, checkpoint=Watched(tmp_path), **OPTIONS)
    assert ("selection", "block-000000") in taken
    shutil.rmtree(tmp_path / "members")
    taken.clear()
    select(x, checkpoint=Watched(tmp_path), **OPTIONS)
    assert not taken
    assert _core.info()["version"] == json.loads((tmp_path / MANIFEST).read_text())["version"]


def test_all_cut_as_the_first_did(tmp_path: Path, monkeypatch: Any) -> None:
    x = points(n=ROWS)
    del (options := {**OPTIONS, "max_memory": 8 << 30})["block_rows"]
    free = select(x, **options, block_rows=512).indices

    def begun_with(rows: int) -> NDArray[np.int64]:
        with monkeypatch.context() as patched:
            # What a process has left decides; here it is said.
            fit = lambda *_, **__: (rows, 2)  # noqa: E731
            patched.setattr(_core, "fitting", fit)
            return select(x, checkpoint=tmp_path, **options).indices

    np.testing.assert_array_equal(begun_with(512), free)
    np.testing.assert_array_equal(begun_with(1024), free)
    with pytest.raises(InvalidInputError, match=r"blocks of 256 rows.* begun with 512") as refused:
        begun_with(256)
    assert refused.value.what == "max_memory"
