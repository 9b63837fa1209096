"""Shards of a matrix, read where they lie: all is as if they were one file."""

import json
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fast_select
from fast_select import InvalidInputError, _core
from fast_select._mapped import map_bytes, mapped_bytes
from fast_select._stacked import Stacked, stacked
from fast_select.io import features as features_module
from fast_select.io import read_features

N = 900


@pytest.fixture(scope="module")
def x():
    rng = np.random.default_rng(11)
    return (rng.normal(size=(N, 6)) ** 3 * 20).round().astype(np.float32)


def read(*inputs, **options):
    return read_features([str(i) for i in inputs], key=None, **{"flatten": False, **options})


def cut(x, seams):
    """Parts of a matrix."""
    return np.split(x, seams)


def save(folder, parts):
    """Shards in the order of the parts."""
    folder.mkdir()
    for at, part in enumerate(parts):
        np.save(folder / f"{at}.npy", part)
    return folder


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.data())
def test_rows_are_those_of_one_matrix(sizes, data):
    whole = np.arange(sum(sizes) * 3).reshape(-1, 3)
    rows = Stacked(cut(whole, np.cumsum(sizes)[:-1]))
    n = len(whole)
    assert (rows.shape, rows.dtype, rows.nbytes) == (whole.shape, whole.dtype, whole.nbytes)
    some = st.integers(-n - 2, n + 2) | st.none()
    key = slice(*(data.draw(some) for _ in range(2)), data.draw(st.sampled_from([None, 1, 2, -1])))
    np.testing.assert_array_equal(rows[key], whole[key])
    np.testing.assert_array_equal(rows[key, 1:], whole[key, 1:])
    numbers = data.draw(st.lists(st.integers(0, n - 1), max_size=20)) if n else []
    numbers = np.array(numbers, dtype=np.int64)
    np.testing.assert_array_equal(rows[numbers], whole[numbers])
    np.testing.assert_array_equal(np.asarray(rows, np.float32), whole)


def test_rows_that_are_not_there():
    rows = Stacked([np.ones((2, 3)), np.ones((1, 3))])
    for number in (3, -1):
        with pytest.raises(IndexError):
            rows[np.array([number])]


def test_a_copy_is_made_knowingly():
    with pytest.raises(ValueError, match="by a copy only"):
        Stacked([np.ones((2, 3))] * 2).__array__(copy=False)


def as_foreign(part):
    return part.astype(part.dtype.newbyteorder())


KINDS = {
    "plain": lambda parts: parts,
    "one row each": lambda parts: cut(np.concatenate(parts), range(1, N)),
    "with empty ones": lambda parts: [parts[0][:0], parts[0], parts[0][:0], *parts[1:]],
    "Fortran order": lambda parts: [np.asfortranarray(part) for part in parts],
    "mixed order": lambda parts: [np.asfortranarray(parts[0]), *parts[1:]],
    "foreign byte order": lambda parts: [as_foreign(part) for part in parts],
    "mixed byte order": lambda parts: [parts[0], *map(as_foreign, parts[1:])],
    "float16": lambda parts: [part.astype(np.float16) for part in parts],
    "int8": lambda parts: [part.clip(-100, 100).astype(np.int8) for part in parts],
    "bool": lambda parts: [part > 0 for part in parts],
    "float64": lambda parts: [part.astype(np.float64) for part in parts],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_selection_from_shards_is_that_from_one_file(tmp_path, call, x, kind):
    parts = KINDS[kind](cut(x, [1, 300, 301, 777]))
    save(tmp_path / "in", parts)
    np.save(tmp_path / "one.npy", np.concatenate(parts).astype(parts[0].dtype))
    told = []
    for at, name in enumerate(("in", "one.npy")):
        got = call(
            tmp_path / name, "--count", "60", "--random", "3", "--quiet",
            "-o", f"{at}.npy", "--report", f"{at}.json", "--subset", f"subset-{at}.npy",
        )  # fmt: skip
        assert got.returncode == 0, got.stderr
        told.append(json.loads((call.folder / f"{at}.json").read_text()))
    assert same_file(call.folder, "{}.npy") and same_file(call.folder, "subset-{}.npy")
    of_shards, of_one = told
    assert of_shards["quality"] == of_one["quality"]
    assert of_shards["memory"]["mapped_input_bytes"] == of_one["memory"]["mapped_input_bytes"] > 0
    apart = ("files", "sha256", "named")
    assert without(of_shards["input"], apart) == without(of_one["input"], apart)
    assert len(of_shards["input"]["files"]) == len(parts)
    assert call("verify", "0.json", tmp_path / "one.npy", "--quiet").returncode == 0
    assert call("verify", "1.json", tmp_path / "in", "--quiet").returncode == 0


def same_file(folder, name):
    return (folder / name.format(0)).read_bytes() == (folder / name.format(1)).read_bytes()


def without(facts, names):
    return {name: fact for name, fact in facts.items() if name not in names}


def test_other_commands_read_them_too(tmp_path, call, x):
    pytest.importorskip("sklearn")
    save(tmp_path / "in", cut(x, [100, 500]))
    np.save(tmp_path / "one.npy", x)
    (call.folder / "rows.txt").write_text("\n".join(map(str, range(0, N, 20))))
    (call.folder / "y.txt").write_text("\n".join(str(i % 3) for i in range(N)))
    for command in (
        ["plan", "IN", "--ratio", "0.1", "--nonfinite", "drop", "--json"],
        ["evaluate", "IN", "rows.txt", "--random", "3", "--quiet"],
        ["compare", "IN", "--labels", "y.txt", "--ratio", ".1", "--methods", "fast,random",
         "--models", "1nn", "--seeds", "1", "--json", "--quiet"],
        ["compare", "IN", "--labels", "y.txt", "--ratio", ".1", "--methods", "random",
         "--models", "1nn", "--seeds", "1", "--json", "--quiet", "--test", "IN",
         "--test-labels", "y.txt"],
    ):  # fmt: skip
        printed = []
        for name in ("in", "one.npy"):
            got = call(*(tmp_path / name if word == "IN" else word for word in command))
            assert got.returncode == 0, got.stderr
            printed.append(lasting(got.stdout))
        assert printed[0] == printed[1]


def lasting(printed):
    """What is printed, without what differs from run to run."""
    if not printed.startswith(b"{"):
        return printed
    told = json.loads(printed)
    if "stages" in told:
        return told["input"], [stage["bytes"] for stage in told["stages"]]
    return [without(run, ["select_s"]) for run in told["runs"]]


def test_python_takes_what_the_command_passes(x):
    rows = Stacked(cut(x, [400]))
    asked = {"count": 50, "n_random": 2}
    whole, parted = (fast_select.select(each, **asked) for each in (x, rows))
    assert (whole.indices == parted.indices).all()
    assert fast_select.verify(whole.report, rows).same
    judged = [fast_select.evaluate(each, whole.indices, n_random=2) for each in (x, rows)]
    assert judged[0]["quality"] == judged[1]["quality"]
    assert fast_select.plan(rows, **asked)["input"]["matrix_bytes"] == x.nbytes
    nested = [fast_select.select_nested(each, ratios=[0.1, 0.05], n_random=1) for each in (x, rows)]
    for one, other in zip(*nested, strict=True):
        assert (one.indices == other.indices).all()


def test_the_core_refuses_what_is_no_stack():
    for parts in ([np.ones((2, 3)), np.ones((2, 4))], [np.ones((2, 3)), np.ones(3)], [], [3]):
        with pytest.raises(_core.Refused):
            _core.check_matrix(type("Parts", (), {"parts": parts})())


@pytest.mark.parametrize("place", [0, 450, N - 1])
@pytest.mark.parametrize("nonfinite", ["error", "drop"])
def test_bad_rows_are_numbered_through(tmp_path, call, x, place, nonfinite):
    x = x.copy()
    x[place, 2] = np.nan
    save(tmp_path / "in", cut(x, [300, 600]))
    options = ["--count", "60", "--random", "2", "--quiet", "--report", "r.json"]
    got = call(tmp_path / "in", *options, "--nonfinite", nonfinite)
    if nonfinite == "error":
        assert got.returncode == 2
        assert f"(row {place})".encode() in got.stderr
    else:
        assert json.loads((call.folder / "r.json").read_text())["input"]["n_nonfinite"] == 1


# What is mapped, and what cannot be.


def test_mapped_shards_are_not_copied(tmp_path, x, monkeypatch):
    folder = save(tmp_path / "in", cut(x, [300, 600]))
    monkeypatch.setattr(features_module, "room_for", None)
    got = read(folder, max_memory=1)
    assert isinstance(got.x, Stacked)
    assert mapped_bytes(got.x) == x.nbytes
    assert all(not part.flags.writeable for part in got.x.parts)


WATCHED = """
import re, sys, threading
from fast_select.cli import main
most, done = 0, threading.Event()
def watch():
    global most
    while not done.wait(0.005):
        status = open("/proc/self/status").read()
        most = max(most, int(re.search(r"RssAnon:\\s+(\\d+)", status)[1]))
watcher = threading.Thread(target=watch)
watcher.start()
code = main(sys.argv[1:])
done.set()
watcher.join()
print(code, most)
"""


@pytest.mark.parametrize("nonfinite", ["error", "drop"])
def test_a_limit_below_their_size_is_kept(tmp_path, rng, nonfinite):
    """122 MiB of shards, all of which are read before memory is planned where rows are dropped."""
    part = rng.normal(size=(10_000, 800)).astype(np.float32)
    save(tmp_path / "in", [part, part + 1, part - 1, part * 2])
    got = subprocess.run(
        [sys.executable, "-c", WATCHED, "in", "--count", "400", "--random", "0", "--quiet",
         "--threads", "1", "--max-memory", "120MiB", "--nonfinite", nonfinite,
         "--block-rows", "512", "--sweeps", "1", "-o", "o.npy", "--report", "r.json"],
        cwd=tmp_path, capture_output=True, timeout=100, check=True,
    )  # fmt: skip
    code, most = map(int, got.stdout.split())
    assert code == 0, got.stderr
    assert most * 1024 < 120 << 20
    memory = json.loads((tmp_path / "r.json").read_text())["memory"]
    assert memory["mapped_input_bytes"] == 4 * part.nbytes


def test_scratch_takes_nothing_of_what_is_mapped(tmp_path, call, x):
    save(tmp_path / "in", cut(x, [300, 600]))
    (tmp_path / "s").mkdir()
    taken = []
    monkeypatch = pytest.MonkeyPatch()
    array = fast_select._scratch.Scratch.array
    with monkeypatch.context() as patch:
        patch.setattr(
            "fast_select._scratch.Scratch.array",
            lambda *args: taken.append(args[1]) or array(*args),
        )
        options = ["--count", "60", "--random", "2", "--quiet", "--scratch", tmp_path / "s"]
        assert call(tmp_path / "in", *options).returncode == 0
    assert taken == [(N * 6,)]  # the prepared features


def archived(folder, x):
    """Shards of which the second and third are archives."""
    folder = save(folder, cut(x, [200, 400, 600]))
    for at in (1, 2):
        np.savez(folder / f"{at}.npz", x=np.load(folder / f"{at}.npy"))
        (folder / f"{at}.npy").unlink()
    return folder


def test_archives_between_mapped_shards(tmp_path, x):
    folder = archived(tmp_path / "in", x)
    (tmp_path / "s").mkdir()
    for scratch in (None, fast_select._scratch.Scratch(tmp_path / "s")):
        got = read(folder, scratch=scratch).x
        np.testing.assert_array_equal(got, x)
        assert [len(part) for part in got.parts] == [200, 400, 300]
        assert mapped_bytes(got) == x.nbytes - (0 if scratch else x[200:600].nbytes)
        assert fast_select.plan(got, count=9)["input"]["matrix_bytes"] == (
            0 if scratch else x[200:600].nbytes
        )
    with pytest.raises(InvalidInputError, match=r"1\.npz: needs 1 MiB as a matrix of 400 x 6"):
        read(folder, max_memory=1)


def test_archives_alone_are_one_matrix(tmp_path, x):
    for at, part in enumerate(cut(x, [200])):
        np.savez(tmp_path / f"{at}.npz", x=part)
    got = read(tmp_path).x
    assert isinstance(got, np.ndarray)
    np.testing.assert_array_equal(got, x)


def test_a_stream_between_mapped_shards(tmp_path, x):
    folder = save(tmp_path / "in", cut(x, [300, 600]))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = (folder / "1.npy").read_bytes()
    writer = threading.Thread(target=pipe.write_bytes, args=[data])
    writer.start()
    got = read(folder / "0.npy", pipe, folder / "2.npy")
    writer.join()
    np.testing.assert_array_equal(got.x, x)
    assert got.sha256() == read(folder).sha256()


@pytest.mark.parametrize("order", "CF")
def test_shards_of_images(tmp_path, order):
    """What is flattened is mapped where its rows lie in order, else read once more."""
    images = np.arange(60 * 4 * 3, dtype=np.uint8).reshape(60, 4, 3)
    parts = [np.asarray(part, order=order) for part in cut(images, [20, 50])]
    got = read(save(tmp_path / "in", parts), flatten=True)
    np.testing.assert_array_equal(got.x, images.reshape(60, 12))
    assert got.row_shape == (4, 3)
    assert mapped_bytes(got.x) == (images.nbytes if order == "C" else 0)


def test_a_system_that_maps_nothing(tmp_path, x, monkeypatch):
    def refuse(*_, **__):
        raise OSError(19, "No such device")

    monkeypatch.setattr("fast_select.io.npy.map_bytes", refuse)
    monkeypatch.setattr("fast_select.io.npy.np.memmap", refuse)
    got = read(save(tmp_path / "in", cut(x, [300, 600])))
    assert mapped_bytes(got.x) == 0
    np.testing.assert_array_equal(got.x, x)


def test_shards_beyond_the_maps_that_a_process_has(tmp_path, x, monkeypatch):
    folder = save(tmp_path / "in", cut(x, [100, 200, 300, 400]))
    monkeypatch.setattr(features_module, "MOST_MAPS", 2)
    got = read(folder)
    assert [len(part) for part in got.x.parts] == [100, 100, N - 200]
    assert mapped_bytes(got.x) == x[:200].nbytes
    np.testing.assert_array_equal(got.x, x)


def test_thousands_of_shards(tmp_path):
    """More than a process has files."""
    x = np.arange(9000 * 2, dtype=np.float32).reshape(9000, 2) % 997
    folder = save(tmp_path / "in", cut(x, np.arange(3, 9000, 3)))
    before = n_open()
    got = read(folder).x
    assert n_open() == before
    assert len(got.parts) == 3000
    asked = {"count": 90, "n_random": 1}
    assert (
        fast_select.select(got, **asked).indices == fast_select.select(x, **asked).indices
    ).all()


def test_a_map_ends_with_its_arrays(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bytes(range(100)))
    with path.open("rb") as file:
        data = map_bytes(file, 90)
    part = data[10:20]
    alive = weakref.ref(data)
    del data
    assert part.tolist() == list(range(10, 20))
    assert str(path) in maps()
    del part
    assert alive() is None
    assert str(path) not in maps()


def maps():
    return Path("/proc/self/maps").read_text()


def n_open():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_single_part_is_itself(x):
    assert stacked([x]) is x


# What is wrong with some.


def test_a_shard_of_another_type_is_refused(tmp_path, x):
    folder = save(tmp_path / "in", [x[:300], x[300:].astype(np.float64)])
    with pytest.raises(InvalidInputError, match=r"1\.npy: has 6 columns of float64 where .*0\.npy"):
        read(folder)


CUT_SHORT = """
import os, sys
from fast_select import _core
from fast_select.cli._main import start
_, name, shard = sys.argv
prepare = _core.prepare
def cut_short(*args, **options):
    os.truncate(shard, 100)
    return prepare(*args, **options)
_core.prepare = cut_short
sys.argv[1:] = [name, "--count", "10", "--random", "1", "--quiet", "-o", "o.npy"]
start()
"""


def test_a_shard_that_is_cut_short_meanwhile(tmp_path):
    """As a single file is."""
    x = np.ones((30_000, 6), np.float32)
    folder = save(tmp_path / "in", cut(x, [10_000, 20_000]))
    np.save(tmp_path / "one.npy", x)
    told = []
    for name, path in ((folder, folder / "1.npy"), (tmp_path / "one.npy",) * 2):
        got = subprocess.run(
            [sys.executable, "-c", CUT_SHORT, str(name), str(path)],
            cwd=tmp_path, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        told.append((got.returncode, got.stdout, got.stderr))
        assert not (tmp_path / "o.npy").exists()
    assert told[0] == told[1]
    assert told[0][0] == 1
    assert told[0][2].startswith(b"Error: ") and told[0][2].count(b"\n") == 1
