"""The command that a report tells makes the same selection."""

import json
import subprocess

import numpy as np
import pytest

import fast_select
from fast_select import _core
from fast_select._checks import checked
from fast_select.cli._inputs import read_balance
from fast_select.cli._options import parted
from fast_select.cli.select import select as select_command
from fast_select.page import Told, command
from told_reports import told_report


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder with inputs of odd names."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    x = rng.normal(size=(240, 4)).astype(np.float32)
    y = np.arange(240) % 3
    for name in ("x.npy", "my file's.npy", "-x.npy", "two\nlines.npy", "é$HOME`ls`.npy"):
        np.save(name, x)
    np.savez("data.npz", x=x, y=y, g=np.arange(240) // 4)
    np.savetxt("labels.txt", y, fmt="%d")
    np.savetxt("-keep.txt", np.arange(3), fmt="%d")
    (tmp_path / "counts.csv").write_text("label,count\n0,5\n1,7\n2,9\n")
    (tmp_path / "t.csv").write_text(
        "a,b,kind\n" + "".join(f"{u:.6f},{v:.6f},k{k % 2}\n" for k, (u, v, *_) in enumerate(x))
    )
    return tmp_path


def words_of(line):
    """The words that a shell makes of a line."""
    made = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, timeout=20
    )
    return made.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["x.npy", "--ratio", "0.1"],
        ["x.npy", "--count", "17", "--seed", "18446744073709551615", "--threads", "1"],
        ["x.npy", "--ratio", "0.1", "-o", "a b.csv", "--weights", "nearest", "--rank"],
        ["x.npy", "--ratio", "0.1", "-o", "-rows.txt"],
        ["x.npy", "--ratio", "0.2", "--ratio", "0.1"],
        ["x.npy", "--ratio", "0.2", "--ratio", "0.1", "-o", "rows.npy"],
        ["my file's.npy", "--ratio", "0.1"],
        ["./-x.npy", "--ratio", "0.1", "--include=-keep.txt"],
        ["two\nlines.npy", "--ratio", "0.1"],
        ["é$HOME`ls`.npy", "--ratio", "0.1"],
        ["data.npz", "--key", "x", "--label-key", "y", "--balance", "equal", "--ratio", "0.1"],
        ["data.npz", "--key", "x", "--label-key", "y", "--balance", "counts.csv"],
        ["x.npy", "--labels", "labels.txt", "--min-per-class", "0", "--ratio", "0.05"],
        [
            "data.npz", "--key", "x", "--group-key", "g", "--max-per-group", "1", "--ratio", "0.1",
        ],
        ["t.csv", "--columns", "a,b", "--label-column", "kind", "--ratio", "0.1"],
        ["x.npy", "--ratio", "0.1", "--max-memory", "2GiB", "--random", "0"],
        [
            "x.npy", "--ratio", "0.1", "--method", "paper", "--space", "joint", "--steps", "5",
            "--learning-rate", "1e-05", "--scale", "standard", "--nonfinite", "drop",
        ],
        ["x.npy", "--ratio", "0.1", "--method", "k-means", "--watts-per-core", "7.5"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_the_line_makes_the_same_selection(data, call, monkeypatch, arguments):
    monkeypatch.chdir(data)
    report = data / "r.json"
    before = sorted(path.name for path in data.iterdir())
    got = call(*arguments, "--quiet", "--report", report)
    assert got.returncode == 0, got.stderr
    made = sorted(path.name for path in data.iterdir() if path.name not in before)
    for path in data.glob("r*.json"):
        told = Told.of(json.loads(path.read_text()), str(path))
        words = words_of(" ".join(command(told)))
        assert words[:2] == ["fast-select", "select"]
        # As click reads them, they are the options that were used.
        given = select_command.make_context("select", words[2:], obj=None).params
        ratios = given.pop("ratios")
        own = [name for name, _ in given.items() if name not in known()]
        for name in own:
            given.pop(name)
        named, options = parted(given)
        assert {**named, "inputs": list(named["inputs"])} == told.report["input"]["named"]
        ratio = told.report["options"]["ratio"]
        assert ratio in (ratios or (None,))
        options = read_balance(options) | {"ratio": ratio}
        then = {k: v for k, v in told.report["options"].items() if k in options_of_table()}
        now = checked("select", options).values()
        free = {"threads"} if then["max_memory"] else set()
        assert {k: v for k, v in now.items() if k not in free} == {
            k: v for k, v in then.items() if k not in free
        }
    old = {path.name: json.loads(path.read_text()) for path in data.glob("r*.json")}
    # And it writes the same rows to the same files.
    got = call(*words[1:], "--quiet", "--report", report, "--force")
    assert got.returncode == 0, got.stderr
    for name, then in old.items():
        now = json.loads((data / name).read_text())
        assert now["selection"]["sha256"] == then["selection"]["sha256"]
        assert now["selection"].get("file") == then["selection"].get("file")
    assert sorted(p.name for p in data.iterdir() if p.name not in before) == made


def known():
    return {entry["name"] for entry in _core.option_table("select")} | {
        "inputs", "key", "columns", "label_key", "label_column", "id_key", "flatten",
        "group_key", "group_column",
    }  # fmt: skip


def options_of_table():
    return checked("select", {"ratio": 0.1}).values().keys()


def test_what_was_made_in_python_is_a_call():
    x = np.random.default_rng(3).normal(size=(100, 3))
    made = fast_select.select(x, labels=np.arange(100) % 2, ratio=0.2, seed=3, n_random=0)
    [line] = command(Told.of(made.report))
    assert line == "fast_select.select(X, labels=labels, ratio=0.2, n_random=0, seed=3)"
    again = eval(line, {"fast_select": fast_select, "X": x, "labels": np.arange(100) % 2})
    assert again.indices.tolist() == made.indices.tolist()


def test_nested_selections_of_python_are_one_call():
    x = np.random.default_rng(3).normal(size=(100, 3))
    made = fast_select.select_nested(x, ratios=[0.2, 0.1], n_random=0)
    lines = {command(Told.of(each.report))[0] for each in made}
    assert lines == {"fast_select.select_nested(X, ratios=[0.2, 0.1], n_random=0)"}


def test_counts_of_classes_whose_file_is_not_known_are_said():
    report = told_report(whole=False)
    report["options"] |= {"balance": {"a": 1}, "ratio": None}
    report["input"]["named"] = {"inputs": ["x.npy"]}
    assert command(Told.of(report))[-2:] == ["--balance", "counts.csv"]


def test_rows_that_were_only_judged_have_no_command():
    x = np.random.default_rng(3).normal(size=(100, 3))
    assert command(Told.of(fast_select.evaluate(x, np.arange(9), n_random=2))) == []
