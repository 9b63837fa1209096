"""Tables of pandas, polars and pyarrow, tensors and maps, given to the functions of Python."""

import builtins
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fast_select
from fast_select import InvalidInputError
from fast_select._checks import matrix

N = 80


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, 3)).astype(np.float32)


def columns(x):
    return {f"c{j}": x[:, j] for j in range(x.shape[1])}


def without_pyarrow(monkeypatch):
    """Have every import of pyarrow fail that is not done yet."""
    load = builtins.__import__

    def refusing(name, *args, **options):
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return load(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", refusing)


TABLES = {
    "pandas": lambda x: pd.DataFrame(columns(x)),
    "pandas of Arrow": lambda x: pd.DataFrame(columns(x)).astype("float32[pyarrow]"),
    "pandas of masks": lambda x: pd.DataFrame(columns(x)).astype("Float32"),
    "pandas of objects": lambda x: pd.DataFrame(columns(x)).astype(object),
    "pandas of vectors": lambda x: pd.DataFrame({"e": list(x)}),
    "pandas of lists": lambda x: pd.DataFrame({"e": x.tolist()}),
    "Series of vectors": lambda x: pd.Series(list(x)),
    "Series of Arrow": lambda x: pd.Series(
        pd.arrays.ArrowExtensionArray(pa.array(x.tolist(), pa.list_(pa.float32())))
    ),
    "polars": lambda x: pl.DataFrame(columns(x)),
    "polars of arrays": lambda x: pl.DataFrame({"e": x}),
    "polars of lists": lambda x: pl.DataFrame({"e": x.tolist()}),
    "Series of polars": lambda x: pl.Series(x.tolist()),
    "pyarrow": lambda x: pa.table(columns(x)),
    "batch": lambda x: pa.RecordBatch.from_pydict(columns(x)),
    "pyarrow of vectors": lambda x: pa.table({"e": list(x)}),
    "FixedSizeListArray": lambda x: pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), 3),
    "ListArray": lambda x: pa.array(list(x)),
    "ChunkedArray": lambda x: pa.chunked_array([list(x[:7]), list(x[7:])]),
    "objects": lambda x: np.array([*list(x), None], object)[:-1],
    "map": lambda x: x.view(np.memmap),
    "stream": lambda x: Stream(pa.table(columns(x))),
}


class Stream:
    """What knows Arrow's interface for streams, and nothing else."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("kind", TABLES)
def test_tables_are_matrices(x, kind):
    got = matrix(TABLES[kind](x))
    assert got.shape == x.shape
    np.testing.assert_array_equal(got.astype(np.float32), x)


@pytest.mark.parametrize("kind", ["polars", "polars of arrays", "polars of lists", "pandas"])
def test_without_pyarrow(x, kind, monkeypatch):
    table = TABLES[kind](x)
    without_pyarrow(monkeypatch)
    np.testing.assert_array_equal(matrix(table).astype(np.float32), x)


@pytest.mark.parametrize("kind", ["pandas of Arrow", "polars of lists", "pyarrow", "ChunkedArray"])
def test_every_function_takes_tables(x, kind):
    table, y = TABLES[kind](x), np.arange(N) % 2
    by_array = fast_select.select(x, count=8, n_random=1).indices
    got = fast_select.select(
        table,
        count=8,
        n_random=1,
        labels=pa.chunked_array([y]),
        ids=pl.Series(y * N + np.arange(N)),
    )
    assert got.ids.tolist() == [i % 2 * N + i for i in got.indices]
    assert fast_select.select(table, count=8, n_random=1).indices.tolist() == by_array.tolist()
    assert fast_select.plan(table, count=8)["input"]["shape"] == [N, 3]
    assert fast_select.evaluate(table, by_array, n_random=2)["selection"]["count"] == 8
    rows = fast_select.compare(
        table, pd.Series(y), ratios=[0.2], methods=["random"], models=["1nn"], seeds=[0]
    )
    assert len(rows["summary"]) == 1


HOLED = {
    "pandas": lambda v: pd.DataFrame({"a": pd.array(v, "Int64"), "b": range(len(v))}),
    "pandas of Arrow": lambda v: pd.DataFrame(
        {"a": pd.array(v, "int64[pyarrow]"), "b": range(len(v))}
    ),
    "polars": lambda v: pl.DataFrame({"a": v, "b": range(len(v))}),
    "pyarrow": lambda v: pa.table({"a": v, "b": range(len(v))}),
    "vectors": lambda v: pa.array([[each, i] for i, each in enumerate(v)]),
}


@pytest.mark.parametrize("kind", HOLED)
def test_missing_cells_are_nan(kind):
    got = matrix(HOLED[kind]([1, None, 3]))
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, [[1, 0], [np.nan, 1], [3, 2]])


@pytest.mark.parametrize("kind", HOLED)
def test_integers_stay_exact(kind):
    assert matrix(HOLED[kind]([2**60 + 1, 5])).tolist() == [[2**60 + 1, 0], [5, 1]]
    with pytest.raises(InvalidInputError, match=r"beyond 2\*\*53"):
        matrix(HOLED[kind]([2**60 + 1, None]))


@pytest.mark.parametrize("vectors", [[None, [1.0, 2.0]], [[1.0, None], None, [3.0, 4.0]]])
def test_missing_vectors_are_nan(vectors):
    expected = np.array([[np.nan] * 2 if v is None else v for v in vectors], float)
    for made in (
        pd.Series(vectors),
        pl.Series(vectors),
        pa.array(vectors),
        pl.DataFrame({"e": vectors}),
    ):
        np.testing.assert_array_equal(matrix(made), expected)


@pytest.mark.parametrize(
    "table,fact",
    [
        (
            pd.DataFrame({"a": [1.0], "city": ["x"], "day": [pd.Timestamp(0)]}),
            r"has columns without numbers: 'city' \(.*\), 'day' \(datetime64\[.*\]\)\. Leave",
        ),
        (
            pd.DataFrame({"a": [1.0], "c": pd.Categorical([1])}),
            r"without numbers: 'c' \(category\)",
        ),
        (pd.DataFrame({"a": [1.0], "e": [[1.0]]}), r"without numbers: 'e' \(object\)"),
        (pd.Series([[1, 2], [3]]), "row 1 holds 1 number where rows before it hold 2"),
        (pd.Series([[1, 2], 3]), "row 1 holds int where others hold vectors"),
        (pd.Series([1.0, 2.0]), "has 1 dimension"),
        (
            pl.DataFrame({"a": [1.0], "city": ["x"]}),
            r"without numbers: 'city' \(text\)",
        ),
        (pl.DataFrame({"c": pl.Series(["x"], dtype=pl.Categorical)}), r"'c' \(categories\)"),
        (pl.DataFrame({"e": [[1, 2], [3]]}), "column 'e': row 1 holds 1 number where rows before"),
        (pa.table({"a": [1.0], "t": pa.array([1], pa.timestamp("s"))}), r"numbers: 't' \(times\)"),
        (pa.table({"a": [1.0], "e": [[1.0]]}), "column 'e' holds vectors, which other columns"),
        (pa.table({"e": [[[1.0]]]}), "column 'e' holds vectors of vectors. Flatten them"),
        (pa.table([[1.0], [2.0]], names=["a", "a"]), "has several columns 'a'"),
        (pa.table({}), "has no columns"),
        (pa.array([1.0, 2.0]), "has 1 dimension"),
        (pa.array(["a"]), "not real numbers|has 1 dimension|holds str"),
        (pa.array([[]], pa.list_(pa.float32())), "holds no vectors with numbers"),
    ],
)
def test_tables_that_are_no_matrices(table, fact):
    with pytest.raises(InvalidInputError, match=f"x: .*{fact}") as caught:
        fast_select.select(table, count=1)
    assert "\n" not in str(caught.value)


def test_columns_without_numbers_are_named_without_pyarrow(monkeypatch):
    table = pl.DataFrame({"a": [1.0], "city": ["x"]})
    without_pyarrow(monkeypatch)
    with pytest.raises(InvalidInputError, match=r"has a column without numbers: 'city' \(String\)"):
        matrix(table)


def test_pandas_of_numpy_is_not_copied(x):
    frame = pd.DataFrame(x)
    assert np.shares_memory(matrix(frame), frame.to_numpy())


def test_a_package_that_is_not_used_is_not_loaded():
    loaded = {"pyarrow", "pandas", "polars"} & set(sys.modules)
    assert loaded == {"pyarrow", "pandas", "polars"}  # by this file
    code = (
        "import sys, numpy, fast_select; fast_select.select(numpy.eye(40), count=4, n_random=0);"
        "assert not {'pyarrow', 'pandas', 'polars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
