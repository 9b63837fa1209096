"""Pipes, devices and links as input; folders of shards."""

import hashlib
import io
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fast_select import InvalidInputError
from fast_select.io import read_features, read_indices, read_labels


def read(*inputs, key=None):
    return read_features([str(i) for i in inputs], key=key, flatten=False)


@pytest.fixture
def x(rng):
    return rng.normal(size=(60, 4)).astype(np.float32)


@pytest.fixture
def files(tmp_path, x):
    """A matrix as .npy, and as an .npz with labels."""
    np.save(tmp_path / "x.npy", x)
    np.savez_compressed(tmp_path / "x.npz", x=x, y=np.arange(60) % 3)
    return tmp_path


@pytest.fixture
def shell(files):
    """Run a line of bash where the files are; FS is the command that selects 9 rows."""
    command = f"{sys.executable} -m fast_select"
    options = "--count 9 --random 2 -o - --quiet"

    def run(line):
        line = line.replace("FS", command).replace("OPTIONS", options)
        return subprocess.run(
            ["bash", "-c", line], capture_output=True, cwd=files, timeout=60, check=False
        )

    return run


def test_pipes_of_every_kind_give_the_same_rows(shell):
    by_file = shell("FS x.npy OPTIONS").stdout
    assert len(by_file.split()) == 9
    for line in (
        "cat x.npz | FS - --key x OPTIONS",
        "FS <(cat x.npy) OPTIONS",
        "FS /dev/stdin OPTIONS < x.npy",
        "mkfifo p.npz; cat x.npy > p.npz & FS p.npz OPTIONS",
    ):
        got = shell(line)
        assert (got.returncode, got.stdout) == (0, by_file), (line, got.stderr)


def test_labels_of_an_archive_on_a_pipe(shell):
    by_file = shell("FS x.npz --key x --label-key y OPTIONS").stdout
    got = shell("cat x.npz | FS - --key x --label-key y OPTIONS")
    assert got.stdout == by_file != b""


@pytest.mark.parametrize(
    "line,fact",
    [
        ("cat x.npy x.npy | FS - OPTIONS", "standard input: holds more than its array"),
        ("cat x.npz x.npz | FS - OPTIONS", "standard input: holds more than its archive"),
        ("head -c 300 x.npy | FS - OPTIONS", "standard input: cannot be read: truncated"),
        ("FS /dev/null OPTIONS", "/dev/null: is empty"),
        ("FS /dev/zero OPTIONS", "/dev/zero: is none of .npy, .npz, Parquet and Arrow"),
        ("FS x.npy --labels <(yes) OPTIONS", "holds more than 60 labels where 60 rows"),
        ("FS x.npy --exclude <(yes 1) OPTIONS", "lists more rows than the 60"),
        ("FS x.npy --exclude /dev/zero OPTIONS", "/dev/zero: line 1 holds a NUL byte"),
        ("FS '' OPTIONS", "input: is a name without letters"),
    ],
)
def test_streams_that_are_refused(shell, line, fact):
    got = shell(line)
    text = got.stderr.decode()
    assert (got.returncode, text.count("\n")) == (2, 1), text
    assert fact in text


def test_lists_on_a_pipe(shell):
    got = shell("FS x.npy OPTIONS | FS evaluate x.npy - --random 2 --quiet --json")
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout)["selection"]["count"] == 9
    excluded = shell("FS x.npy --exclude <(seq 0 49) OPTIONS").stdout
    assert [int(row) >= 50 for row in excluded.split()] == [True] * 9


def test_streams_beside_files_are_hashed_as_they_are_read(files, x, monkeypatch):
    os.mkfifo(files / "p")
    writer = subprocess.Popen(f"cat {files}/x.npy > {files}/p", shell=True)
    got = read(files / "x.npy", files / "p", files / "x.npy")
    writer.wait()
    np.testing.assert_array_equal(got.x, np.concatenate([x, x, x]))
    data = (files / "x.npy").read_bytes()
    assert got.sha256() == hashlib.sha256(data * 3).hexdigest()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    got = read("-")
    assert got.sha256() == hashlib.sha256(data).hexdigest()


def test_formats_without_a_suffix_and_in_capitals(files, x):
    for name, source in {"a": "x.npy", "b": "x.npz", "C.NPY": "x.npy", "D.Npz": "x.npz"}.items():
        (files / name).write_bytes((files / source).read_bytes())
        key = "x" if source == "x.npz" else None
        np.testing.assert_array_equal(read(files / name, key=key).x, x)
    (files / "rows").write_text("4\n2\n")
    assert read_indices(files / "rows").tolist() == [4, 2]
    (files / "L.TXT").write_text("u\nv\n")
    assert np.asarray(read_labels(files / "L.TXT")).tolist() == ["u", "v"]


@pytest.mark.parametrize("name,fact", [("a" * 300, "cannot be read"), ("\0", "cannot be read")])
def test_names_that_no_file_can_have(name, fact):
    for reader in (read, read_indices, read_labels):
        with pytest.raises(InvalidInputError, match=fact):
            reader(Path(name))


@pytest.fixture
def folder(tmp_path, x):
    """Two shards of a matrix, the second with its suffix in capitals."""
    path = tmp_path / "shards"
    path.mkdir()
    np.save(path / "p1.npy", x[:20])
    np.save(path / "p2.npy", x[20:])
    (path / "p2.npy").rename(path / "p2.NPY")
    return path


def test_what_is_no_shard_is_passed_over(folder, x):
    (folder / "._p1.npy").write_bytes(b"\0\5\x16\7")
    (folder / ".hidden.npz").write_bytes(b"")
    (folder / "notes.txt").write_text("aside")
    np.save(folder / "p3.npy", np.empty((0, 4), np.float32))
    np.save(folder / "shards.selected.npy", np.array([3, 5, 8]))
    np.savez(folder / "rows.npz", indices=np.array([3, 5, 8]))
    np.testing.assert_array_equal(read(folder).x, x)


def test_a_run_in_the_folder_itself_can_be_repeated(run, x):
    for part in range(2):
        np.save(run.folder / f"{part}.npy", x[part * 30 : (part + 1) * 30])
    options = ["--count", "9", "--random", "2", "--quiet", "--report", "r.json", "--force"]
    for output in ([], [], ["-o", "r.npy"], ["-o", "r.npz"]):
        got = run(".", *options, *output)
        assert got.returncode == 0, got.stderr
        assert json.loads((run.folder / "r.json").read_text())["input"]["shape"] == [60, 4]


@pytest.mark.parametrize(
    "made,fact",
    [
        (lambda p: p.symlink_to("nowhere"), "is a link to what does not exist"),
        (os.mkfifo, "is no regular file"),
        (os.mkdir, "is a folder where a file is needed"),
        (lambda p: p.write_bytes(b""), "is empty"),
        (lambda p: np.save(p, np.arange(60.0)), "has 1 dimension"),
        (lambda p: np.save(p, np.zeros(60, int)), "has 1 dimension"),
        (lambda p: np.save(p, np.ones((2, 4))), "has 4 columns of float64 where .* 4 of float32"),
        (lambda p: np.save(p, np.ones((2, 3), "f4")), "has 3 columns of float32 where"),
    ],
)
def test_what_looks_like_a_shard_and_is_none_is_named(folder, made, fact):
    made(folder / "p3.npy")
    with pytest.raises(InvalidInputError, match=rf"p3\.npy: {fact}"):
        read(folder)


def test_folders_without_rows(tmp_path):
    with pytest.raises(InvalidInputError, match="holds no files with features"):
        read(tmp_path)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", np.empty((0, 4)))
    with pytest.raises(InvalidInputError, match="holds only shards without rows"):
        read(tmp_path)


def test_more_shards_than_files_may_be_open(tmp_path, x):
    for row in range(60):
        np.save(tmp_path / f"{row}.npy", x[row : row + 1])
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    unused = os.dup(0)
    os.close(unused)
    resource.setrlimit(resource.RLIMIT_NOFILE, (unused + 20, limits[1]))
    try:
        got = read(tmp_path).x
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    np.testing.assert_array_equal(got, x)


def test_a_key_for_a_single_array_is_refused(files):
    with pytest.raises(InvalidInputError, match=r"is a single array.* Leave --key out"):
        read(files / "x.npy", key="x")
