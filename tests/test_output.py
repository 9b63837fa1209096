"""Where results go: refused before any work, written all or none, over no input."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from fast_select import ComputationError, InvalidInputError
from fast_select.cli import _commit
from fast_select.cli._commit import Outcome, write_all
from fast_select.cli._run import places
from fast_select.cli._sources import Sources
from fast_select.cli._targets import Target, descriptor_of


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def target(path, *, force=False):
    return Target.of(str(path), "--output", force=force)


def text(content):
    return lambda file: file.write(content)


def as_user(*arguments, cwd, **options):
    command = [sys.executable, "-m", "fast_select", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, cwd=cwd, timeout=60, check=False, **options)


# What is refused before any work.


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """A folder with things that cannot be written to."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "there.npy").write_bytes(b"mine")
    (tmp_path / "locked.npy").write_bytes(b"mine")
    (tmp_path / "locked.npy").chmod(0o444)
    (tmp_path / "nothing.npy").symlink_to("nowhere.npy")
    (tmp_path / "lost.npy").symlink_to("gone/nowhere.npy")
    (tmp_path / "loop.npy").symlink_to("loop.npy")
    (tmp_path / "to_folder.npy").symlink_to("folder")
    return tmp_path


@pytest.mark.parametrize(
    "output,report,force,fact",
    [
        (".", None, True, "is a folder"),
        ("..", None, True, "is a folder"),
        ("/", None, True, "names a folder"),
        ("folder", None, True, "is a folder"),
        ("folder/", None, True, "names a folder"),
        ("new.npy/", None, True, "names a folder"),
        ("", None, True, "--output: is an empty name"),
        (None, "", True, "--report: is an empty name"),
        (None, "-", True, "'-' is no file"),
        (None, "folder", True, "is a folder"),
        ("to_folder.npy", None, True, "is a folder"),
        ("x" * 252 + ".npy", None, True, "File name too long"),
        (None, "é" * 128 + ".json", True, "File name too long"),
        ("rows.xyz", None, True, "suffix"),
        ("there.npy/rows.npy", None, True, "Not a directory"),
        ("nowhere/rows.npy", None, True, "does not exist"),
        ("/proc/rows.npy", None, True, "not writable"),
        ("lost.npy", None, True, "does not exist"),
        ("loop.npy", None, True, "symbolic links"),
        ("rows.npy", "rows.npy", True, "would take two results"),
        ("rows.npy", "folder/../rows.npy", True, "are the same file"),
        ("rows.npy", "./rows.npy", False, "are the same file"),
        ("/dev/stdout", "/proc/self/fd/1", True, "are the same file"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(odd, output, report, force, fact):
    before = files(odd)
    with pytest.raises(InvalidInputError, match=fact):
        places("x", output, report, ratios=[], as_json=False, force=force)
    assert files(odd) == before


@pytest.mark.parametrize(
    "output,report,fact",
    [
        (".", None, "is a folder"),
        ("..", None, "is a folder"),
        ("folder", None, "is a folder"),
        ("folder/", None, "names a folder"),
        ("", None, "is an empty name"),
        (None, "-", "'-' is no file"),
        ("-", None, "has no place for several ratios"),
        ("/dev/stdout", None, "has no place for several ratios"),
        (None, "/dev/null", "has no place for several ratios"),
        ("x" * 248 + ".npy", None, "File name too long"),
        ("x" * 5000 + ".npy", None, "File name too long"),
        ("rows.npy", "folder/../rows.npy", "are the same file"),
    ],
)
def test_names_for_several_ratios_are_refused_before_any_work(odd, output, report, fact):
    with pytest.raises(InvalidInputError, match=fact):
        places("x", output, report, ratios=[0.5, 0.1], as_json=False, force=True)


def test_a_folder_at_hand_that_has_gone_is_refused(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    try:
        with pytest.raises(InvalidInputError, match="cannot be written"):
            target("rows.npy")
    finally:
        os.chdir(tmp_path)


@pytest.mark.parametrize(
    "name,force,fact",
    [
        ("there.npy", False, "exists. Use --force"),
        ("nothing.npy", False, "exists, a link to nothing. Use --force"),
        ("locked.npy", True, "is read-only"),
    ],
)
def test_what_is_there_is_refused_before_any_work(odd, name, force, fact):
    with pytest.raises(InvalidInputError) as caught:
        target(name, force=force)
    assert fact in str(caught.value)


def test_a_file_whose_owner_could_not_be_kept_is_refused(odd, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(InvalidInputError, match="belongs to another user"):
        target("there.npy", force=True)


def test_two_things_on_standard_output_are_refused(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for output, report, as_json in [("-", None, True), (None, "/dev/stdout", True),
                                    ("-", "/dev/fd/1", False)]:  # fmt: skip
        with pytest.raises(InvalidInputError):
            places("x", output, report, ratios=[], as_json=as_json, force=True)


def test_open_files_are_known_by_every_name(tmp_path):
    assert descriptor_of("/dev/stdout") == 1
    assert descriptor_of("/dev/fd/7") == 7
    assert descriptor_of(f"/proc/{os.getpid()}/fd/2") == 2
    assert descriptor_of("/proc/thread-self/fd/2") == 2
    (tmp_path / "link").symlink_to("/dev/stderr")
    assert descriptor_of(str(tmp_path / "link")) == 2
    assert descriptor_of("1") is None
    assert descriptor_of(str(tmp_path / "1")) is None


@pytest.mark.parametrize(
    "arguments,fact",
    [
        (["-o", "."], b"is a folder"),
        (["--report", ""], b"is an empty name"),
        (["--ratio", ".2", "--ratio", ".2"], b"is given twice"),
        (["--watts-per-core", "nan"], b"--watts-per-core"),
        (["--ratio", "1e-9", "--labels", "y.txt"], b"--ratio: asks for 1 row, and 1 is less than"),
    ],
)
def test_refused_before_the_first_exchange(run, features, arguments, fact):
    (run.folder / "y.txt").write_text("a\nb\n" * 200)
    got = run(features, "--ratio", "0.5", *arguments)
    assert (got.returncode, got.stdout) == (2, b"")
    assert fact in got.stderr
    assert b"exchange" not in got.stderr
    assert files(run.folder) == ["y.txt"]


def test_a_missing_scikit_learn_is_told_before_any_work(monkeypatch):
    from fast_select import compare

    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    seen = []
    with pytest.raises(InvalidInputError, match="scikit-learn: is missing"):
        compare(
            np.ones((50, 2)), np.arange(50) % 2, ratios=[0.5], progress=lambda *at: seen.append(at)
        )
    assert seen == []


# Inputs are never written to.


@pytest.mark.parametrize("name", ["x.npy", "y.txt", "in.npy", "out.npy"])
@pytest.mark.parametrize("way", ["itself", "path", "symlink", "hard link", "report"])
def test_no_input_is_overwritten_by_any_name(tmp_path, monkeypatch, name, way):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for each in ("x.npy", "y.txt", "in.npy", "out.npy"):
        (tmp_path / each).write_bytes(b"data")
    if way == "symlink":
        (tmp_path / "other.npy").symlink_to(name)
    elif way == "hard link":
        (tmp_path / "other.npy").hardlink_to(name)
    other = {"itself": name, "path": f"sub/../{name}", "report": name}.get(way, "other.npy")
    sources = Sources(["x.npy", "y.txt", "in.npy", "out.npy", None])
    with pytest.raises(InvalidInputError, match=r"an input|as the input"):
        sources.check_apart([target("fresh.npy"), target(other, force=True)])
    sources.check_apart([target("fresh.npy")])


def test_shards_and_a_redirected_input_are_inputs(run, features):
    shards = run.folder / "shards"
    shards.mkdir()
    data = features.read_bytes()
    (shards / "1.npy").write_bytes(data)
    (run.folder / "x.npy").write_bytes(data)
    of_folder = as_user("shards", "--ratio", ".1", "--force", "-o", "shards/1.npy", cwd=run.folder)
    with (run.folder / "x.npy").open() as stdin:
        redirected = as_user(
            "-", "--ratio", ".1", "--force", "-o", "x.npy", cwd=run.folder, stdin=stdin
        )
    for got in (of_folder, redirected):
        assert got.returncode == 2
        assert b"input" in got.stderr
    assert (shards / "1.npy").read_bytes() == (run.folder / "x.npy").read_bytes() == data


def test_the_file_that_stdout_goes_to_is_not_replaced(run, features):
    path = run.folder / "log.json"
    with path.open("w") as stdout:
        got = subprocess.run(
            [sys.executable, "-m", "fast_select", features, "--ratio", ".1", "--quiet", "--force",
             "--report", "log.json"],
            stdout=stdout, stderr=subprocess.PIPE, cwd=run.folder, check=False,
        )  # fmt: skip
    assert got.returncode == 2
    assert b"is where standard output goes" in got.stderr


def test_an_input_that_changes_is_told(tmp_path):
    path = tmp_path / "x.npy"
    for change in (
        lambda: path.write_bytes(b"longer"),
        lambda: os.utime(path, ns=(1, 1)),
        lambda: (path.rename(tmp_path / "old"), path.write_bytes(b"data")),
        path.unlink,
    ):
        path.write_bytes(b"data")
        sources = Sources([str(path)])
        sources.check_unchanged()
        change()
        with pytest.raises(ComputationError, match="was changed while it was read"):
            sources.check_unchanged()


@pytest.mark.parametrize("change", ["cut", "overwritten", "replaced"])
def test_an_input_that_changes_in_the_middle_ends_the_run(run, tmp_path, rng, change):
    path = tmp_path / "x.npy"
    np.save(path, rng.normal(size=(12_000, 20)).astype(np.float32))
    data = path.read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-m", "fast_select", path, "--ratio", ".2", "--random", "5"],
        stderr=subprocess.PIPE, cwd=run.folder,
    )  # fmt: skip
    seen = process.stderr.readline()  # a stage has ended: the file is mapped
    if change == "cut":
        os.truncate(path, 4096)
    elif change == "overwritten":
        path.write_bytes(data[:-4] + b"abcd")
    else:
        (tmp_path / "new").write_bytes(data)
        (tmp_path / "new").rename(path)
    seen += process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 1, seen
    [line] = [line for line in seen.splitlines() if line.startswith(b"Error")]
    assert b"nothing was written. Run again once it stays as it is." in line
    assert files(run.folder) == []


# What is no regular file is written into; links are followed; mode and owner stay.


@pytest.mark.parametrize("name", ["pipe.npy", "pipe.npz", "pipe.csv", "pipe.txt", "pipe"])
def test_a_fifo_is_written_into(run, features, name):
    path = run.folder / name
    os.mkfifo(path)
    got = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    end = as_user(features, "--count", "9", "--quiet", "-o", path, cwd=run.folder)
    reader.join(10)
    assert end.returncode == 0, end.stderr
    assert stat.S_ISFIFO(path.stat().st_mode)
    (run.folder / f"copy{path.suffix or '.txt'}").write_bytes(got[0])
    copy = run.folder / f"copy{path.suffix or '.txt'}"
    if copy.suffix == ".npy":
        rows = np.load(copy)
    elif copy.suffix == ".npz":
        rows = np.load(copy)["indices"]
    else:
        rows = [line for line in copy.read_text().split() if line != "index"]
    assert len(rows) == 9


def test_devices_and_open_files_are_written_into(run, features):
    got = as_user(
        features, "--count", "9", "-o", "/dev/stdout", "--report", "/dev/null", "--quiet",
        cwd=run.folder,
    )  # fmt: skip
    assert got.returncode == 0, got.stderr
    assert len(got.stdout.split()) == 9
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    full = as_user(
        features, "--count", "9", "-o", "rows.npy", "--report", "/dev/full", cwd=run.folder
    )
    assert full.returncode == 1
    assert b"Error: /dev/full: cannot be written (No space left on device)." in full.stderr
    assert files(run.folder) == []


def test_stdout_that_is_a_file_goes_on_where_it_stood(run, features):
    path = run.folder / "log"
    path.write_text("before\n")
    with path.open("a") as stdout:
        subprocess.run(
            [sys.executable, "-m", "fast_select", features, "--count", "3", "--quiet",
             "-o", "/dev/stdout", "--report", "r.json"],
            stdout=stdout, cwd=run.folder, check=True,
        )  # fmt: skip
    lines = path.read_text().splitlines()
    assert lines[0] == "before"
    assert len(lines) == 4


def test_links_are_followed_and_mode_and_owner_stay(tmp_path):
    (tmp_path / "sub").mkdir()
    old = tmp_path / "sub" / "rows.txt"
    old.write_bytes(b"old")
    old.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(old, 4321, 1234)
    before = old.stat()
    link, dangling = tmp_path / "link.txt", tmp_path / "dangling.txt"
    link.symlink_to("sub/rows.txt")
    dangling.symlink_to("sub/new.txt")
    outputs = [(target(path, force=True), text(b"new")) for path in (link, dangling)]
    write_all(outputs, Outcome())
    after = old.stat()
    assert link.is_symlink()
    assert dangling.is_symlink()
    assert old.read_bytes() == (tmp_path / "sub" / "new.txt").read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode, before.st_uid, before.st_gid,
    )  # fmt: skip
    assert files(tmp_path / "sub") == ["new.txt", "rows.txt"]


def test_a_new_file_has_the_mode_that_the_umask_gives(tmp_path):
    mask = os.umask(0o027)
    try:
        write_all([(target(tmp_path / "rows.txt"), text(b""))], Outcome())
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "rows.txt").stat().st_mode) == 0o640


# All or none.


@pytest.fixture(params=["hard links", "none"])
def links(request, monkeypatch):
    """File systems with hard links and without."""
    if request.param == "none":

        def link(*_paths, **_options):
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)


def test_what_appears_during_the_run_is_left_as_it_is(tmp_path, links):
    outputs = [(target(tmp_path / name), text(b"new")) for name in ("a.txt", "b.txt")]
    (tmp_path / "b.txt").write_bytes(b"theirs")
    outcome = Outcome()
    with pytest.raises(ComputationError, match=r"b.txt: has appeared during the run"):
        write_all(outputs, outcome)
    assert files(tmp_path) == ["b.txt"]
    assert (tmp_path / "b.txt").read_bytes() == b"theirs"
    assert str(outcome) == "nothing was written"


def test_a_second_file_that_cannot_be_replaced_leaves_the_first(tmp_path, links, monkeypatch):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(b"old")
    outputs = [(target(tmp_path / name, force=True), text(b"new")) for name in ("a.txt", "b.txt")]
    kept = _commit.keep

    def fail_at_b(path, backup):
        if path.name == "b.txt":
            raise OSError(28, "No space left on device")
        kept(path, backup)

    monkeypatch.setattr(_commit, "keep", fail_at_b)
    with pytest.raises(ComputationError, match="cannot be written"):
        write_all(outputs, Outcome())
    assert files(tmp_path) == ["a.txt", "b.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"old"


def test_a_disk_that_is_full_at_the_end_leaves_nothing(tmp_path):
    def fill(_file):
        raise OSError(28, "No space left on device")

    outputs = [(target(tmp_path / "a.txt"), text(b"a")), (target(tmp_path / "b.txt"), fill)]
    with pytest.raises(ComputationError) as caught:
        write_all(outputs, Outcome())
    assert caught.value.args == (
        f"{tmp_path / 'b.txt'}: cannot be written (No space left on device)",
    )
    assert files(tmp_path) == []


def test_a_limit_on_the_size_of_files_is_one_line(run, features):
    command = f"ulimit -f 0; exec {sys.executable} -m fast_select {features} --ratio .5"
    got = subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; {command}"], capture_output=True, cwd=run.folder, check=False
    )
    assert got.returncode == 1
    assert got.stderr.splitlines()[-1].endswith(b"cannot be written (File too large).")
    assert files(run.folder) == []


def test_of_two_runs_to_one_name_the_second_fails(run, features):
    command = [sys.executable, "-m", "fast_select", features, "--ratio", ".2"]
    both = [
        subprocess.Popen([*command, "--seed", str(seed)], stderr=subprocess.PIPE, cwd=run.folder)
        for seed in range(2)
    ]
    errors = [process.communicate(timeout=60)[1] for process in both]
    codes = [process.returncode for process in both]
    assert sorted(codes)[0] == 0
    assert sorted(codes)[1] in (1, 2)
    loser = errors[codes.index(max(codes))]
    assert b"has appeared during the run" in loser or b"exists. Use --force" in loser
    assert files(run.folder) == ["features.report.json", "features.selected.npy"]
    report = json.loads((run.folder / "features.report.json").read_text())
    assert report["options"]["seed"] == codes.index(0)


# Names that are no UTF-8.


def test_names_that_are_no_utf8_are_read_and_written(run, features):
    name = b"f\xff.npy"
    (run.folder / os.fsdecode(name)).write_bytes(features.read_bytes())
    got = as_user(os.fsdecode(name), "--ratio", ".1", "--json", cwd=run.folder)
    assert got.returncode == 0, got.stderr
    report = json.loads((run.folder / os.fsdecode(b"f\xff.report.json")).read_text())
    assert report["input"]["files"] == json.loads(got.stdout)["input"]["files"]
    assert os.fsencode(report["input"]["files"][0]) == name


# Suffixes.


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".tsv", ".txt", ".parquet", ".feather"])
def test_suffixes_may_be_upper_case(run, features, suffix):
    upper = (suffix.upper(), suffix.title())
    for name in (f"s{suffix}", *(f"S{each}" for each in upper)):
        options = ("--count", 9, "--random", 1, "--quiet", "--force", "--weights", "nearest")
        got = run(features, *options, "-o", name, "--assign", f"a-{name}", "--report", "r.JSON")
        assert got.returncode == 0, got.stderr
        for what in ("", "a-"):
            expected = (run.folder / f"{what}s{suffix}").read_bytes()
            assert (run.folder / f"{what}{name}").read_bytes() == expected or suffix == ".npz"
        judged = run("evaluate", features, name, "--random", 1, "--quiet")
        assert judged.returncode == 0, judged.stderr
