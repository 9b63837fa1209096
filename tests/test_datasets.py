"""Tables as input: Parquet, Arrow and CSV, their columns as features."""

import io
import json
import sys
import weakref
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import fast_select
from fast_select import InvalidInputError, _core
from fast_select.cli._inputs import read_matrix
from fast_select.io import room as room_module
from fast_select.io.dataset import Dataset
from table_files import FORMATS, N, flat_table, read, refusal, save


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, 4)).astype(np.float32)


@pytest.fixture
def flat(x):
    return flat_table(x)


# What is read.


@pytest.mark.parametrize("form", FORMATS)
def test_numbers_in_columns(tmp_path, flat, x, form):
    got = read(save(flat, tmp_path / f"t.{form}"))
    assert got.columns == ("emb_0", "emb_1", "emb_2", "emb_3")
    assert got.x.dtype == (np.float64 if form == "csv" else np.float32)
    np.testing.assert_array_equal(got.x.astype(np.float32), x)
    assert len(got.sha256()) == 64


@pytest.mark.parametrize("form", FORMATS[:-1])
@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32()),
        pa.large_list(pa.float32()),
        pa.list_(pa.float32(), 4),
        pa.list_(pa.float64()),
        pa.list_(pa.float16()),
        pa.fixed_shape_tensor(pa.float32(), (4,)),
    ],
    ids=str,
)
def test_vectors_in_a_column(tmp_path, x, form, kind):
    storage = getattr(kind, "storage_type", kind)
    column = pa.array(list(x.astype(storage.value_type.to_pandas_dtype())), storage)
    if storage is not kind:
        column = pa.ExtensionArray.from_storage(kind, column)
    path = save(pa.table({"id": range(N), "e": column}), tmp_path / f"t.{form}")
    for options in ({"key": "e"}, {"columns": "e"}, {}):
        got = read(path, **options).x
        assert got.dtype == storage.value_type.to_pandas_dtype()
        np.testing.assert_array_equal(got, x.astype(got.dtype))


@pytest.mark.parametrize("kind", ["list_view", "large_list_view"])
def test_views_of_lists(tmp_path, x, kind):
    values = pa.array(x.ravel())
    starts, sizes = np.arange(N)[::-1] * 4, np.full(N, 4)
    of = {"list_view": pa.ListViewArray, "large_list_view": pa.LargeListViewArray}[kind]
    size = np.int32 if kind == "list_view" else np.int64
    column = of.from_arrays(pa.array(starts.astype(size)), pa.array(sizes.astype(size)), values)
    got = read(save(pa.table({"e": column}), tmp_path / "t.arrow"))
    np.testing.assert_array_equal(got.x, x[::-1])


@pytest.mark.parametrize(
    "kinds,dtype",
    [
        ([pa.int8(), pa.uint8()], "i2"),
        ([pa.int64(), pa.int32()], "i8"),
        ([pa.bool_(), pa.bool_()], "?"),
        ([pa.bool_(), pa.uint8()], "u1"),
        ([pa.float32(), pa.int16()], "f4"),
        ([pa.float32(), pa.int32()], "f8"),
        ([pa.float16(), pa.float32()], "f4"),
        ([pa.decimal128(3, 0), pa.float32()], "f8"),
        ([pa.uint64(), pa.uint8()], "u8"),
    ],
    ids=str,
)
@pytest.mark.parametrize("form", FORMATS[:2])
def test_the_type_that_holds_all_columns(tmp_path, kinds, dtype, form):
    values = pa.array([0, 1, 1, 0], pa.int8())
    path = save(pa.table([values.cast(kind) for kind in kinds], ["a", "b"]), tmp_path / f"t.{form}")
    got = read(path).x
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, np.array([[0, 1, 1, 0]] * 2).T)


def test_columns_of_which_all_is_missing(tmp_path):
    table = pa.table({"a": pa.nulls(2), "b": pa.array([1, 2], pa.float32())})
    path = save(table, tmp_path / "t.parquet")
    assert read(path).columns == ("b",)
    got = read(path, columns="a,b").x
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, [[np.nan, 1], [np.nan, 2]])


@pytest.mark.parametrize(
    "column,dtype",
    [
        (pa.array([1, None, 3], pa.int64()), "f8"),
        (pa.array([1, None, 3], pa.int8()), "f4"),
        (pa.array([True, None, False]), "f4"),
        (pa.array([1.5, None, 3]), "f8"),
        (pa.array([1.5, None, 3], pa.float16()), "f2"),
        (pa.array([Decimal(1), None, Decimal(2)]), "f8"),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_missing_cells_are_nan(tmp_path, column, dtype, form):
    table = pa.table({"a": column, "b": column[::-1]})
    if form == "csv":
        dtype = "f4" if pa.types.is_boolean(column.type) else "f8"
        table = table.cast(pa.schema([(n, pa.float32()) for n in "ab"])) if dtype == "f2" else table
        if pa.types.is_float16(column.type):
            table = pa.table({n: table[n].cast(pa.float32()) for n in "ab"})
    got = read(save(table, tmp_path / f"t.{form}")).x
    assert got.dtype == dtype
    expected = np.array([np.nan if v is None else float(v) for v in column.to_pylist()])
    np.testing.assert_array_equal(got.astype(float), np.column_stack([expected, expected[::-1]]))


@pytest.mark.parametrize("form", FORMATS[:-1])
@pytest.mark.parametrize("width", [-1, 2])
@pytest.mark.parametrize(
    "item,dtype", [(pa.float32(), "f4"), (pa.uint8(), "f4"), (pa.int64(), "f8")]
)
def test_missing_vectors_and_items_are_nan(tmp_path, form, width, item, dtype):
    vectors = [None, [1, 2], [None, 4], None, [5, 6]]
    column = pa.array(vectors, pa.list_(item, width))
    got = read(save(pa.table({"e": column}), tmp_path / f"t.{form}", rows=2)).x
    assert got.dtype == dtype
    expected = [[np.nan] * 2, [1, 2], [np.nan, 4], [np.nan] * 2, [5, 6]]
    np.testing.assert_array_equal(got, np.array(expected, dtype))


def test_entries_behind_a_missing_vector_are_passed_over(tmp_path):
    column = pa.ListArray.from_arrays(
        pa.array([0, 2, 4, 6]), pa.array(range(6)), mask=pa.array([False, True, False])
    )
    got = read(save(pa.table({"e": column}), tmp_path / "t.arrow")).x
    np.testing.assert_array_equal(got, [[0, 1], [np.nan] * 2, [4, 5]])


def test_vectors_of_vectors_are_flattened(tmp_path):
    images = [[[1, 2, 3], [4, 5, 6]], None, [[7, 8, 9], [0, None, 2]]]
    path = save(pa.table({"image": pa.array(images)}), tmp_path / "t.parquet")
    expected = [[1, 2, 3, 4, 5, 6], [np.nan] * 6, [7, 8, 9, 0, np.nan, 2]]
    np.testing.assert_array_equal(read(path, flatten=True).x, expected)
    assert "column 'image' holds vectors of vectors. Use --flatten" in refusal(path)


@pytest.mark.parametrize(
    "columns,chosen",
    [
        ("emb_1,emb_3", "emb_1 emb_3"),
        ("emb_3, emb_1", "emb_3 emb_1"),
        ("emb_*", "emb_0 emb_1 emb_2 emb_3"),
        ("emb_[02],label", "emb_0 emb_2 label"),
        ("label,emb_?,emb_1", "label emb_0 emb_1 emb_2 emb_3"),
    ],
)
def test_columns_by_name_and_pattern(tmp_path, flat, columns, chosen):
    path = save(flat, tmp_path / "t.parquet")
    assert read(path, columns=columns).columns == tuple(chosen.split())


def test_a_name_with_a_comma_or_brackets(tmp_path):
    path = save(pa.table({"x[0]": [1.0], "a,b": [2.0], "x.y": [3.0]}), tmp_path / "t.parquet")
    for name, value in (("x[0]", 1), ("a,b", 2), ("x.y", 3)):
        assert read(path, columns=name).x.tolist() == [[value]]


def test_what_is_no_feature_by_itself(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": [7, 8], "label": [0, 1], "y": [0, 1], "a": [1.5, 2.5]}, [5, 9])
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv")
    for form in ("parquet", "csv"):
        path = tmp_path / f"t.{form}"
        assert read(path).columns == ("y", "a")
        assert read(path, aside=["y"]).columns == ("a",)
        assert read(path, columns="id,a").columns == ("id", "a")


# Parts.


def test_parts_in_natural_order(tmp_path, flat, x):
    for part, rows in ((10, slice(300, N)), (2, slice(100, 300)), (1, slice(0, 100))):
        save(flat.take(np.arange(N)[rows]), tmp_path / f"part-{part}.parquet")
    save(flat.slice(0, 0), tmp_path / "part-3.parquet")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".part-1.parquet.crc").write_bytes(b"hidden")
    np.testing.assert_array_equal(read(tmp_path).x, x)
    paths = [tmp_path / f"part-{part}.parquet" for part in (10, 1)]
    np.testing.assert_array_equal(read(*paths).x, x[np.r_[300:N, :100]])


def test_parts_may_be_of_several_formats(tmp_path, flat, x):
    parts = [
        save(flat.slice(at, 100), tmp_path / f"{at}.{form}")
        for at, form in zip(range(0, N, 100), FORMATS, strict=False)
    ]
    np.testing.assert_array_equal(read(*parts).x, x)


def test_a_folder_of_hugging_face_datasets(tmp_path, flat, x):
    for part in range(2):
        save(flat.slice(part * 200, 200), tmp_path / f"data-0000{part}-of-00002.stream.arrow")
    names = [f"data-0000{part}-of-00002.stream.arrow" for part in range(2)]
    (tmp_path / "dataset_info.json").write_text("{}")
    state = {"_data_files": [{"filename": name} for name in names]}
    (tmp_path / "state.json").write_text(json.dumps(state))
    save(flat, tmp_path / "cache-1234.stream.arrow")  # left out: it is no part
    np.testing.assert_array_equal(read(tmp_path).x, x)


def test_matrices_in_a_folder_come_before_tables(tmp_path, x):
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "labels.csv").write_text("1\n2\n")
    assert read(tmp_path).x.shape == x.shape


def test_selections_in_a_folder_are_no_parts(tmp_path, flat, x):
    save(flat, tmp_path / "t.parquet")
    for form in FORMATS:
        save(pa.table({"index": [1, 2], "label": [0, 1]}), tmp_path / f"s.{form}")
    np.save(tmp_path / "s.npy", np.array([1, 2]))
    np.savez(tmp_path / "s.npz", indices=np.array([1, 2]), label=np.array([0, 1]))
    np.testing.assert_array_equal(read(tmp_path).x, x)


def test_types_of_csv_parts_are_joined(tmp_path):
    (tmp_path / "0.csv").write_text("a,b\n1,\n2,\n")
    (tmp_path / "1.csv").write_text("a,b\n1.5,7\n,8\n")
    got = read(tmp_path).x
    np.testing.assert_array_equal(got, [[1, np.nan], [2, np.nan], [1.5, 7], [np.nan, 8]])


@pytest.mark.parametrize(
    "other,fact",
    [
        ({"a": [1.0]}, "1.parquet: has no numbers in column 'b', which .*0.parquet has"),
        ({"a": [1.0], "b": [2]}, "1.parquet: column 'b' holds int64 where .*0.parquet has float64"),
        ({"a": [1.0], "b": ["x"]}, "1.parquet: has no numbers in column 'b'"),
        ({"a": [1.0], "b": [1.0], "c": [1.0]}, "1.parquet: column 'c' holds numbers, where"),
    ],
)
def test_parts_of_another_schema(tmp_path, other, fact):
    save(pa.table({"a": [1.0], "b": [2.0]}), tmp_path / "0.parquet")
    save(pa.table(other), tmp_path / "1.parquet")
    with pytest.raises(InvalidInputError, match=fact):
        read(tmp_path)


def test_vectors_of_another_length_in_a_part(tmp_path):
    save(pa.table({"e": [[1.0, 2.0]] * 3}), tmp_path / "0.parquet")
    save(pa.table({"e": [[1.0, 2.0], [1.0, 2.0, 3.0]]}), tmp_path / "1.parquet")
    expected = "1.parquet: column 'e': row 1 holds 3 numbers where rows before it hold 2"
    assert expected in refusal(tmp_path)


# CSV.


@pytest.mark.parametrize(
    "text,columns,values",
    [
        ("a,b\n1,2\n3,4\n", "a b", [[1, 2], [3, 4]]),
        ("a;b\n1;2\n3;4", "a b", [[1, 2], [3, 4]]),
        ("a\tb\r\n1\t2\r\n3\t4\r\n", "a b", [[1, 2], [3, 4]]),
        ("\ufeffa,b\n1,2\n", "a b", [[1, 2]]),
        ("1.5,2\n3,4\n", "1 2", [[1.5, 2], [3, 4]]),
        ("0,1\n1,0\n", "1 2", [[0, 1], [1, 0]]),
        ("0,1\n.5,0\n", "0 1", [[0.5, 0]]),
        ("0,1,2\n1,0,1\n", "0 1 2", [[1, 0, 1]]),
        (",0,1\n0,1.5,2\n", "0 1", [[1.5, 2]]),
        ("a,b\n 1 , 2\n", "a b", [[1, 2]]),
        ("a,b\nNA,2\n,\n3,nan\n", "a b", [[np.nan, 2], [np.nan] * 2, [3, np.nan]]),
        ("a,b\n1,inf\n-2e3,.5\n", "a b", [[1, np.inf], [-2000, 0.5]]),
        ("a,b,zip\n1,2,01234\n", "a b", [[1, 2]]),
        ("a,b\n1,True\n2,false\n", "a b", [[1, 1], [2, 0]]),
        ('a,"b, c"\n1,2\n', "a|b, c", [[1, 2]]),
        ('note,a\n"two\nlines, ""quoted""",1\n', "a", [[1]]),
        ("a,none\n1,\n", "a", [[1]]),
    ],
)
def test_csv(tmp_path, text, columns, values):
    path = tmp_path / "t.csv"
    path.write_text(text, newline="")
    got = read(path)
    assert got.columns == tuple(columns.split("|" if "|" in columns else " "))
    np.testing.assert_array_equal(got.x.astype(float), values)


def test_numbers_that_end_late_in_a_csv(tmp_path):
    """Types are of all cells, not of the first some thousand."""
    rows = [f"{i},{i}" for i in range(300_000)]
    rows[-1] = "1.5,text"
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "\n".join(rows))
    got = read(path)
    assert (got.columns, got.x.dtype, got.x[-1, 0]) == (("a",), np.float64, 1.5)


# Memory.


def test_a_table_larger_than_memory_is_refused_before_it_is_read(tmp_path, flat, monkeypatch):
    path = save(flat, tmp_path / "t.parquet")
    monkeypatch.setattr(Dataset, "_fill", lambda *_: pytest.fail("was read"))
    limited = refusal(path, max_memory=1 << 20)
    assert "needs 1 MiB as a matrix of 400 x 4 float32 beside the" in limited
    assert "where 1 MiB are allowed. Raise max_memory" in limited
    monkeypatch.setattr(_core, "can_have", lambda size: False)
    assert "400 x 4 float32, more than this machine has left. Read fewer" in refusal(path)
    monkeypatch.undo()
    monkeypatch.setattr(room_module, "memory_bytes", lambda: 6399)
    assert "more than this machine has left" in refusal(path)
    monkeypatch.setattr(room_module, "memory_bytes", lambda: 6400)
    assert read(path).x.nbytes == 6400


def test_archives_larger_than_memory_are_not_put_together(tmp_path, x, monkeypatch):
    for part in range(2):
        np.savez(tmp_path / f"{part}.npz", x[part::2])
    monkeypatch.setattr(room_module, "memory_bytes", lambda: 6399)
    assert "needs 1 MiB as a matrix of 400 x 4 float32" in refusal(tmp_path)


def test_memory_is_the_matrix_and_a_batch(tmp_path):
    """One row group of 64 MiB, as pandas writes it, is never whole in Arrow's memory."""
    x = np.arange(1 << 24, dtype=np.float32).reshape(-1, 64)
    column = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), 64)
    pq.write_table(pa.table({"e": column}), tmp_path / "t.parquet", compression="none")
    del column
    pool = pa.default_memory_pool()
    before, peak = pool.bytes_allocated(), 0
    take = Dataset._fill.__globals__["Filling"].take

    def watched(self, batch):
        nonlocal peak
        peak = max(peak, pool.bytes_allocated())
        take(self, batch)

    Dataset._fill.__globals__["Filling"].take = watched
    try:
        np.testing.assert_array_equal(read(tmp_path / "t.parquet").x, x)
    finally:
        Dataset._fill.__globals__["Filling"].take = take
    assert peak - before < 40 << 20


# Streams, the command.


@pytest.mark.parametrize("form", FORMATS[:-1])
def test_tables_on_a_pipe(tmp_path, flat, x, form, monkeypatch):
    data = save(flat, tmp_path / f"t.{form}").read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    got = read("-", id_key="id")
    np.testing.assert_array_equal(got.x, x)
    assert got.sha256() == read(tmp_path / f"t.{form}").sha256()
    assert got.ids[np.array([7])].tolist() == ["a7"]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_command_selects_what_it_selects_of_an_array(tmp_path, flat, x, call, form):
    np.savez(tmp_path / "x.npz", x=x, y=flat["label"].to_numpy())
    by_array = call(tmp_path / "x.npz", "--label-key", "y", "--count", "30", "-o", "-")
    path = save(flat, tmp_path / f"t.{form}")
    options = ("--count", "30", "--random", "2", "--label-key", "label")
    got = call(path, *options, "-o", "-", "--columns", "emb_*")
    assert got.stdout == by_array.stdout != b"", got.stderr
    report = call(path, *options, "--json").stdout
    assert json.loads(report)["input"]["columns"] == [f"emb_{j}" for j in range(4)]
    plan = json.loads(call("plan", path, "--count", "30", "--json").stdout)
    assert plan["input"]["matrix_bytes"] == N * 4 * (8 if form == "csv" else 4)
    (call.folder / "rows.txt").write_bytes(got.stdout)
    judged = call("evaluate", path, "rows.txt", "--random", "2")
    assert judged.returncode == 0, judged.stderr


def test_the_matrix_of_a_table_is_let_go_of_once_it_is_prepared(tmp_path, x, monkeypatch):
    save(pa.table({"emb": list(x)}), tmp_path / "t.parquet")
    features, lent = read_matrix({"inputs": [str(tmp_path / "t.parquet")], "key": "emb"}).lent()
    shape, held = features.x.shape, weakref.ref(lent.x)
    assert shape == x.shape and features.x.strides == (0, 0)
    seen = {}
    fast_select.select(
        lent,
        count=9,
        n_random=1,
        progress=lambda stage, *_: seen.setdefault(stage, held() is not None),
    )
    assert seen["prepare"] and not seen["exchange"]
    np.save(tmp_path / "x.npy", x)
    mapped, _ = read_matrix({"inputs": [str(tmp_path / "x.npy")]}).lent()
    assert np.array_equal(mapped.x, x)
