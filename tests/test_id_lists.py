"""Lists of ids: what is written is read back, whatever ids are called."""

import csv
import io
import uuid
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_select import InvalidInputError
from fast_select._arrays import as_array
from fast_select._ids import ids_of
from fast_select.cli._output import table_writer
from fast_select.cli._targets import Target
from fast_select.io import read_indices, read_labels
from fast_select.io.csv_text import csv_lines

NASTY = [
    *" \t;,'\0\ufeff\\#",
    *("", " a", "a ", "a", "\ta", "a\t", "\u3000a", "a;b", "a,b", 'a"b', '"', '""', '"a"', "a\nb"),
    *("a\r\nb", "a\rb", "\n", "\r", "\n\n", "a\n", "\na", "\ufeffa", "a\ufeff", "a\0b", "a\0"),
    *("id", "index", "row", "ROW", "mask", "label", " id", "ID", "nan", "NA", "None", "true", "0"),
    *("1", "1.0", "007", "-1", "1e3", "\x85", "\u2028", "a\x0bb", "\x1c", "é", "e\u0301", "😀"),
    *("=1+1", "\\x41", "\\ud800"),
]
LONG = ["x" * 200_000, '"\n' * 70_000]
TEXTS = st.lists(
    st.one_of(st.sampled_from(NASTY), st.text(st.sampled_from('ab ;,\t"\n\r\0\ufeff\\id0x'))),
    min_size=1,
    max_size=8,
    unique=True,
)
SUFFIXES = [".txt", ".csv", ".tsv", ".npy", ".npz", ".parquet", ".arrow", ".feather", ".ipc"]


def refuse(fact, fix=""):
    return InvalidInputError("ids", fact, fix)


def written(suffix, ids, rows):
    columns = {"index": rows, "id": ids[rows]}
    file = io.BytesIO()
    table_writer(Target(f"s{suffix}", Path(f"s{suffix}")), columns)(file)
    return file.getvalue()


def check_inverse(folder, values, suffixes=SUFFIXES):
    ids = ids_of(values, refuse, len(values))
    for rows in (np.arange(len(ids)), np.arange(len(ids))[1::2], np.arange(len(ids))[:1]):
        for suffix in suffixes if rows.size else ():
            path = folder / f"s{suffix}"
            path.write_bytes(written(suffix, ids, rows))
            assert read_indices(path, n=len(ids), ids=ids).tolist() == rows.tolist(), suffix


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_every_text_is_read_back(tmp_path_factory, texts):
    folder = tmp_path_factory.getbasetemp()
    check_inverse(folder, texts)
    check_inverse(folder, pa.array(texts), [".txt"])
    if not any(text.endswith("\0") for text in texts):
        check_inverse(folder, np.array(texts), [".txt"])
        check_inverse(folder, np.array([text.encode() for text in texts]), [".txt"])
    check_inverse(folder, pa.array([text.encode() for text in texts]), [".txt", ".parquet"])


def test_long_texts_are_read_back(tmp_path):
    check_inverse(tmp_path, [*LONG, "a"])


@pytest.mark.parametrize("first", NASTY)
def test_every_text_may_be_the_first(tmp_path, first):
    check_inverse(tmp_path, [first, *(text for text in NASTY if text != first)])


@given(TEXTS, st.sampled_from("\t;,"))
def test_lines_are_csv(texts, delimiter):
    columns = [texts, texts[::-1], ["é"] * len(texts)]
    lines = io.StringIO(csv_lines(columns, delimiter), newline="")
    assert list(csv.reader(lines, delimiter=delimiter)) == list(
        map(list, zip(*columns, strict=True))
    )


WORDS = [uuid.UUID(int=i**22) for i in range(1, 40)]
SURROGATES = ["\udcff", "a\ud800", "\\udcff!", "\\x41"]


@pytest.mark.parametrize(
    "values",
    [
        np.arange(12)[::-1] - 5,
        np.array([0, 2**64 - 1], np.uint64),
        np.array([-(2**63), 2**63 - 1]),
        np.arange(12, dtype=np.int8),
        np.arange(12.0),
        np.arange(12, dtype=np.float16),
        np.array([1e17, 2.0, 1e300]),
        pa.array([1, 2, 30], pa.decimal128(5, 0)),
        pa.array([1, 2, 30], pa.decimal128(9, 4)),
        pa.array([5, 4, 3], pa.float32()),
        WORDS,
        np.array(WORDS, object),
        pa.array([word.bytes for word in WORDS], pa.binary(16)),
        pa.array([word.bytes for word in WORDS], pa.uuid()),
        np.array([word.bytes for word in WORDS[1:]]),
        [b"\xff", b"a\\", b"\0", b" "],
        np.array([b"\xff", b"a\\", b"\xffb", b" "]),
        np.array(["2020-01-01", "2021-05-05T10"], "M8[ns]"),
        np.array(["2020-01-01", "2021-05-05"], "M8[D]"),
        SURROGATES,
        np.array(SURROGATES),
        [1, "a", 2.5, b"b", None.__class__],
        pa.array(["b", " a", "c\n"]).dictionary_encode(),
    ],
    ids=lambda values: str(getattr(values, "dtype", getattr(values, "type", "list"))),
)
def test_other_ids_are_read_back(tmp_path, values):
    check_inverse(tmp_path, values)


@pytest.mark.parametrize(
    "values",
    [np.arange(12.0), np.arange(12, dtype=np.float32), pa.array(range(12), pa.decimal128(9, 2))],
    ids=["float64", "float32", "decimal"],
)
def test_whole_numbers_are_written_whole(values):
    ids = ids_of(values, refuse, 12)
    assert written(".txt", ids, np.arange(2)) == b"0\n1\n"


def test_ids_of_the_type_uuid_are_written_with_hyphens():
    ids = ids_of(pa.array([word.bytes for word in WORDS], pa.uuid()), refuse, len(WORDS))
    assert written(".txt", ids, np.arange(2)).decode().split() == list(map(str, WORDS[:2]))


@pytest.mark.parametrize(
    "text,expected",
    [
        ("a7\r\na9", [0, 1]),
        ("a7 \n a9\n", [0, 1]),
        ('" a7 "\na9\n', [0, 1]),
        ('x,id\r\n1,"b\nc"\r\n2,a7\r\n', [3, 0]),
        ('"b\nc"\n" d"\na7', [3, 4, 0]),
        ('"b\nc"\na9\n\n \n', [3, 1]),
        ('"e""\r\nf"', [5]),
        ('"g\rh"\ra7\r', [6, 0]),
    ],
)
def test_lists_that_name_rows(tmp_path, text, expected):
    (tmp_path / "i.csv").write_bytes(text.encode())
    names = ["a7", "a9", "a", "b\nc", " d", 'e"\r\nf', "g\rh"]
    ids = ids_of(as_array(names, refuse, boxed=True), refuse, len(names))
    assert read_indices(tmp_path / "i.csv", n=len(names), ids=ids).tolist() == expected


@pytest.mark.parametrize("text,expected", [("1.0\n3.\n", [1, 3]), ("1\n3\n", [1, 3])])
def test_ids_of_whole_numbers_may_be_written_with_a_point(tmp_path, text, expected):
    (tmp_path / "i.txt").write_text(text)
    for values in (np.arange(5), np.arange(5.0)):
        ids = ids_of(values, refuse, 5)
        assert read_indices(tmp_path / "i.txt", n=5, ids=ids).tolist() == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_labels_may_hold_line_ends(tmp_path, end):
    lines = [
        "id,label",
        '1,"two\nlines"',
        '2,"one, with comma"',
        '3,"two\nlines"',
        '4,"a\r\n\r\nb"',
    ]
    (tmp_path / "y.csv").write_bytes(end.join(lines).encode())
    got = read_labels(tmp_path / "y.csv", column="label", n=4)
    assert got.classes.tolist() == ["a\r\n\r\nb", "one, with comma", "two\nlines"]
    assert got.codes.tolist() == [2, 1, 2, 0]


@pytest.mark.parametrize(
    "text,fact",
    [
        ('a\n"b\nc"\n\nd\n', "line 4 is blank"),
        ('a\n"b\nc"\n"d', "line 4 opens a quote that it does not close"),
        ('a\n"b\nc"\n"d"e\n', "line 4 is no line of CSV"),
        ('a\n"b\r\n\r\nc"\nd,e\n', r"line 5 has another number of columns \(2\) than line 1"),
        ('a,b\n"b\n",c\nd\n', r"line 4 has another number of columns \(1\) than line 1"),
        ('x\n"b\n\n"\n""\n', "line 5 has no label"),
        ('x\n"b\n\n"\nnan\n', "line 5 holds 'nan'"),
        ('a\n"b\n\0"\nc\0\n', "line 4 holds a NUL byte"),
        ('a\n"b\n"\nc\ufeffd\n', "line 4 holds a byte order mark"),
        (b'a\n"b\r"\r\n\xff\n', "line 4 is no UTF-8"),
        ('"' + "a\n" * 99_999, "line 1 opens a quote that it does not close"),
    ],
)
def test_lines_are_counted_by_their_ends(tmp_path, text, fact):
    (tmp_path / "y.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    column = "a" if "a,b" in str(text) else None
    with pytest.raises(InvalidInputError, match=fact) as caught:
        read_labels(tmp_path / "y.csv", column=column)
    assert "\n" not in str(caught.value)


def test_quotes_across_blocks_of_a_file(tmp_path):
    cells = [f"cell {i}\n" * (i % 400) + '"' for i in range(9000)]
    (tmp_path / "y.txt").write_text(csv_lines([cells]), newline="")
    assert (tmp_path / "y.txt").stat().st_size > 3 << 20
    got = read_labels(tmp_path / "y.txt")
    assert got[np.arange(len(cells))].tolist() == cells


# The command.

PLAIN = ("--columns", "a,b", "--count", "8", "--random", "1", "--quiet", "--force")


@pytest.fixture
def table(tmp_path, rng):
    """A table of which odd texts are the ids."""
    n = len(NASTY)
    columns = {"id": NASTY, "a": rng.normal(size=n), "b": rng.normal(size=n)}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


@pytest.mark.parametrize("name", [f"s{suffix}" for suffix in SUFFIXES])
def test_what_select_writes_other_commands_read(table, call, name):
    options = (*PLAIN, "--id-key", "id")
    assert call(table, *options, "-o", name, "--report", "r.json").returncode == 0
    judged = call("evaluate", table, name, "--columns", "a,b", "--id-key", "id", "--random", "1")
    assert judged.returncode == 0, judged.stderr
    kept = call(table, *options, "--include", name, "-o", "kept.npy")
    assert kept.returncode == 0, kept.stderr
    assert call(table, *options, "--exclude", name, "-o", "others.npy").returncode == 0
    assert not set(np.load("kept.npy")) & set(np.load("others.npy"))
    again = call("verify", "r.json")
    assert again.returncode == 0, again.stdout


def test_verify_reads_lists_of_ids(table, call):
    """What is told of rows that are not selected again are their numbers, read from a list."""
    assert (
        call(table, *PLAIN, "--id-key", "id", "-o", "s.txt", "--report", "r.json").returncode == 0
    )
    lines = Path("r.json").read_text().replace('"seed": 0', '"seed": 5')
    Path("r.json").write_text(lines)
    got = call("verify", "r.json")
    assert got.returncode == 1
    assert b" not selected again (" in got.stdout, got.stdout


def test_a_subset_keeps_its_cells(tmp_path, table, call):
    """As CSV, whatever its cells hold; a line of a bare carriage return is quoted too."""
    texts = [text.replace("\0", "?") for text in NASTY]
    columns = {"a,b;c": texts, **pq.read_table(table).select(["a", "b"]).to_pydict()}
    pq.write_table(pa.table(columns), tmp_path / "u.parquet")
    got = call(tmp_path / "u.parquet", *PLAIN, "--ratio", "1", "--subset", "u.csv")
    assert got.returncode != 0  # both a count and a ratio
    options = [o for o in PLAIN if o not in ("--count", "8")]
    got = call(tmp_path / "u.parquet", *options, "--ratio", "1", "--subset", "u.csv")
    assert got.returncode == 0, got.stderr
    with Path("u.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["a,b;c", "a", "b"]
    assert [row[0] for row in rows[1:]] == texts
    again = call("u.csv", *options, "--ratio", "0.5", "-o", "half.npy")
    assert again.returncode == 0, again.stderr
