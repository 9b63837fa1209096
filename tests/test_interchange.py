"""Tables and columns of packages that are not known by name, and what cannot be converted."""

import builtins
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fast_select
from fast_select import InvalidInputError
from fast_select._checks import matrix

N = 40


class CArray:
    """An array, or a batch, by the capsules of Arrow alone."""

    def __init__(self, value):
        self.value = value

    def __arrow_c_array__(self, requested_schema=None):
        return self.value.__arrow_c_array__(requested_schema)


class CStream:
    """A table, or a column of chunks, likewise; it can be read once."""

    def __init__(self, value):
        self.value = value

    def __arrow_c_stream__(self, requested_schema=None):
        value, self.value = self.value, None
        return value.__arrow_c_stream__(requested_schema)


class Interchange:
    """A table by the interchange protocol alone."""

    def __init__(self, value):
        self.value = value

    def __dataframe__(self, nan_as_null=False, allow_copy=True):
        return self.value.__dataframe__(nan_as_null, allow_copy)


class Broken:
    """What fails whenever it is asked."""

    def __arrow_c_stream__(self, requested_schema=None):
        raise ZeroDivisionError("of its own")


class NoInterchange:
    def __dataframe__(self, **options):
        raise ZeroDivisionError("of its own")


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, 2))


def table(x):
    return pa.table({"a": x[:, 0], "b": x[:, 1]})


def lists(x):
    return pa.array(x.tolist())


@pytest.mark.filterwarnings("ignore:.*interchange")
@pytest.mark.parametrize(
    "of",
    [
        lambda x: CArray(lists(x)),
        lambda x: CArray(pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), 2)),
        lambda x: CArray(table(x).to_batches()[0]),
        lambda x: CStream(table(x)),
        lambda x: CStream(pa.chunked_array([lists(x[:7]), lists(x[7:])])),
        lambda x: Interchange(table(x)),
        lambda x: Interchange(pd.DataFrame(x, columns=["a", "b"])),
        lambda x: pl.DataFrame({"a": x[:, 0], "b": [Decimal(str(v)) for v in x[:, 1]]}),
    ],
)
def test_features_by_protocols(x, of):
    np.testing.assert_allclose(matrix(of(x)), x)


@pytest.mark.parametrize("wrap", [CArray, lambda array: CStream(pa.chunked_array([array]))])
def test_columns_by_protocols(x, wrap):
    ids = [f"a{i}" for i in range(N)]
    got = fast_select.select(
        x,
        count=8,
        n_random=1,
        labels=wrap(pa.array(["a", "b"] * (N // 2))),
        ids=wrap(pa.array(ids)),
        include=wrap(pa.array([3, 1])),
        groups=wrap(pa.array(range(N))),
        max_per_group=1,
    )
    assert {1, 3} <= set(got.indices.tolist())
    assert got.ids.tolist() == [ids[i] for i in got.indices]
    assert got.labels.tolist() == ["ab"[i % 2] for i in got.indices]


def wide(kind):
    return pl.Series("b", range(N), dtype=kind)


CAST = "Cast it to float64 or int64, or leave it out$"


@pytest.mark.parametrize(
    "of,fact",
    [
        (lambda: pl.DataFrame({"a": range(N)}).with_columns(wide(pl.Int128)),
         f"x: column 'b': type Int128 cannot be made Arrow's .*{CAST}"),
        (lambda: pl.DataFrame([wide(pl.UInt128)]),
         f"x: column 'b': type UInt128 cannot be made Arrow's .*{CAST}"),
        (lambda: wide(pl.Int128), f"x: type Int128 cannot be made Arrow's .*{CAST}"),
        (lambda: pl.DataFrame({"b": pl.Series([[1]] * N, dtype=pl.List(pl.Int128))}),
         r"x: column 'b': type List\(Int128\) cannot be made Arrow's"),
        (lambda: pl.DataFrame({"b": [Decimal(10) ** 30] * N}), "x: column 'b' holds decimal128"),
        (lambda: pa.table({"b": pa.array([Decimal(10) ** 60] * N, pa.decimal256(70))}),
         "x: column 'b' holds decimal256"),
        (lambda: CArray(pa.array(["a"] * N)), "x: holds str"),
        (lambda: CArray(pa.array([1.5] * N)), "x: has 1 dimension"),
        (lambda: CArray(pa.array([[1.0], [1.0, 2.0]])), "x: column 'x': row 1 holds 2 numbers"),
        (lambda: CStream(pa.table({"b": ["a"] * N})), "x: has a column without numbers: 'b'"),
        (lambda: Interchange(pa.table({"b": ["a"] * N})), "x: has a column without numbers: 'b'"),
        (Broken, r"x: type Broken cannot be made Arrow's \(division|x: type Broken .*of its own"),
        (NoInterchange, r"x: cannot be made numbers \(of its own\)"),
    ],
)  # fmt: skip
def test_features_that_are_refused(of, fact):
    with pytest.raises(InvalidInputError, match=fact) as caught:
        fast_select.select(of(), count=2)
    assert "\n" not in str(caught.value)


class Failing(pd.arrays.ArrowExtensionArray):
    """A column whose conversion fails as those of Arrow do."""

    error = pa.ArrowNotImplementedError

    def to_numpy(self, *args, **options):
        raise self.error("no such cast")

    def __array__(self, *args, **options):
        raise self.error("no such cast")


@pytest.mark.parametrize(
    "error", [pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, RuntimeError]
)
@pytest.mark.parametrize("kind", [pa.float64(), pa.list_(pa.float64()), pa.decimal128(9, 2)])
def test_columns_of_pandas_that_cannot_be_converted(monkeypatch, x, error, kind):
    monkeypatch.setattr(Failing, "error", error)
    value = [1.0] if pa.types.is_list(kind) else 1
    column = pd.Series(Failing(pa.array([value] * N, kind)), name="odd")
    fact = r"x: column 'odd' cannot be made numbers \(no such cast\). Cast it"
    with pytest.raises(InvalidInputError, match=fact):
        fast_select.select(pd.DataFrame({"a": x[:, 0]}).assign(odd=column), count=2)


@pytest.mark.parametrize("name", ["labels", "groups", "ids", "include", "exclude"])
@pytest.mark.parametrize(
    "of",
    [
        lambda: wide(pl.Int128),
        lambda: pd.Series(pd.arrays.ArrowExtensionArray(pa.array([[1.0, 2.0]] * N))),
        lambda: pl.Series([[1.0, 2.0]] * N),
        lambda: pa.array([[1.0, 2.0]] * N),
        lambda: pa.array([{"a": 1}] * N),
        lambda: CArray(pa.array([[1.0, 2.0]] * N)),
        lambda: CStream(pa.table({"a": range(N)})),
        Broken,
    ],
)
def test_columns_that_are_refused(x, name, of):
    with pytest.raises(InvalidInputError, match=f"^{name}: ") as caught:
        fast_select.select(x, count=2, n_random=0, max_per_group=1, **{name: of()})
    assert "\n" not in str(caught.value)


def test_without_pyarrow(monkeypatch, x):
    load = builtins.__import__

    def refusing(name, *args, **options):
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return load(name, *args, **options)

    cases = [
        (CStream(table(x)), "x: is of type CStream, which needs pyarrow. Install pyarrow"),
        (Interchange(table(x)), "x: has the interchange protocol alone, for which pyarrow"),
        (pl.DataFrame([wide(pl.Int128)]), r"x: has a column without numbers: 'b' \(Int128\)"),
    ]
    monkeypatch.setattr(builtins, "__import__", refusing)
    for value, fact in cases:
        with pytest.raises(InvalidInputError, match=fact):
            matrix(value)


@pytest.mark.parametrize("assign", ["x", 1, 0, [], [True], np.array([True, False]), 1.0])
def test_assign_is_true_or_false(x, assign):
    for call in (fast_select.select, fast_select.select_nested):
        size = {"count": 3} if call is fast_select.select else {"ratios": [0.5, 0.2]}
        with pytest.raises(InvalidInputError, match=r"assign: .* is not true or false"):
            call(x, assign=assign, n_random=0, **size)


@pytest.mark.parametrize("assign,is_there", [(np.True_, True), (False, False), (None, False)])
def test_assign_as_numpy_has_it(x, assign, is_there):
    got = fast_select.select(x, assign=assign, count=3, n_random=0)
    assert (got.assignment is not None) is is_there


def test_selections_are_compared_by_identity(x):
    one, other = (fast_select.select(x, count=3, n_random=0) for _ in range(2))
    assert one == one
    assert one != other
    assert one in {one: 1}
    assert [one, other].index(other) == 1
