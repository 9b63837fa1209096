"""A report is enough to make a selection again, and whatever has changed meanwhile is found."""

import copy
import json
import shutil

import numpy as np
import pytest

import fast_select
from fast_select import InvalidInputError, _core
from fast_select.cli import main

INCLUDE, EXCLUDE = [3, 250], [7, 8, 120]
COUNTS = {"a": 12, "b": 9, "c": 4}


def matrix():
    x = np.random.default_rng(5).normal(size=(300, 5)) + 1.0
    x[:, 2] *= 40
    x[[20, 21], [1, 4]] = np.nan, np.inf
    x[20, 0] = 1.0
    return x


LABELS = np.repeat(["a", "b", "c"], [160, 100, 40])


def made(**options):
    return fast_select.select(
        matrix(), **{"labels": LABELS, "include": INCLUDE, "exclude": EXCLUDE, "nonfinite": "drop",
                     "balance": COUNTS, "n_random": 2, **options},
    )  # fmt: skip


@pytest.fixture(scope="module")
def report():
    """As it is read back from its file."""
    return json.loads(json.dumps(made().report))


def outcome(report, x=None, **arrays):
    given = {"labels": LABELS, "include": INCLUDE, "exclude": EXCLUDE, **arrays}
    return fast_select.verify(report, matrix() if x is None else x, **given)


def changed(at, value):
    x = matrix()
    x[at] = value
    return x


def swapped(axis, i, j):
    x = np.swapaxes(matrix(), 0, axis).copy()
    x[[i, j]] = x[[j, i]]
    return np.swapaxes(x, 0, axis)


def with_option(path, value):
    def change(report):
        report = copy.deepcopy(report)
        *path_to, last = path.split(".")
        place = report
        for key in path_to:
            place = place[key]
        place[last] = value
        return {"report": report}

    return change


def given(**inputs):
    return lambda report: {"report": report, **inputs}


LAST = matrix()[-1, -1]
other_labels = LABELS.copy()
other_labels[170] = "a"

CHANGES = {
    "last bit": (given(x=changed((9, 2), np.nextafter(matrix()[9, 2], 99))), "values"),
    "last bit of the last": (given(x=changed((-1, -1), np.nextafter(LAST, 99))), "values"),
    "sign": (given(x=changed((40, 0), -matrix()[40, 0])), "values"),
    "a value of a row that is dropped": (given(x=changed((20, 0), 5.0)), "values"),
    "NaN moved in its row": (given(x=changed((20, slice(0, 2)), [np.nan, 1.0])), "values"),
    "NaN for infinity": (given(x=changed((21, 4), np.nan)), "values"),
    "infinity of another sign": (given(x=changed((21, 4), -np.inf)), "values"),
    "one NaN more": (given(x=changed((22, 0), np.nan)), "values"),
    "a value of a row that is excluded": (given(x=changed((7, 1), 0.5)), "values"),
    "rows swapped": (given(x=swapped(0, 5, 6)), "values"),
    "columns swapped": (given(x=swapped(1, 0, 1)), "values"),
    "a narrower type": (given(x=matrix().astype(np.float32)), "values"),
    "a row less": (given(x=matrix()[:-1], labels=LABELS[:-1]), "values"),
    "a column more": (given(x=np.hstack([matrix(), np.ones((300, 1))])), "values"),
    "one label": (given(labels=other_labels), "labels"),
    "a class renamed": (given(labels=np.where(LABELS == "c", "d", LABELS)), "labels"),
    "no labels": (given(labels=None), "labels"),
    "another row included": (given(include=[3, 251]), "include"),
    "none included": (given(include=None), "include"),
    "one row more excluded": (given(exclude=[*EXCLUDE, 121]), "exclude"),
    "seed": (with_option("options.seed", 1), "rows"),
    "balance": (with_option("options.balance", {"a": 12, "b": 8, "c": 5}), "rows"),
    "count": (with_option("options.balance", {"a": 12, "b": 9, "c": 5}), "rows"),
    "method": (with_option("options.method", "random"), "rows"),
    "scale": (with_option("options.scale", "none"), "rows"),
    "block_rows": (with_option("options.block_rows", 64), "rows"),
    "an option of a later version": (with_option("options.temperature", 3), "options"),
    "hash of the rows": (with_option("selection.sha256", "0" * 64), "rows"),
    "hash of the values": (with_option("input.hashes.values", "0" * 32), "values"),
}  # fmt: skip


def test_nothing_has_changed(report):
    same = outcome(report)
    assert same.same, str(same)
    assert (same.differences, same.notes, same.count, same.n_rows) == ((), (), 25, 300)
    info = _core.info()
    by = f"(seed 0, fast-select {info['version']}, {info['instruction_set']})"
    assert str(same) == f"The same rows: 25 of 300 {by}"


@pytest.mark.parametrize("change,what", CHANGES.values(), ids=CHANGES)
def test_a_single_change_is_found(report, change, what):
    found = outcome(**change(report))
    assert not found.same
    assert what in [difference.what for difference in found.differences], str(found)
    assert str(found).startswith("Not the same: ")


def test_a_change_that_alters_no_pick_is_found():
    x = matrix()
    selection = made(method="random")
    x[np.setdiff1d(np.arange(300), selection.indices)[-1]] *= 1.001
    found = outcome(selection.report, x)
    assert [difference.what for difference in found.differences] == ["values"]


def views():
    x = np.random.default_rng(5).normal(size=(300, 5)).astype(np.float32)
    x[3, 1] = np.nan
    x[4] = 0.0
    wide = np.zeros((600, 10), np.float32)
    wide[::2, ::2] = x
    payload = x.copy()
    payload.view(np.uint32)[3, 1] = 0xFFC00123
    rest = np.zeros((300 * 5 * 4 + 1,), np.uint8)
    rest[1:] = x.view(np.uint8).ravel()
    return x, {
        "float64": x.astype(np.float64),
        "Fortran": np.asfortranarray(x),
        "big-endian": x.astype(">f4"),
        "strided": wide[::2, ::2],
        "backwards": x[::-1].copy()[::-1],
        "unaligned": rest[1:].view(np.float32).reshape(300, 5),
        "a NaN of other bits": payload,
        "negative zero": np.where(x == 0, np.float32(-0.0), x),
        "masked": np.ma.masked_invalid(x),
        "objects": x.astype(object),
        "lists": x.tolist(),
    }


@pytest.mark.parametrize("name", views()[1])
def test_the_same_numbers_are_the_same_in_whatever_form(name):
    x, forms = views()
    report = fast_select.select(x, count=20, nonfinite="drop", n_random=1).report
    assert fast_select.verify(report, forms[name]).same


def test_integers_are_compared_exactly():
    x = (1 << 60) + np.random.default_rng(1).integers(0, 10**6, size=(200, 2))
    report = fast_select.select(x, count=20, n_random=1).report
    assert fast_select.verify(report, x.astype(np.uint64)).same
    other = x.copy()
    other[50, 1] += 1
    assert other[50, 1].astype(float) == x[50, 1].astype(float)
    assert not fast_select.verify(report, other).same
    small = np.random.default_rng(1).integers(0, 100, size=(200, 2)).astype(np.int8)
    report = fast_select.select(small, count=20, n_random=1).report
    for dtype in (np.uint16, np.float16, np.float64, np.int64):
        assert fast_select.verify(report, small.astype(dtype)).same


@pytest.mark.parametrize(
    "labels,others",
    [
        ([1, 2, 0], [["1", "2", "0"], [1.0, 2.0, 0.0], np.array([1, 2, 0], np.uint8)]),
        (["1.5", "2", "0"], [[1.5, 2.0, 0.0]]),
        (["b", "a", "c"], [np.array(["b", "a", "c"], "S1"), [b"b", b"a", b"c"]]),
        ([True, False, True], [[1, 0, 1]]),
    ],
)
def test_labels_are_compared_as_the_classes_that_they_are(rng, labels, others):
    x = rng.normal(size=(300, 3))
    report = fast_select.select(x, count=20, labels=np.repeat(labels, 100), n_random=1).report
    for other in others:
        assert fast_select.verify(report, x, labels=np.repeat(other, 100)).same
    assert not fast_select.verify(report, x, labels=np.repeat(["x", "y", "z"], 100)).same


def test_rows_are_compared_as_sets(report):
    mask = np.zeros(300, bool)
    mask[EXCLUDE] = True
    assert outcome(report, include=INCLUDE[::-1], exclude=mask).same


@pytest.mark.parametrize(
    "options",
    [
        {"threads": 1},
        {"max_memory": 8 << 30},
        {"seed": 2**64 - 1},
        {"balance": "equal", "ratio": 0.2, "min_per_class": 3},
        {"method": "random", "balance": "proportional", "count": 20},
    ],
)
def test_any_options_are_followed(options):
    assert outcome(made(**options).report).same


def test_each_of_nested_selections(rng):
    x = rng.normal(size=(400, 3))
    for selection in fast_select.select_nested(x, ratios=[0.1, 0.4, 0.2], n_random=1):
        assert fast_select.verify(selection.report, x).same
        alone = copy.deepcopy(selection.report)
        alone["selection"]["ratios"] = None
        largest = selection.indices.size == 160
        assert fast_select.verify(alone, x).same is largest


def test_what_is_no_report_is_refused(report, rng):
    x = matrix()
    for bad in (None, 3, "x.report.json", [], [report], {}, {"schema": 1}):
        with pytest.raises(InvalidInputError, match="report: "):
            fast_select.verify(bad, x)
    judged = fast_select.evaluate(rng.normal(size=(90, 2)), np.arange(9), n_random=1)
    with pytest.raises(InvalidInputError, match="no report of a selection"):
        fast_select.verify(judged, x)
    with pytest.raises(InvalidInputError, match="has no option 'lables'"):
        outcome(report, lables=LABELS)
    with pytest.raises(InvalidInputError, match=r"report: cannot be followed \(seed: -1"):
        outcome(**with_option("options.seed", -1)(report))


# The command.


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a set in several formats, and the report on a selection from the .npz."""
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(2).normal(size=(200, 4)).astype(np.float32)
    y = np.repeat([0, 1], [150, 50])
    np.savez_compressed("d.npz", x=x, y=y, z=x + 1)
    np.save("x.npy", x.astype(np.float64))
    (tmp_path / "parts").mkdir()
    for part in range(3):
        np.save(f"parts/part-{part}.npy", x[part * 70 : (part + 1) * 70])
    (tmp_path / "y.csv").write_text("id,y\n" + "".join(f"k{i},{v}\n" for i, v in enumerate(y)))
    (tmp_path / "keep.txt").write_text("5\n190\n")
    args = ["d.npz", "--key", "x", "--label-key", "y", "--include", "keep.txt", "--count", "20"]
    assert main([*args, "--random", "1", "--quiet"]) == 0
    return tmp_path


def told(capfd, *args):
    capfd.readouterr()
    code = main(["verify", *map(str, args), "--quiet"])
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    assert (code == 2) == err.startswith("Error: ")
    return code, out + err


LABELLED = ["--labels", "y.csv", "--label-column", "y"]


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["d.npz"],
        ["x.npy", *LABELLED],
        ["parts", *LABELLED],
        ["parts/part-0.npy", "parts/part-1.npy", "parts/part-2.npy", *LABELLED],
        ["--threads", "1"],
    ],
)
def test_the_command_finds_what_was_named_or_takes_what_is(folder, capfd, args):
    code, text = told(capfd, "d.report.json", *args)
    assert code == 0
    assert text.startswith("The same rows: 20 of 200 (seed 0, ")


@pytest.mark.parametrize(
    "args,line",
    [
        (["--key", "z"], "values: are not those that it was made from."),
        (["parts/part-0.npy", *LABELLED], "values: have shape (70, 4) where it was made from "),
        (["--include", "drop.txt"], "include: are not those that it was made with."),
        (["--label-key", "w"], "labels: are not those that it was made with."),
        (["--exclude", "keep.txt"], "exclude: are given: it was made without."),
    ],
)
def test_the_command_says_what_differs(folder, capfd, args, line):
    with np.load("d.npz") as arrays:
        np.savez("d.npz", **arrays, w=np.repeat([0, 1], [149, 51]))
    (folder / "drop.txt").write_text("5\n191\n")
    code, text = told(capfd, "d.report.json", *args)
    assert code == 1
    assert text.startswith("Not the same: 20 of 200")
    assert line in text


def test_the_command_counts_the_rows_that_differ(folder, capfd):
    report = json.loads((folder / "d.report.json").read_text())
    report["options"]["seed"] = 1
    (folder / "d.report.json").write_text(json.dumps(report))
    code, text = told(capfd, "d.report.json")
    rows = np.load("d.selected.npy")
    again = fast_select.select(
        np.load("d.npz")["x"], count=20, labels=np.load("d.npz")["y"], include=[5, 190], seed=1,
        n_random=0,
    ).indices  # fmt: skip
    lost = np.setdiff1d(rows, again)
    assert code == 1
    assert f"rows: {lost.size} of 20 are not selected again ({lost[0]}, {lost[1]}, " in text
    (folder / "d.selected.npy").unlink()
    code, text = told(capfd, "d.report.json")
    assert (code, "rows: are not those that were selected." in text) == (1, True)


def test_names_are_sought_beside_the_report_too(folder, capfd, monkeypatch):
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert told(capfd, "../d.report.json")[0] == 0
    (folder / "d.npz").unlink()
    code, text = told(capfd, "../d.report.json")
    assert code == 2
    assert text == (
        "Error: ../d.report.json: tells of d.npz, which is neither here nor beside it. "
        "Name it by INPUT.\n"
    )


def test_reports_of_several_ratios_alone_and_together(folder, capfd):
    args = ["x.npy", "--ratio", "0.3", "--ratio", "0.1", "--random", "1", "--quiet", "--json"]
    capfd.readouterr()
    assert main([*args, "-o", "r.npy", "--report", "r.json"]) == 0
    (folder / "all.json").write_text(capfd.readouterr().out)
    for name in ("r-0.3.json", "r-0.1.json"):
        assert told(capfd, name)[0] == 0
    code, text = told(capfd, "all.json", "--json")
    both = json.loads(text)
    assert code == 0
    assert [(each["same"], each["count"]) for each in both] == [(True, 60), (True, 20)]
    assert told(capfd, "all.json", "--key", "x", "d.npz")[0] == 0
    assert told(capfd, "all.json", "--key", "z", "d.npz")[0] == 1
    several = [json.loads((folder / name).read_text()) for name in ("r-0.1.json", "d.report.json")]
    (folder / "mixed.json").write_text(json.dumps(several))
    code, text = told(capfd, "mixed.json")
    assert (code, "different input" in text) == (2, True)


def test_the_outcome_as_json(folder, capfd):
    code, text = told(capfd, "d.report.json", "--json", "--key", "z")
    found = json.loads(text)
    assert (code, found["same"], found["count"], found["n_rows"]) == (1, False, 20, 200)
    assert found["differences"][0]["what"] == "values"


def test_a_report_from_before_there_were_hashes(folder, capfd):
    report = json.loads((folder / "d.report.json").read_text())
    for part, key in (("input", "hashes"), ("input", "named"), ("selection", "sha256"),
                      ("selection", "file"), ("selection", "ratios")):  # fmt: skip
        del report[part][key]
    (folder / "old.json").write_text(json.dumps(report))
    code, text = told(capfd, "old.json")
    assert (code, "Name INPUT" in text) == (2, True)
    args = ["d.npz", "--key", "x", "--label-key", "y", "--include", "keep.txt"]
    code, text = told(capfd, "old.json", *args)
    assert code == 0
    assert "no hash of the values: the bytes of files are compared" in text
    shutil.copy("d.npz", "copy.npz")
    with np.load("copy.npz") as arrays:
        np.savez("d.npz", **arrays)
    code, text = told(capfd, "old.json", *args)
    assert (code, "values: are in files of other bytes" in text) == (1, True)
    code, text = told(capfd, "old.json", *args, "--exclude", "parts/part-0.npy")
    assert code == 2
    (folder / "keep.txt").write_text("5\n191\n")
    code, text = told(capfd, "old.json", "copy.npz", *args[1:])
    assert (code, "rows: have other figures of quality" in text) == (1, True)


def test_other_versions_and_instruction_sets_are_named(report):
    other = copy.deepcopy(report)
    other["tool"]["version"] = "0.0.9"
    other["tool"]["instruction_set"] = "neon"
    found = outcome(other)
    assert found.same
    version, instructions = found.notes
    assert version.startswith("It was made by fast-select 0.0.9, and again by ")
    assert "made on neon" in instructions
    assert f"this machine has {' and '.join(_core.instruction_sets())}, not neon" in instructions


def test_the_recorded_instruction_set_is_used_where_there_is_one(run, features):
    args = (features, "--ratio", "0.1", "--random", "1", "--quiet")
    assert run(*args, FAST_SELECT_INSTRUCTION_SET="scalar").returncode == 0
    got = run("verify", "features.report.json", "--quiet")
    assert got.returncode == 0
    assert b", scalar)" in got.stdout
    best = _core.instruction_sets()[-1]
    got = run("verify", "features.report.json", "--quiet", FAST_SELECT_INSTRUCTION_SET=best)
    assert b"FAST_SELECT_INSTRUCTION_SET=scalar has it made as it was" in got.stdout


def test_streams(run, features):
    data = features.read_bytes()
    args = ("--ratio", "0.1", "--random", "1", "--quiet")
    got = run("-", *args, "-o", "r.npy", "--report", "r.json", stdin=data)
    assert got.returncode == 0
    got = run("verify", "r.json")
    assert got.returncode == 2
    assert b"standard input, which cannot be read again. Name it by INPUT." in got.stderr
    assert run("verify", "r.json", "-", stdin=data).returncode == 0
    report = (run.folder / "r.json").read_bytes()
    assert run("verify", "-", features, stdin=report).returncode == 0


def test_a_report_from_python_needs_its_input_named(folder, capfd):
    x = np.load("x.npy")
    (folder / "p.json").write_text(
        json.dumps(fast_select.select(x, count=9, n_random=1).report, allow_nan=False)
    )
    assert told(capfd, "p.json")[0] == 2
    assert told(capfd, "p.json", "x.npy")[0] == 0


BAD = {
    "": "is empty",
    "{": "is no JSON, or not all of it",
    '{"schema": 1': "is no JSON, or not all of it",
    "[" * 100_000: "is no JSON, or not all of it",
    "9" * 5000: "is no JSON, or not all of it",
    "[]": "is a list without reports",
    "7": "is no report of fast-select",
    '{"schema": 2}': "is of schema 2, newer than this version's 1. Update fast-select",
    '{"schema": "1"}': "has schema '1', which is none",
    '{"schema": 1}': "has no 'options'",
    '{"schema": 1, "options": 3}': "has int in 'options'",
    '{"schema": 1, "options": {}}': "is no report of a selection",
    "\0": "",
}


@pytest.mark.parametrize("text,fact", BAD.items(), ids=map(str, range(len(BAD))))
def test_reports_that_cannot_be_used(tmp_path, capfd, text, fact):
    path = tmp_path / "r.json"
    path.write_text(text)
    code, said = told(capfd, path)
    assert code == 2
    assert said.startswith(f"Error: {path}: {fact}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "path,value",
    [
        ("input", None), ("input.shape", [200]), ("input.shape", ["200", 4]), ("input.shape", None),
        ("input.hashes", []), ("input.named", 3), ("input.named", None),
        ("input.named.inputs", "d.npz"), ("input.named.inputs", []), ("input.named.inputs", [3]),
        ("input.named.inputs", [True]), ("input.named.inputs", ["a\0b"]), ("input.named.key", 3),
        ("input.named.labels", [1]), ("input.named.labels", True), ("input.named.no_such", "x"),
        ("selection", []), ("selection.count", "20"), ("selection.ratios", 0.1),
        ("selection.ratios", [0.1]), ("options.seed", "x"), ("options.count", None),
        ("options.balance", {"a": -1}), ("options.method", None), ("tool.version", None),
        ("quality.selection", None),
    ],
)  # fmt: skip
def test_reports_with_something_odd_in_them(folder, capfd, path, value):
    report = json.loads((folder / "d.report.json").read_text())
    odd = with_option(path, value)(report)["report"]
    (folder / "odd.json").write_text(json.dumps(odd))
    code, said = told(capfd, "odd.json")
    assert code == 2
    assert said.count("\n") == 1


def test_other_files_and_missing_ones_are_no_reports(folder, capfd):
    for name in ("x.npy", "d.npz", "y.csv", "keep.txt", "parts", "none.json"):
        assert told(capfd, name)[0] == 2
    for args in (["x.npy"], ["none.npy"], ["--labels", "none.txt"], ["--key", "no"]):
        assert told(capfd, "d.report.json", *args)[0] == 2
