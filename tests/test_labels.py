"""Labels: text, tables and arrays of every kind, each odd one named."""

import tracemalloc

import numpy as np
import pytest

import fast_select
from fast_select import InvalidInputError
from fast_select._labels import encode_labels
from fast_select.io import read_labels

WORDS = ["cat", "dog", "cat", "emu"]


def lines(cells, end="\n"):
    return end.join(map(str, cells)) + end


def table(*columns, mark=",", header=None):
    rows = [header] * (header is not None) + list(zip(*columns, strict=True))
    return lines(mark.join(map(str, row)) for row in rows)


@pytest.fixture
def read(tmp_path):
    """Read labels of a text; `column` as of --label-column."""

    def read(text, column=None, n=None, suffix=".txt"):
        path = tmp_path / f"labels{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return np.asarray(read_labels(path, column=column, n=n)).tolist()

    return read


IDS = range(4)


@pytest.mark.parametrize(
    "text,column",
    [
        (lines(WORDS), None),
        (lines(WORDS).rstrip(), None),
        (lines(WORDS) + "\n \n", None),
        (lines(WORDS, "\r\n"), None),
        (lines(WORDS, "\r"), None),
        ("\ufeff" + lines(WORDS), None),
        (lines(f" \xa0{word}\u3000 " for word in WORDS), None),
        (lines(f'"{word}"' for word in WORDS), None),
        (lines(["label", *WORDS]), None),
        (lines(["Class", *WORDS]), None),
        (lines(["breed", *WORDS]), "breed"),
        (lines(["0", *WORDS]), None),
        (table(IDS, WORDS), "2"),
        (table(IDS, WORDS, mark=";"), "2"),
        (table(IDS, WORDS, mark="\t"), "2"),
        (table(IDS, WORDS, mark=", "), "2"),
        (table(IDS, WORDS, header=("id", "breed")), "breed"),
        (table(IDS, WORDS, header=("id", "breed")), "2"),
        (table(WORDS, IDS, header=("breed", "id")), "1"),
        (table(IDS, WORDS, header=("", "0")), None),
        (table(IDS, WORDS, header=("", "label")), None),
        (table(IDS, IDS, WORDS, header=("", "id", "label")), "label"),
        (table(['"a,b"'] * 4, WORDS), "2"),
        (table(['"a""b;c"'] * 4, WORDS), "2"),
    ],
)
def test_texts_that_say_the_same(read, text, column):
    assert read(text, column, n=4) == WORDS


@pytest.mark.parametrize(
    "cells,classes",
    [
        (["10", "9", "10", "-1"], [10, 9, 10, -1]),
        (["1", "2.5", "1e1", ".5"], [1.0, 2.5, 10.0, 0.5]),
        (["1", "1.0", "+1", "2"], [1.0, 1.0, 1.0, 2.0]),
        (["x", "1", "2", "1"], ["x", "1", "2", "1"]),
        (["007", "7", "07", "1"], ["007", "7", "07", "1"]),
        (["1_0", "1", "2", "1"], ["1_0", "1", "2", "1"]),
        (["\u0661", "1", "2", "1"], ["\u0661", "1", "2", "1"]),
        (["True", "False", "True", "True"], ["True", "False", "True", "True"]),
        ([str(2**70), "1", "2", "1"], [2**70, 1, 2, 1]),
        (['"a,b"', 'say ""', '5" nail', '"q""q"'], ["a,b", 'say ""', '5" nail', 'q"q']),
        (["a\x85b", "a\u2028b", "a\x0bb", "a\x0cb"], ["a\x85b", "a\u2028b", "a\x0bb", "a\x0cb"]),
        (["label", "x", "label", "y"], ["label", "x", "label", "y"]),
        (["NA", "None", "x", "Nan"], ["NA", "None", "x", "Nan"]),
    ],
)
def test_what_cells_mean(read, cells, classes):
    # A first line that alone is no number would be a header.
    got = read(lines([*cells, cells[0]]), n=5)
    assert got == [*classes, classes[0]]
    assert list(map(type, got)) == list(map(type, [*classes, classes[0]]))


@pytest.mark.parametrize(
    "text,column,fact",
    [
        ("cat\n\ndog\n", None, "line 2 is blank"),
        ("\ncat\n", None, "line 1 is blank"),
        ("cat\n \t\ndog\n", None, "line 2 is blank"),
        ('cat\n""\ndog\n', None, "line 2 has no label"),
        ("1,cat\n2,\n", "2", "line 2 has no label"),
        ("cat\nnan\n", None, "line 2 holds 'nan', a missing value"),
        ("1\n2\n<NA>\n", None, "line 3 holds '<NA>', a missing value"),
        ("label\ncat\nNaN\n", None, "line 3 holds 'NaN', a missing value"),
        ("1\ninf\n", None, "line 2 holds 'inf', no finite number"),
        ("1\n1e999\n", None, "line 2 holds '1e999', no finite number"),
        ("cat\na\0b\n", None, "line 2 holds a NUL byte"),
        (b"cat\ncaf\xe9\n", None, "line 2 is no UTF-8"),
        (b"cat\n\xef\xbb\xbfdog\n", None, "line 2 holds a byte order mark"),
        ("cat\n".encode("utf-16"), None, "is UTF-16 or UTF-32"),
        ("cat\n".encode("utf-32"), None, "is UTF-16 or UTF-32"),
        ("", None, "is empty"),
        ("\n \n", None, "is empty"),
        ('cat\n"dog\ncat\n', None, "line 2 opens a quote that it does not close"),
        ('"cat\ndog\ncat\n', None, "line 1 opens a quote that it does not close"),
        ('cat\n"d"og\n', None, "line 2 is no line of CSV"),
        ("cat\na,b\n", None, "line 2 holds ',' where line 1 has one column"),
        ("cat\na;b\n", None, "line 2 holds ';' where line 1 has one column"),
        ('cat\n"a"\tb\n', None, "line 2 (holds|is no line of CSV)"),
        ("1,cat\ndog\n", "2", r"line 2 has another number of columns \(1\) than line 1 \(2\)"),
        ("1,cat\n2,dog\n", None, "holds several columns: 1 '1', 2 'cat'. .*--label-column"),
        ("id,label\n1,cat\n", None, "holds several columns: 1 'id', 2 'label'"),
        ("a\x1b[2J,b\n1,cat\n", None, r"1 'a\\x1b\[2J'"),
        ("id,label\n1,cat\n", "class", "has no column called 'class'"),
        ("id,id\n1,cat\n", "id", "has several columns called 'id'"),
        ("id,label\n1,cat\n", "3", "has no column 3, .* counted from 1"),
        ("id,label\n1,cat\n", "0", "has no column 0"),
        (b"\x93NUMPY\1\0", None, "is a single array. Give it the suffix .npy"),
    ],
)
def test_texts_that_are_refused(read, text, column, fact):
    with pytest.raises(InvalidInputError, match=fact) as caught:
        read(text, column)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "cells,column,fact",
    [
        (WORDS[:3], None, "holds 3 labels where 4 rows"),
        (WORDS * 2, None, "holds more than 4 labels where 4 rows"),
        ([*WORDS, "x"], None, "holds 5 labels where 4 .*If line 1 is a header"),
        (["label", *WORDS[:3]], None, r"holds 3 labels .*\(line 1, 'label', is read as a header\)"),
        (["breed", "0", "1", "0"], None, "holds 3 labels .*'breed', is read as a header"),
        (["label", *WORDS[:3]], "label", "holds 3 labels where 4 rows"),
    ],
)
def test_labels_are_one_for_each_row(read, cells, column, fact):
    with pytest.raises(InvalidInputError, match=fact):
        read(lines(cells), column, n=4)


def test_lines_across_blocks_of_the_file(read):
    """Half a million bytes a line at the most, ends of lines where blocks end."""
    cells = [f"{i % 7}{'x' * (i * 37 % 900)}" for i in range(6000)]
    for end in ("\n", "\r\n", "\r"):
        assert read(lines(cells, end), n=6000) == cells
    assert read(lines(["y" * 500_000] * 5), n=5) == ["y" * 500_000] * 5
    with pytest.raises(InvalidInputError, match="line 5001 is blank"):
        read(lines([*cells[:5000], "", *cells[5000:]]))
    with pytest.raises(InvalidInputError, match="line 5000 is no UTF-8"):
        read(lines(cells[:4999]).encode() + b"\xff\n" + lines(cells).encode())


def test_a_long_line_among_short_ones_takes_no_more_than_itself(read):
    text = lines([*["cat"] * 10_000, "z" * 20_000])
    tracemalloc.start()
    for n in (100, 10_001):
        try:
            assert len(read(text, n=n)) == n
        except InvalidInputError:
            assert n == 100
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_options_for_other_formats_are_refused(tmp_path):
    np.save(tmp_path / "y.npy", np.arange(4))
    (tmp_path / "y.txt").write_text(lines(WORDS))
    with pytest.raises(InvalidInputError, match=r"y\.npy: is no table\. Leave --label-column out"):
        read_labels(tmp_path / "y.npy", column="1")
    with pytest.raises(InvalidInputError, match=r"y\.txt: is no \.npz\. Leave --label-key out"):
        read_labels(tmp_path / "y.txt", key="y")


CODES = np.arange(60) % 3
NAMES = np.array(["a", "b", "c"])[CODES]


class Tensor:
    """As torch has them: no array while it has a gradient or lies elsewhere."""

    def __init__(self, values, detached=False, here=False):
        self.values, self.ready, self.dtype = values, detached and here, "torch.float32"
        self.detached = detached

    def detach(self):
        return Tensor(self.values, detached=True)

    def cpu(self):
        return Tensor(self.values, self.detached, here=True)

    def __array__(self, dtype=None, copy=None):
        if not self.ready:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad")
        return self.values


SAME = {
    "list": CODES.tolist(),
    "scalars": list(CODES),
    "words": NAMES.tolist(),
    "bytes": NAMES.astype("S"),
    "objects": NAMES.astype(object),
    "integers as objects": CODES.astype(object),
    "column": CODES[:, None],
    "column of words": NAMES.reshape(-1, 1),
    "floats": CODES.astype(float),
    "long doubles": CODES.astype(np.longdouble),
    "numbers as text": (CODES + 9).astype(str),
    "unsigned": CODES.astype(np.uint64) + 2**63,
    "beyond 64 bits": [2**70 + int(code) for code in CODES],
    "no entry masked": np.ma.array(CODES, mask=False),
    "tensor": Tensor(CODES),
}
if hasattr(np, "dtypes") and hasattr(np.dtypes, "StringDType"):
    SAME["strings"] = NAMES.astype(np.dtypes.StringDType())
    SAME["strings or nothing"] = NAMES.astype(np.dtypes.StringDType(na_object=None))


@pytest.mark.parametrize("kind", SAME)
def test_arrays_that_say_the_same(kind):
    codes, classes = encode_labels(SAME[kind], 60)
    assert codes.dtype == np.int64
    np.testing.assert_array_equal(codes, CODES)
    assert len(classes) == 3


def test_numbers_as_text_select_what_numbers_select(rng):
    x, y = rng.normal(size=(260, 4)), np.arange(260) % 26
    as_numbers, as_text = (
        fast_select.select(x, count=52, labels=labels, n_random=1) for labels in (y, y.astype(str))
    )
    assert as_numbers.indices.tolist() == as_text.indices.tolist()
    assert as_text.report["selection"]["classes"] == as_numbers.report["selection"]["classes"]


def test_bytes_come_out_as_text(run, features):
    np.save(run.folder / "y.npy", np.array([b"cat", b"d\xc3\xb6g"] * 200))
    got = run(features, "--count", "8", "--labels", "y.npy", "-o", "rows.csv", "--quiet")
    assert got.returncode == 0, got.stderr
    table = (run.folder / "rows.csv").read_text(encoding="utf-8")
    assert {line.split(",")[1] for line in table.split()[1:]} == {"cat", "d\u00f6g"}


def put(row, value, values=NAMES):
    changed = values.astype(object)
    changed[row] = value
    return changed


class NAType:
    """As pandas has it: comparing it tells nothing."""

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("ambiguous")

    def __repr__(self):
        return "<NA>"

    __hash__ = None


@pytest.mark.parametrize(
    "labels,fact",
    [
        (put(7, np.nan), "row 7 holds nan, a missing value"),
        (put(7, None), "row 7 holds None, a missing value"),
        (put(7, NAType()), "row 7 holds <NA>, a missing value"),
        (put(7, None, CODES), "row 7 holds None, a missing value"),
        (put(7, 3), "row 7 holds a number .* where row 0 holds text"),
        (put(7, b"x"), "row 7 holds bytes .* where row 0 holds text"),
        (put(7, (1, 2)), "row 7 holds an object of type tuple"),
        (put(7, float("inf"), CODES), "row 7 holds inf, no finite number"),
        (["a", float("nan")] * 30, "row 1 holds nan, a missing value"),
        ([1, "a"] * 30, "row 1 holds text .* where row 0 holds a number"),
        ([[1], [1, 2]] * 30, "row 0 holds an object of type list"),
        ([1, np.ma.masked] * 30, "row 1 is masked"),
        (np.ma.array(CODES, mask=CODES == 2), "row 2 is masked"),
        (np.ma.array(NAMES, mask=CODES == 2), "row 2 is masked"),
        (np.array(["a", "nan"] * 30), "row 1 holds 'nan', a missing value"),
        (np.where(CODES == 1, np.nan, 0.0), "row 1 holds nan"),
        (np.array([b"\xff"] * 60), "row 0 holds bytes that are no UTF-8"),
        (CODES.astype(complex), "type is complex128"),
        (CODES.astype("M8[D]"), "type is datetime64"),
        (np.zeros(60, [("a", "i4")]), "type is"),
        (CODES[:5], r"shape is \(5,\) where \(60,\) is needed"),
        (np.zeros((60, 2)), r"shape is \(60, 2\)"),
        (np.array(3), r"shape is \(\)"),
        ([], r"shape is \(0,\)"),
        ("labels.txt", "is a single str where an array is needed"),
        (5, "is a single int"),
        ({1: 2}, "is a single dict"),
        ({1, 2}, "is a single set"),
        (object(), "is a single object"),
    ],
)
def test_arrays_that_are_refused(labels, fact):
    for call in (
        lambda: fast_select.select(np.ones((60, 2)), count=6, labels=labels),
        lambda: fast_select.evaluate(np.ones((60, 2)), [1, 2], labels=labels),
        lambda: fast_select.plan(np.ones((60, 2)), count=6, labels=labels),
    ):
        with pytest.raises(InvalidInputError, match=f"labels: {fact}") as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("command", ["select", "plan", "evaluate", "compare"])
def test_the_option_on_every_command_with_labels(run, features, command):
    text = table(range(400), ["cat", "dog"] * 200, header=("id", "breed"))
    (run.folder / "y.csv").write_text(text)
    (run.folder / "rows.txt").write_text(lines(range(0, 400, 7)))
    labels = ["--labels", "y.csv", "--label-column", "breed"]
    arguments = {
        "select": ["--count", "8", "--random", "1", "-o", "-"],
        "plan": ["--count", "8", "--json"],
        "evaluate": ["rows.txt", "--random", "1"],
        "compare": [
            *("--ratio", ".1", "--methods", "random", "--models", "1nn", "--seeds", "1"),
            *("--test", features, "--test-labels", "y.csv", "--test-label-column", "2"),
        ],
    }[command]
    got = run(command, features, *arguments, *labels)
    assert got.returncode == 0, got.stderr


def test_the_option_needs_a_file_of_labels(run, features):
    got = run(features, "--count", "8", "--label-column", "2")
    assert got.returncode == 2
    fact = b"needs a table, or a text file of labels. Name the file with --labels."
    assert got.stderr == b"Error: --label-column: " + fact + b"\n"
