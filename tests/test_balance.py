"""Rows of each class, given by label."""

import collections
import json

import numpy as np
import pytest

import fast_select
from fast_select import InvalidInputError
from fast_select.cli import main
from fast_select.io import read_counts

SIZES = {"cat": 120, "dog": 70, "emu": 10}
LABELS = np.repeat(list(SIZES), list(SIZES.values()))


@pytest.fixture
def x(rng):
    return rng.normal(size=(200, 4)) + (LABELS == "dog")[:, None]


def selected(x, labels=LABELS, **options):
    return fast_select.select(x, labels=labels, **{"n_random": 1, **options})


def per_class(selection):
    return dict(collections.Counter(np.asarray(selection.labels).tolist()))


@pytest.mark.parametrize(
    "counts",
    [
        {"cat": 3, "dog": 20, "emu": 10},
        {"emu": 0, "dog": 1, "cat": 1},
        {"cat": 120, "dog": 70, "emu": 10},
        {"cat": 0, "dog": 0, "emu": 1},
        {"cat": np.int64(5), "dog": 5.0, "emu": np.uint8(5)},
        collections.Counter({"cat": 5, "dog": 6, "emu": 7}),
    ],
)
@pytest.mark.parametrize("method", ["fast", "random"])
def test_each_class_gives_its_rows(x, counts, method):
    got = selected(x, balance=counts, method=method)
    expected = {label: int(count) for label, count in counts.items() if count}
    assert per_class(got) == expected
    assert got.report["options"]["balance"] == {label: int(counts[label]) for label in SIZES}
    assert {c["label"]: c["selected"] for c in got.report["selection"]["classes"]} == {
        label: int(count) for label, count in counts.items()
    }


def test_shares_that_are_in_proportion_are_those_of_proportional(x):
    even = selected(x, ratio=0.1)
    assert (selected(x, balance=per_class(even)).indices == even.indices).all()


def test_a_count_may_be_given_if_it_agrees(x):
    counts = {"cat": 10, "dog": 6, "emu": 4}
    rows = selected(x, balance=counts).indices
    for size in ({"count": 20}, {"ratio": 0.1}):
        assert (selected(x, balance=counts, **size).indices == rows).all()


def test_with_included_and_excluded_rows_and_rows_left_out(x):
    x = x.copy()
    x[[0, 195]] = np.nan
    got = selected(
        x, balance={"cat": 4, "dog": 3, "emu": 8}, nonfinite="drop", include=[1, 130, 131],
        exclude=[199], min_per_class=3,
    )  # fmt: skip
    assert per_class(got) == {"cat": 4, "dog": 3, "emu": 8}
    assert got.indices[got.labels == "emu"].tolist() == [190, 191, 192, 193, 194, 196, 197, 198]
    assert np.isin([1, 130, 131], got.indices).all()


def test_a_class_without_a_row_left_gives_none(x):
    x = x.copy()
    x[190:] = np.nan
    got = selected(x, balance={"cat": 4, "dog": 3, "emu": 0}, nonfinite="drop")
    assert per_class(got) == {"cat": 4, "dog": 3}
    with pytest.raises(InvalidInputError, match="1 row of class 'emu', which has 0 that can be"):
        selected(x, balance={"cat": 4, "dog": 3, "emu": 1}, nonfinite="drop")


@pytest.mark.parametrize(
    "classes,counts",
    [
        ([0, 1, 2], {0: 3, 1: 4, 2: 5}),
        ([0, 1, 2], {"0": 3, "1.0": 4, "+2": 5}),
        ([0, 1, 2], {0.0: 3, np.int8(1): 4, "2e0": 5}),
        (["0", "1", "2"], {"0": 3, 1: 4, 2.0: 5}),
        ([0.5, 1.0, 2.0], {"0.5": 3, 1: 4, "2": 5}),
        (["0", "1", "x"], {"0": 3, 1: 4, "x": 5}),
        (["007", "7", "8"], {"007": 3, "7": 4, "8": 5}),
        ([b"a", b"b", b"c"], {"a": 3, b"b": 4, "c": 5}),
        ([True, False, True], {True: 8, False: 4}),
        ([True, False, True], {"True": 8, "False": 4}),
        ([2**60, 2**60 + 1, 3], {str(2**60): 3, 2**60 + 1: 4, 3: 5}),
        (["0", "0.0", "x"], {"x": 5, "0.0": 4, "0": 3}),
        (["ü", "a,b", 'q"'], {"ü": 3, "a,b": 4, 'q"': 5}),
    ],
)
def test_labels_match_as_they_are_read(x, classes, counts):
    labels = np.repeat(np.array(classes, dtype=object), 50)
    got = selected(x[:150], labels, balance=counts)
    gave = {str(c["label"]): c["selected"] for c in got.report["selection"]["classes"]}
    names = [name.decode() if isinstance(name, bytes) else str(name) for name in classes]
    assert [gave[name] for name in names] == (
        [3, 4, 5] if len(gave) == 3 else [8, 4, 8]  # the first and the last are one class
    )
    again = json.loads(json.dumps(got.report))["options"]["balance"]
    assert (selected(x[:150], labels, balance=again).indices == got.indices).all()


@pytest.mark.parametrize(
    "balance,options,message",
    [
        ({"cat": 3, "dog": 2}, {}, "leaves out class 'emu'. Name every class, with 0 for no rows"),
        ({"cat": 3}, {}, "leaves out classes 'dog', 'emu'"),
        (
            {"cat": 3, "dog": 2, "emu": 1, "cow": 1},
            {},
            "names 'cow', which is no class. The classes",
        ),
        ({"cat": 3, "dog": 2, "emu": 11}, {}, "11 rows of class 'emu', which has 10 that can be"),
        ({"cat": 3, "dog": 2, "emu": 2**62}, {}, "of class 'emu', which has 10 that can be"),
        ({"cat": 3, "dog": 2, "emu": 10}, {"exclude": [199]}, "'emu', which has 9 that can be"),
        ({"cat": 3, "dog": 2, "emu": 1}, {"include": [198, 199]}, "'emu', of which 2 are included"),
        ({"cat": 3, "dog": 2, "emu": 1}, {"min_per_class": 2}, "'emu' where 2 are the least"),
        ({"cat": 3, "dog": 2, "emu": 1}, {"count": 7}, "adds up to 6 rows where 7 are asked for"),
        ({"cat": 3, "dog": 2, "emu": 1}, {"ratio": 0.5}, "adds up to 6 rows where 100 are asked"),
        ({"cat": 0, "dog": 0, "emu": 0}, {}, "asks for no rows"),
        ({"cat": 3, "dog": 2.5, "emu": 1}, {}, "has 2.5 for class 'dog', not a number of rows"),
        ({"cat": 3, "dog": -2, "emu": 1}, {}, "has -2 for class 'dog', not a number of rows"),
        ({"cat": 3, "dog": "2", "emu": 1}, {}, "has '2' for class 'dog', not a number of rows"),
        ({"cat": 3, "dog": True, "emu": 1}, {}, "has True for class 'dog', not a number of rows"),
        ({"cat": 3, "dog": None, "emu": 1}, {}, "has None for class 'dog', not a number of rows"),
        ({"cat": 3, "dog": float("nan"), "emu": 1}, {}, "has nan for class 'dog'"),
        ({"cat": 3, "dog": float("inf"), "emu": 1}, {}, "has inf for class 'dog'"),
        ({"cat": 3, "dog": [2], "emu": 1}, {}, "for class 'dog', not a number of rows"),
        ({}, {}, "leaves out classes 'cat', 'dog', 'emu'"),
        ([3, 2, 1], {}, "is not one of proportional, equal, or rows of each class by its label"),
        ("fair", {}, "is not one of proportional, equal, or rows of each class by its label"),
        (6, {}, "is not one of proportional, equal, or rows of each class by its label"),
    ],
)
def test_what_cannot_be_is_refused_by_class(x, balance, options, message):
    with pytest.raises(InvalidInputError) as caught:
        selected(x, balance=balance, **options)
    assert caught.value.what == "balance"
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_classes_named_twice_are_refused(x):
    labels = np.repeat([1, 2], 100)
    with pytest.raises(InvalidInputError, match="names class '1' twice"):
        selected(x, labels, balance={1: 3, "1": 4, 2: 5})


def test_without_labels_and_with_several_ratios_it_is_refused(x):
    with pytest.raises(InvalidInputError, match="balance: has no effect without labels"):
        fast_select.select(x, balance={"cat": 3})
    counts = {"cat": 10, "dog": 6, "emu": 4}
    with pytest.raises(InvalidInputError, match="balance: has one count for each class, not"):
        fast_select.select_nested(x, ratios=[0.1, 0.2], labels=LABELS, balance=counts)


def test_a_plan_takes_it_too(x):
    counts = {"cat": 10, "dog": 6, "emu": 4}
    plan = fast_select.plan(x, labels=LABELS, balance=counts)
    assert (plan["count"], plan["options"]["balance"]) == (20, counts)
    with pytest.raises(InvalidInputError, match="balance: asks for 11 rows of class 'emu'"):
        fast_select.plan(x, labels=LABELS, balance={**counts, "emu": 11})


def test_a_selection_by_counts_is_verified(x):
    counts = {"cat": 10, "dog": 6, "emu": 4}
    report = json.loads(json.dumps(selected(x, balance=counts).report))
    assert fast_select.verify(report, x, labels=LABELS).same


# Files.

TEXTS = {
    "b.csv": "label,count\ncat,3\ndog,2\nemu,1\n",
    "turned.csv": "count,label\n3,cat\n2,dog\n1,emu\n",
    "bare.txt": "emu,1\r\ncat,3\r\ndog,2",
    "tab.tsv": "class\trows\ncat\t3\ndog\t2\nemu\t1\n",
    "quoted.csv": '"dog";"2"\n"cat"; 3 \nemu;1\n\n',
    "b.json": '{"cat": 3, "dog": 2, "emu": 1}',
}


@pytest.mark.parametrize("name", TEXTS)
def test_counts_of_a_file(tmp_path, name):
    path = tmp_path / name
    path.write_text(TEXTS[name])
    assert read_counts(path) == {"cat": 3, "dog": 2, "emu": 1}


BAD_TEXTS = [
    ("b.csv", "cat,3\ndog\n", "line 2 has another number of columns (1) than line 1 (2)"),
    ("b.csv", "cat\ndog\n", "has 1 column where two are needed. Write lines `label,count`"),
    ("b.csv", "a,b,c\n1,2,3\n", "has 3 columns where two are needed"),
    ("b.csv", "cat,3\ndog,two\n", "line 2 has 'two' for 'dog', not a number of rows"),
    ("b.csv", "cat,three\ndog,2\n", "line 1 has 'three' for 'cat', not a number of rows"),
    ("b.csv", "cat,3\ndog,2.5\n", "line 2 has '2.5' for 'dog', not a number of rows"),
    ("b.csv", "cat,3\ndog,-2\n", "line 2 has '-2' for 'dog', not a number of rows"),
    ("b.csv", "cat,3\ndog,\n", "line 2 has '' for 'dog', not a number of rows"),
    ("b.csv", "cat,3\n,2\n", "line 2 has no label. Fill it in"),
    ("b.csv", "label,count\ncat,3\ncat,2\n", "line 3 names 'cat' a second time"),
    ("b.csv", "", "is empty"),
    ("b.json", '{"cat": 3', "is no JSON, or not all of it"),
    ("b.json", "[3, 2]", "holds no JSON object"),
    ("b.json", '{"cat": 3, "cat": 2}', "names 'cat' twice"),
    ("b.json", '{"cat": "3"}', "has \"3\" for 'cat', not a number of rows"),
    ("b.json", '{"cat": 3.0}', "has 3.0 for 'cat', not a number of rows"),
    ("b.json", '{"cat": -3}', "has -3 for 'cat', not a number of rows"),
    ("b.json", '{"cat": true}', "has true for 'cat', not a number of rows"),
    ("b.json", '{"cat": {"a": 1}}', "has {...} for 'cat', not a number of rows"),
    ("b.parquet", "PAR1", "has the suffix '.parquet', not one of .csv, .tsv, .txt, .json"),
]


@pytest.mark.parametrize("name,text,fact", BAD_TEXTS, ids=[fact for *_, fact in BAD_TEXTS])
def test_files_that_hold_no_counts(tmp_path, name, text, fact):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        read_counts(path)
    assert str(caught.value).startswith(f"{path}: {fact}")


@pytest.fixture
def folder(tmp_path, monkeypatch, x):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", x)
    (tmp_path / "y.txt").write_text("\n".join(LABELS))
    (tmp_path / "b.csv").write_text(TEXTS["b.csv"])
    return tmp_path


def told(capfd, *args):
    capfd.readouterr()
    code = main([*args])
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    return code, out + err


ARGS = ["x.npy", "--labels", "y.txt", "--balance"]


@pytest.mark.parametrize("size", [[], ["--count", "6"], ["--ratio", "0.03"]])
def test_the_command_selects_the_rows_of_a_file(folder, capfd, size):
    assert told(capfd, *ARGS, "b.csv", *size, "--random", "1", "--quiet")[0] == 0
    assert LABELS[np.load("x.selected.npy")].tolist() == ["cat"] * 3 + ["dog"] * 2 + ["emu"]
    report = json.loads((folder / "x.report.json").read_text())
    assert report["options"]["balance"] == {"cat": 3, "dog": 2, "emu": 1}
    (folder / "b.csv").unlink()
    assert told(capfd, "verify", "x.report.json", "--quiet")[0] == 0
    report["options"]["balance"]["cat"] = 2
    report["options"]["balance"]["dog"] = 3
    (folder / "x.report.json").write_text(json.dumps(report))
    assert told(capfd, "verify", "x.report.json", "--quiet")[0] == 1


@pytest.mark.parametrize(
    "args,line",
    [
        ([*ARGS, "b.csv", "--count", "9"], "--balance: adds up to 6 rows where 9 are asked for."),
        ([*ARGS, "b.csv", "--ratio", "0.1", "--ratio", "0.2"], "--balance: has one count for each"),
        ([*ARGS, "fair"], "--balance: 'fair' is neither proportional nor equal nor a file."),
        ([*ARGS, ""], "--balance: '' is neither proportional nor equal nor a file."),
        ([*ARGS, "x.npy"], "x.npy: has the suffix '.npy', not one of .csv, .tsv, .txt, .json."),
        ([*ARGS, "."], ".: is a folder where a file is needed."),
        ([*ARGS, "few.csv"], "--balance: leaves out class 'emu'. Name every class, with 0 for no"),
        ([*ARGS, "many.csv"], "--balance: asks for 11 rows of class 'emu', which has 10 that can"),
        ([*ARGS, "none.csv"], "--balance: asks for no rows. Ask for one or more."),
        ([*ARGS, "b.csv", "--min-per-class", "2"], "--balance: asks for 1 row of class 'emu'"),
        (["x.npy", "--balance", "b.csv"], "--balance: has no effect without labels. Give labels."),
        (["plan", *ARGS, "many.csv"], "--balance: asks for 11 rows of class 'emu', which has 10"),
        ([*ARGS, "equal"], "--ratio and --count: are both missing. Give one of them."),
        ([*ARGS, "b.csv", "-o", "b.csv", "--force"], "b.csv: is an input."),
    ],
)  # fmt: skip
def test_the_command_refuses_on_one_line(folder, capfd, args, line):
    (folder / "few.csv").write_text("cat,3\ndog,2\n")
    (folder / "many.csv").write_text("cat,3\ndog,2\nemu,11\n")
    (folder / "none.csv").write_text("cat,0\ndog,0\nemu,0\n")
    before = sorted(path.name for path in folder.iterdir())
    code, said = told(capfd, *args)
    assert code == 2
    assert said.startswith(f"Error: {line}")
    assert said.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == before


def test_the_command_plans_with_a_file(folder, capfd):
    code, said = told(capfd, "plan", *ARGS, "b.csv", "--json")
    assert (code, json.loads(said)["count"]) == (0, 6)
