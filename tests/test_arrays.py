"""Matrices that are no plain arrays: masks, missing values, tensors, tables of objects."""

import numpy as np
import pytest
from scipy import sparse

import fast_select
from fast_select import InvalidInputError


def rows_of(x, **options):
    return fast_select.select(x, count=8, n_random=1, **options).indices.tolist()


@pytest.fixture
def x(rng):
    return rng.integers(0, 99, size=(80, 3))


@pytest.fixture
def dropped(x):
    """What is selected where the row of a missing cell is left out."""
    holed = x.astype(float)
    holed[5, 2] = np.nan
    return rows_of(holed, nonfinite="drop")


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i8", "i2", "u1", "O"])
def test_masked_entries_are_missing(x, dropped, dtype):
    masked = np.ma.array(x.astype(dtype), mask=False)
    assert rows_of(masked) == rows_of(x)
    masked[5, 2] = np.ma.masked
    assert rows_of(masked, nonfinite="drop") == dropped
    assert rows_of(list(masked), nonfinite="drop") == dropped
    with pytest.raises(InvalidInputError, match=r"x: 1 row holds NaN or infinity \(row 5\)"):
        rows_of(masked)


class NAType:
    """As pandas has it."""

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("ambiguous")

    __hash__ = None


@pytest.mark.parametrize("missing", [None, float("nan"), NAType(), np.ma.masked, np.float32("nan")])
def test_missing_objects_are_missing(x, dropped, missing):
    boxed = x.astype(object)
    assert rows_of(boxed) == rows_of(x)
    boxed[5, 2] = missing
    assert rows_of(boxed, nonfinite="drop") == dropped
    with pytest.raises(InvalidInputError, match=r"1 row holds NaN or infinity \(row 5\)"):
        rows_of(boxed)


def test_columns_of_different_types(x):
    boxed = np.column_stack([x.astype(object), (x[:, 0] > 50).astype(object)])
    assert rows_of(boxed) == rows_of(np.column_stack([x, x[:, 0] > 50]))


def test_masked_integers_that_float64_cannot_hold():
    x = np.ma.array(np.arange(80).reshape(40, 2) + 2**60, mask=False)
    x[3, 1] = np.ma.masked
    with pytest.raises(InvalidInputError, match="has masked entries among int64 beyond 2\\*\\*53"):
        rows_of(x, nonfinite="drop")


class Tensor:
    """As torch has them: no array while it has a gradient."""

    dtype, requires_grad = "torch.float32", True

    def __init__(self, values):
        self.values = values

    def detach(self):
        return self

    def cpu(self):
        return self.values

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad")


def test_tensors_with_a_gradient(rng):
    x = rng.normal(size=(80, 3)).astype(np.float32)
    assert rows_of(Tensor(x)) == rows_of(x)


class Stubborn:
    """What fails when it is made an array."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no memory on device 0\nsecond line")


def put(x, value):
    boxed = x.astype(object)
    boxed[5, 2] = value
    return boxed


def test_what_is_no_matrix(x):
    for given, fact in (
        (sparse.csr_matrix(x), r"is sparse \(csr_matrix\)\. Pass what its \.toarray\(\) returns"),
        (sparse.coo_array(x), r"is sparse \(coo_array\)"),
        (Stubborn(), r"which cannot be made an array \(no memory on device 0\)"),
        ([[1, 2], [3]], "has rows of different lengths"),
        (put(x, "a"), "holds str in row 5, column 2, not a number"),
        (put(x, 1j), "holds complex in row 5, column 2"),
        (put(x, {}), "holds dict in row 5, column 2"),
        (put(x, 2**2000), "holds integers outside the range of float64"),
        (None, "is a single NoneType where an array is needed"),
        ("x.npy", "is a single str"),
        ((row for row in x), "is a single generator"),
        (x.astype("M8[s]"), "holds datetime64"),
        (x.astype(complex), "holds complex128"),
        (np.ma.array(x.astype(complex), mask=True), "holds complex128"),
        (x.astype(str), "not real numbers"),
        (x[0], "has 1 dimension"),
    ):
        with pytest.raises(InvalidInputError, match=f"x: .*{fact}") as caught:
            rows_of(given)
        assert "\n" not in str(caught.value)
