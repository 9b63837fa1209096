"""Names of rows: kept beside the selection, printed, and understood in lists."""

import csv
import json
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fast_select
from fast_select import InvalidInputError

N = 60


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, 3)).astype(np.float32)


def texts(n=N):
    return [f"a{i}" for i in range(n)]


def select(x, ids, **options):
    return fast_select.select(x, ids=ids, count=8, n_random=1, **options)


WORDS = [uuid.UUID(int=i) for i in range(N)]


@pytest.mark.parametrize(
    "ids,expected",
    [
        (texts(), texts()),
        (np.array(texts()), texts()),
        (np.array(texts(), "S"), [t.encode() for t in texts()]),
        (np.array(texts(), object), texts()),
        (np.arange(N)[::-1], list(range(N))[::-1]),
        (np.arange(N, dtype=np.uint8), list(range(N))),
        (np.arange(N, dtype=float), list(range(N))),
        (list(range(N)), list(range(N))),
        (np.array(texts())[:, None], texts()),
        (WORDS, WORDS),
        (pa.array(texts()), texts()),
        (pa.chunked_array([texts()[:7], [], texts()[7:]]), texts()),
        (pa.array(texts()).dictionary_encode(), texts()),
        (pa.array(texts(), pa.string_view()), texts()),
        (pa.array(range(N)), list(range(N))),
        (pa.array([w.bytes for w in WORDS], pa.binary(16)), [w.bytes for w in WORDS]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_ids_come_back_with_the_selection(x, ids, expected):
    got = select(x, ids)
    assert got.ids.tolist() == [expected[i] for i in got.indices]
    assert got.ids.shape == got.indices.shape
    assert got.indices.tolist() == select(x, None).indices.tolist()
    assert list(got.columns()) == ["index", "id"]


def test_ids_of_frames(x):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for ids in (pandas.Series(texts()), pandas.Series(texts(), dtype="category").astype("string")):
        assert select(x, ids).ids[0].startswith("a")
    assert select(x, polars.Series(texts())).ids[0].startswith("a")
    assert select(x, pandas.Index(range(N))).ids.dtype == np.int64


def test_ids_of_nested_selections(x):
    small, large = fast_select.select_nested(x, ratios=[0.1, 0.5], ids=texts(), n_random=1)
    assert set(small.ids) < set(large.ids)


@pytest.mark.parametrize(
    "ids,fact",
    [
        (texts(59), "ids: holds 59 where 60 rows need one each"),
        ([*texts(59), "a7"], "ids: 'a7' is given twice, rows 7 and 59"),
        (np.array([*texts(59), "a7"]), "ids: 'a7' is given twice, rows 7 and 59"),
        (pa.array([*texts(59), "a7"]), "ids: 'a7' is given twice, rows 7 and 59"),
        (np.r_[0:59, 9], "ids: 9 is given twice, rows 9 and 59"),
        ([*range(59), "7"], "ids: '7' is given twice, rows 7 and 59"),
        ([*WORDS[:59], WORDS[3]], r"ids: UUID\(.* is given twice, rows 3 and 59"),
        ([*texts(59), None], "ids: row 59 holds None, a missing value"),
        (pa.array([*texts(59), None]), "ids: row 59 has no id"),
        (pa.array([*range(59), None]), "ids: row 59 has no id"),
        (np.r_[0.0:59, np.nan], "ids: row 59 holds nan, a missing value"),
        (np.r_[0.0:59, 3.5], "ids: row 59 holds 3.5. Use whole numbers or text"),
        (np.ma.array(range(N), mask=[False] * 59 + [True]), "ids: row 59 is masked"),
        (np.ones((N, 2)), r"ids: shape is \(60, 2\) where \(60,\) is needed"),
        (np.zeros(N, bool), "ids: type is bool. Use whole numbers or text"),
        ([*texts(59), [1]], "ids: row 59 holds an object of type list"),
        ("a" * N, "ids: is a single str"),
    ],
)
def test_ids_that_are_none(x, ids, fact):
    with pytest.raises(InvalidInputError, match=fact) as caught:
        select(x, ids)
    assert "\n" not in str(caught.value)


# The command.


@pytest.fixture
def table(tmp_path, x):
    """A table with ids that need quotes, labels, and numbers that are ids too."""
    ids = texts()
    ids[3], ids[5] = 'with "quotes", and commas', "two\nlines"
    columns = {"id": ids, "number": np.arange(N) + 1000, "label": ["b", "a"] * 30, "e": list(x)}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


OPTIONS = ("--key", "e", "--count", "8", "--random", "2", "--label-key", "label", "--quiet")


def test_what_is_written_with_ids(table, x, call):
    ids = pq.read_table(table)["id"].to_pylist()
    for name in ("-", "s.txt", "s.csv", "s.npy", "s.npz", "s.parquet", "s.arrow", "s.feather"):
        got = call(table, *OPTIONS, "--id-key", "id", "--force", "-o", name)
        assert got.returncode == 0, got.stderr
        if name == "-":
            lines = got.stdout.decode().splitlines()
    rows = np.load(call.folder / "s.npy")
    names, labels = [ids[i] for i in rows], [["b", "a"][i % 2] for i in rows]
    assert list(csv.reader(lines)) == [[name] for name in names]
    assert lines == (call.folder / "s.txt").read_text().splitlines()
    expected = {"index": rows.tolist(), "id": names, "label": labels}
    with (call.folder / "s.csv").open(newline="") as file:
        rows_of_cells = list(csv.reader(file))
    cells = [list(map(str, row)) for row in zip(*expected.values(), strict=True)]
    assert rows_of_cells == [["index", "id", "label"], *cells]
    with np.load(call.folder / "s.npz", allow_pickle=False) as arrays:
        assert arrays["indices"].tolist() == rows.tolist()
        assert (arrays["id"].tolist(), arrays["label"].tolist()) == (names, labels)
    for got in (
        pq.read_table(call.folder / "s.parquet"),
        pa.ipc.open_file(str(call.folder / "s.arrow")).read_all(),
        pa.ipc.open_file(str(call.folder / "s.feather")).read_all(),
    ):
        assert got.to_pydict() == expected
        assert got.schema.types == [pa.int64(), pa.string(), pa.string()]


def test_ids_that_are_no_plain_text_are_quoted(table, call):
    everything = ("--key", "e", "--ratio", "1", "--random", "0", "--id-key", "id", "--quiet")
    got = call(table, *everything, "-o", "-").stdout.decode()
    assert got.startswith('a0\na1\na2\n"with ""quotes"", and commas"\na4\n"two\nlines"\na6\n')


def test_whole_numbers_are_ids(table, call):
    call(table, *OPTIONS, "--id-key", "number", "-o", "s.parquet")
    got = pq.read_table(call.folder / "s.parquet")
    assert got["id"].type == pa.int64()
    assert (got["id"].to_numpy() - got["index"].to_numpy() == 1000).all()


def test_labels_keep_their_type(tmp_path, x, call):
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(N) % 2, z=np.arange(N) % 2 * 0.5)
    for key, kind in (("y", pa.int64()), ("z", pa.float64())):
        options = ("--key", "x", "--label-key", key, "--count", "8", "--random", "1", "--force")
        got = call(tmp_path / "x.npz", *options, "-o", "s.parquet")
        assert got.returncode == 0, got.stderr
        assert pq.read_table(call.folder / "s.parquet")["label"].type == kind


def test_ids_in_an_archive(tmp_path, x, call):
    np.savez(tmp_path / "x.npz", x=x, name=np.array(texts()), other=np.arange(5))
    options = ("--key", "x", "--count", "8", "--random", "1", "--quiet")
    got = call(tmp_path / "x.npz", *options, "--id-key", "name", "-o", "-")
    rows = call(tmp_path / "x.npz", *options, "-o", "-").stdout.decode().split()
    assert got.stdout.decode().split() == [f"a{row}" for row in rows]
    bad = call(tmp_path / "x.npz", *options, "--id-key", "other")
    expected = f"Error: {tmp_path / 'x.npz'}: array 'other': shape is (5,) where (60,) is needed"
    assert (bad.returncode, bad.stderr.decode().startswith(expected)) == (2, True), bad.stderr


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_ids_of_a_csv_keep_their_zeros(tmp_path, x, call, form):
    rows = [f"{i:04d},{i + 5},{row[0]},{row[1]}" for i, row in enumerate(x)]
    (tmp_path / "t.csv").write_text("id,number,a,b\n" + "\n".join(rows))
    options = ("--columns", "a,b", "--count", "8", "--random", "1")
    for key, convert in (("id", "{:04d}".format), ("number", lambda i: i + 5)):
        out = f"{key}.{form}"
        got = call(tmp_path / "t.csv", *options, "--id-key", key, "-o", out, "--force")
        assert got.returncode == 0, got.stderr
        if form == "parquet":
            found = pq.read_table(call.folder / out).to_pydict()
            assert found["id"] == [convert(i) for i in found["index"]]
        else:
            lines = (call.folder / out).read_text().splitlines()[1:]
            assert [line.split(",")[1] for line in lines] == [
                str(convert(int(line.split(",")[0]))) for line in lines
            ]


@pytest.mark.parametrize(
    "key,fact",
    [
        ("label", "column 'label': 'b' is given twice, rows 0 and 2. A name is of one row."),
        ("q", "has no column 'q'; its columns are 'id', 'number', 'label', 'e'."),
        ("e", "column 'e': type is list<element: float>. Use numbers or text."),
    ],
)
def test_columns_that_are_no_ids(table, call, key, fact):
    got = call(table, *OPTIONS, "--id-key", key)
    assert (got.returncode, got.stderr.decode()) == (2, f"Error: {table}: {fact}\n")
    assert list(call.folder.iterdir()) == []


def test_ids_need_a_table_or_an_archive(features, call):
    got = call(features, "--count", "8", "--id-key", "id")
    assert got.returncode == 2
    assert b"Error: --id-key: needs a table (.parquet, .arrow" in got.stderr


@pytest.mark.parametrize("key", ["id", "number"])
@pytest.mark.parametrize("name", ["s.txt", "s.csv", "s.parquet", "s.npy", "s.npz"])
def test_what_is_written_with_ids_is_read_back(table, call, key, name):
    ids = ("--id-key", key)
    options = ("--key", "e", "--count", "8", "--random", "2", "--quiet")
    assert call(table, *options, *ids, "-o", name).returncode == 0
    rows = np.load(call.folder / "s.npy") if name == "s.npy" else None
    judged = call("evaluate", table, name, "--key", "e", *ids, "--random", "2", "--json", "--quiet")
    assert judged.returncode == 0, judged.stderr
    kept = call(table, *options, *ids, "--include", name, "-o", "again.npy", "--force")
    assert kept.returncode == 0, kept.stderr
    if rows is not None:
        assert np.load(call.folder / "again.npy").tolist() == rows.tolist()


@pytest.mark.parametrize("name,text", [("i.txt", "a7\na9\n"), ("i.csv", "x,id\n1,a7\n2,a9\n")])
def test_rows_are_named_by_id(table, call, name, text):
    (call.folder / name).write_text(text)
    got = call(table, *OPTIONS, "--id-key", "id", "--include", name, "-o", "s.npy")
    assert got.returncode == 0, got.stderr
    assert {7, 9} <= set(np.load(call.folder / "s.npy").tolist())
    pq.write_table(pa.table({"id": ["a7", "a9"]}), call.folder / "i.parquet")
    again = call(table, *OPTIONS, "--id-key", "id", "--exclude", "i.parquet", "-o", "-")
    assert again.returncode == 0, again.stderr
    assert not {"a7", "a9"} & set(again.stdout.decode().split())


@pytest.mark.parametrize(
    "text,fact",
    [
        ("a7\nb9\n", "line 2 names 'b9', which is the id of no row."),
        ("id\na7\na7\n", "names row 7 twice, at line 2 and line 3. Name each row once"),
        ("x,y\n1,2\n", "has 2 columns and none that names row numbers"),
    ],
)
def test_ids_that_no_row_has(table, call, text, fact):
    (call.folder / "i.csv").write_text(text)
    got = call(table, *OPTIONS, "--id-key", "id", "--include", "i.csv")
    assert got.returncode == 2
    assert got.stderr.decode().startswith(f"Error: i.csv: {fact}")


def test_ids_have_no_part_in_the_report(table, call):
    options = ("--key", "e", "--count", "8", "--random", "1", "--json")
    with_ids = json.loads(call(table, *options, "--id-key", "id").stdout)
    without = json.loads(call(table, *options, "--force").stdout)
    assert with_ids["quality"] == without["quality"]
    assert with_ids["input"].pop("named").pop("id_key") == "id"
    assert without["input"].pop("named")
    assert with_ids["input"] == without["input"]
