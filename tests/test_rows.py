"""Lists of row numbers: of --include, --exclude and evaluate, and of the same in Python."""

import numpy as np
import pytest

import fast_select
from fast_select import InvalidInputError
from fast_select.io import read_indices

ROWS = [3, 0, 7, 12]
MASK = np.isin(np.arange(20), ROWS)


def lines(cells):
    return "".join(f"{cell}\n" for cell in cells)


@pytest.fixture
def read(tmp_path):
    """Read row numbers of 20 rows from a text or an array."""

    def read(content, n=20):
        path = tmp_path / ("rows.txt" if isinstance(content, (str, bytes)) else "rows.npy")
        if isinstance(content, (str, bytes)):
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        else:
            np.save(path, content)
        return read_indices(path, n=n).tolist()

    return read


@pytest.mark.parametrize(
    "text",
    [
        lines(ROWS),
        lines(ROWS).replace("\n", "\r\n"),
        "\ufeff" + lines(ROWS),
        lines(f" {row} " for row in ROWS),
        lines(f'"{row}"' for row in ROWS),
        lines(f"{row:03}" for row in ROWS),
        lines(f"{row}.0" for row in ROWS),
        lines(f"{row:.18e}" for row in ROWS),
        lines(["index", *ROWS]),
        lines(["Row", *ROWS]),
        ",".join(map(str, ROWS)),
        "; ".join(map(str, ROWS)) + "\n",
        "\t".join(map(str, ROWS)),
        ",index\n" + lines(f"{i},{row}" for i, row in enumerate(ROWS)),
        "index,label\n" + lines(f"{row},0" for row in ROWS),
        ",label,idx\n" + lines(f'{i},"a,b",{row}' for i, row in enumerate(ROWS)),
        "label;index\n" + lines(f"0;{row}" for row in ROWS),
    ],
)
def test_texts_that_say_the_same(read, text):
    assert read(text) == ROWS


@pytest.mark.parametrize("form", ["{}", "mask\n{}"])
@pytest.mark.parametrize("words", [("True", "False"), ("true", "false"), ("TRUE", "FALSE")])
def test_masks_as_text(read, form, words):
    assert read(form.format(lines(np.where(MASK, *words)))) == sorted(ROWS)


def test_a_header_alone_is_an_empty_list(read):
    assert read("index\n") == []


@pytest.mark.parametrize(
    "text,fact",
    [
        ("abc", "line 1 is 'abc', neither a row number nor a header"),
        ("# rows\n1\n", "line 1 is '# rows', neither"),
        ("0 1 2\n", "line 1 is '0 1 2', neither"),
        ("nan\n", "line 1 is 'nan', neither"),
        ("1_0\n", "line 1 is '1_0', neither"),
        ("\u0663\n", "line 1 is '\u0663', neither"),
        ("9" * 5000, "line 1 is '9+\\.\\.\\.', neither"),
        ("1\nabc\n", "line 2 is 'abc' where a row number is needed"),
        ("1\n2.5\n", "line 2 is '2.5' where a row number is needed"),
        ("1\n-1\n", "line 2 is '-1' where a row number is needed"),
        ("1\n18446744073709551615\n", "line 2 is '18446744073709551615' where"),
        ("1\n1e400\n", "line 2 is '1e400' where"),
        ("1\n\x1b[2J\n", r"line 2 is '\\x1b\[2J' where"),
        ("1\n20\n", "line 2 is row 20, which is not below the 20 rows"),
        ("1\n\n2\n", "line 2 is blank"),
        ("index\n4\n5\n4\n", "names row 4 twice, at line 2 and line 4"),
        ("4\n4\n", "names row 4 twice, at line 1 and line 2"),
        ("0,1,1\n", "names row 1 twice, at entry 2 of line 1 and entry 3"),
        ("0,x,1\n", "entry 2 of line 1 is 'x' where"),
        ("0,1,\n", "entry 3 of line 1 is '' where"),
        ("3,cat\n5,dog\n", "has 2 columns and none that names row numbers"),
        ("id,label\n0,3\n", "has 2 columns and none that names .*'id', 'label'"),
        (",label\n0,3\n", "has 2 columns and none that names"),
        ("index,row\n0,3\n", "has 2 columns and several that name"),
        ("True\nFalse\n", "is a mask of 2 entries where the input has 20 rows"),
        ("1\nTrue\n", "holds both numbers and true or false"),
        (lines(range(21)), "lists more rows than the 20"),
        ("", "is empty"),
        ("1\0\n", "line 1 holds a NUL byte"),
        (b"1\n\xff\n", "line 2 is no UTF-8"),
        ("1\n".encode("utf-16"), "is UTF-16"),
        ('1\n"2\n', "line 2 opens a quote"),
    ],
)
def test_texts_that_are_refused(read, text, fact):
    with pytest.raises(InvalidInputError, match=fact) as caught:
        read(text)
    assert "\n" not in str(caught.value)


SAME = {
    "int64": np.array(ROWS),
    "big-endian": np.array(ROWS, ">i2"),
    "unsigned": np.array(ROWS, np.uint64),
    "whole floats": np.array(ROWS, float),
}


@pytest.mark.parametrize("kind", SAME)
def test_arrays_that_say_the_same(read, kind):
    assert read(SAME[kind]) == ROWS


def test_masks_of_all_rows(read):
    assert read(MASK) == sorted(ROWS)


REFUSED = [
    (np.array([1, 2**64 - 1], np.uint64), "entry 1 is 18446744073709551615"),
    (np.array([1, 0.5]), "entry 1 is 0.5 where row numbers are needed"),
    (np.array([1, np.nan]), "entry 1 is nan"),
    (np.array([1e300]), "entry 0 is 1e\\+300"),
    (np.array([1, 1]), "names row 1 twice, at entry 0 and entry 1"),
    (np.array([-1]), "entry 0 is row -1, which is below 0"),
    (np.array([20]), "entry 0 is row 20, which is not below the 20 rows"),
    (np.array([[1, 2]]), r"has shape \(1, 2\)"),
    (np.array(3), r"has shape \(\)"),
    (np.array(["1"]), "holds <U1 where row numbers are needed"),
    (np.array([1j]), "holds complex128"),
    (np.array([5], "M8[D]"), "holds datetime64"),
    (np.ones(5, bool), "is a mask of 5 entries where the input has 20 rows"),
]


@pytest.mark.parametrize("array,fact", REFUSED)
def test_arrays_that_are_refused(read, array, fact):
    with pytest.raises(InvalidInputError, match=fact):
        read(array)


@pytest.fixture
def x(rng):
    return rng.normal(size=(20, 3))


@pytest.mark.parametrize(
    "rows",
    [
        *SAME.values(),
        MASK,
        ROWS,
        tuple(ROWS),
        MASK.tolist(),
        MASK.astype(object),
        np.array(ROWS, object),
        np.array(ROWS, float).astype(object),
        np.ma.array(ROWS, mask=False),
    ],
)
def test_rows_in_python(x, rows):
    got = fast_select.select(x, count=6, include=rows, n_random=1).indices
    assert set(ROWS) <= set(got.tolist())
    without = fast_select.select(x, count=6, exclude=rows, n_random=1).indices
    assert not set(ROWS) & set(without.tolist())
    judged = fast_select.evaluate(x, rows, n_random=1)
    assert judged["selection"]["count"] == 4


@pytest.mark.parametrize(
    "rows,fact",
    [
        *REFUSED,
        ([2**70], "entry 0 is 1180591620717411303424"),
        ([1, None], "entry 1 is None, a missing value"),
        ([1, float("nan")], "entry 1 is nan"),
        (np.array([1, float("nan")], object), "entry 1 is nan, a missing value"),
        ([object()], "entry 0 is of type object"),
        (np.ma.array([1, 2], mask=[0, 1]), "entry 1 is masked"),
        (np.ma.array(MASK, mask=MASK), "entry 0 is masked"),
        ([1, np.ma.masked], "entry 1 is masked"),
        ([[1], [1, 2]], "has rows of different lengths"),
        ("rows.txt", "is a single str where an array is needed"),
        (5, "is a single int"),
        ({1, 2}, "is a single set"),
        ({1: 2}, "is a single dict"),
    ],
)
@pytest.mark.parametrize("name", ["include", "exclude", "indices"])
def test_rows_in_python_that_are_refused(x, name, rows, fact):
    with pytest.raises(InvalidInputError, match=f"{name}: {fact}"):
        if name == "indices":
            fast_select.evaluate(x, rows, n_random=1)
        else:
            fast_select.select(x, count=6, n_random=1, **{name: rows})


def test_on_the_command_line(run, features):
    """One line of row numbers keeps all of them out; no word is passed over."""
    (run.folder / "test.txt").write_text(",".join(map(str, range(380))))
    options = ["--count", "9", "--random", "1", "-o", "-", "--quiet"]
    got = run(features, *options, "--exclude", "test.txt")
    assert got.returncode == 0, got.stderr
    assert min(map(int, got.stdout.split())) >= 380
    (run.folder / "test.txt").write_text("7\n7\n")
    for arguments in (
        [features, *options, "--include", "test.txt"],
        [features, *options, "--exclude", "test.txt"],
        ["evaluate", features, "test.txt", "--quiet"],
    ):
        got = run(*arguments)
        assert got.returncode == 2
        assert got.stderr.startswith(b"Error: test.txt: names row 7 twice, at line 1 and line 2.")
