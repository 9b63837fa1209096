"""Labels and lists of rows in columns of tables."""

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from fast_select import InvalidInputError
from fast_select._labels import labels_of
from fast_select.io import read_indices, read_labels
from table_files import FORMATS, N, save, with_labels


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, 4)).astype(np.float32)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("labels", [["b", "a", "c"], ["3", "1", "2"], [3, 1, 2], [True, False] * 2])
def test_labels_in_a_column(tmp_path, x, form, labels):
    y = np.resize(labels, N).tolist()
    table = pa.table({"y": y, "a": x[:, 0]})
    path = save(table, tmp_path / f"t.{form}")
    expected = np.asarray(read_labels_of_list(y)).tolist()
    for words in ({"label_key": "y"}, {"label_column": "y"}, {"label_column": "1"}):
        features, got = with_labels(path, **words)
        assert features.columns == ("a",)
        if form != "csv" or not isinstance(y[0], bool):
            assert np.asarray(got).tolist() == expected


def read_labels_of_list(values):
    return labels_of(values, partial(InvalidInputError, "y"))


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["b", "a"] * 200).dictionary_encode(),
        pa.array([7, 5] * 200).dictionary_encode(),
        pa.array(["b", "a"] * 200, pa.large_string()),
        pa.array([b"b", b"a"] * 200),
    ],
    ids=lambda column: str(column.type),
)
def test_labels_in_columns_of_every_kind(tmp_path, column, x):
    path = save(pa.table({"y": column, "a": x[:, 0]}), tmp_path / "t.parquet")
    _, got = with_labels(path, label_key="y")
    first = got[np.arange(2)].tolist()
    assert first == ([7, 5] if first[0] == 7 else ["b", "a"])
    assert got.codes.tolist() == [1, 0] * 200


@pytest.mark.parametrize(
    "labels,fact",
    [
        (["a", None], "column 'y': row 1 holds None, a missing value"),
        ([1, None], "column 'y': row 1 holds None, a missing value"),
        ([1.5, float("nan")], "column 'y': row 1 holds nan, a missing value"),
        (pa.array(["a", None]).dictionary_encode(), "column 'y': row 1 holds None"),
        (pa.array([1, 2], pa.date32()), r"column 'y': type is date32\[day\]. Use numbers or text"),
        ([[1], [2]], "column 'y': type is list"),
    ],
)
def test_labels_that_are_none(tmp_path, labels, fact):
    path = save(pa.table({"y": labels, "a": [1.0, 2.0]}), tmp_path / "t.parquet")
    with pytest.raises(InvalidInputError, match=fact):
        with_labels(path, label_key="y")


@pytest.mark.parametrize("form", FORMATS)
def test_lists_in_tables(tmp_path, form):
    one = save(pa.table({"label": ["b", "a", "b"]}), tmp_path / f"y.{form}")
    assert np.asarray(read_labels(one, n=3)).tolist() == ["b", "a", "b"]
    table = pa.table({"index": [5, 2, 7], "label": ["b", "a", "b"]})
    path = save(table, tmp_path / f"s.{form}")
    assert np.asarray(read_labels(path, column="label", n=3)).tolist() == ["b", "a", "b"]
    assert np.asarray(read_labels(path, column="2", n=3)).tolist() == ["b", "a", "b"]
    with pytest.raises(InvalidInputError, match="Choose one with --label-column"):
        read_labels(path, n=3)
    assert read_indices(path, n=9).tolist() == [5, 2, 7]
    with pytest.raises(InvalidInputError, match="row 7, which is not below the 7 rows"):
        read_indices(path, n=7)
    odd = save(pa.table({"index": ["x", "y"], "b": [1, 2]}), tmp_path / f"o.{form}")
    with pytest.raises(
        InvalidInputError, match=r"Use numbers or text|where a row number is needed"
    ):
        read_indices(odd, n=7)
