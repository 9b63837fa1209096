"""Reading: what is accepted, and what each refusal says."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_select import InvalidInputError
from fast_select.io import natural_order, read_features, read_labels


def read(*inputs, key=None, flatten=False):
    return read_features([str(i) for i in inputs], key=key, flatten=flatten)


def save(path, array):
    np.save(path, array)
    return path


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1", "i8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_is_mapped_in_any_type_and_order(tmp_path, dtype, order):
    x = np.arange(12).reshape(4, 3).astype(dtype).copy(order=order)
    got = read(save(tmp_path / "a.npy", x))
    assert isinstance(got.x, np.memmap)
    np.testing.assert_array_equal(got.x, x)
    assert len(got.sha256()) == 64


def test_foreign_byte_order_is_mapped_as_it_is(tmp_path):
    x = np.arange(12.0).reshape(4, 3)
    np.save(tmp_path / "a.npy", x.astype(">f8"))
    got = read(tmp_path / "a.npy").x
    assert isinstance(got, np.memmap)
    np.testing.assert_array_equal(got, x)


def test_npz_members(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.ones((3, 2)), y=np.arange(3))
    assert read(path).x.shape == (3, 2)
    assert np.asarray(read_labels(path)).tolist() == [0, 1, 2]
    np.savez(path, x=np.ones((3, 2)), z=np.ones((4, 2)))
    assert read(path, key="z").x.shape == (4, 2)
    with pytest.raises(InvalidInputError, match=r"x \(3, 2\), z \(4, 2\).*--key"):
        read(path)
    with pytest.raises(InvalidInputError, match="no array 'q', only x, z"):
        read(path, key="q")


def test_shards_of_a_folder_come_in_natural_order(tmp_path):
    for part in (10, 2, 1):
        save(tmp_path / f"part-{part}.npy", np.full((2, 3), float(part)))
    (tmp_path / "notes.txt").write_text("not a shard")
    assert read(tmp_path).x[:, 0].tolist() == [1, 1, 2, 2, 10, 10]
    given_order = read(tmp_path / "part-10.npy", tmp_path / "part-1.npy")
    assert given_order.x[:, 0].tolist() == [10, 10, 1, 1]


def test_shards_must_agree(tmp_path):
    first = save(tmp_path / "a.npy", np.ones((2, 3)))
    for other in (np.ones((2, 4)), np.ones((2, 3), np.float32)):
        second = save(tmp_path / "b.npy", other)
        with pytest.raises(InvalidInputError, match=r"b\.npy: has .* columns of .* where"):
            read(first, second)


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_natural_order_is_numeric(numbers):
    names = [Path(f"part-{n}.npy") for n in numbers]
    assert sorted(names, key=natural_order) == [Path(f"part-{n}.npy") for n in sorted(numbers)]


def test_standard_input(monkeypatch):
    buffer = io.BytesIO()
    np.save(buffer, np.ones((3, 2)))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(buffer.getvalue())))
    got = read("-")
    assert (got.x.shape, got.files) == ((3, 2), ())
    assert len(got.sha256()) == 64
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"")))
    with pytest.raises(InvalidInputError, match="standard input: is empty"):
        read("-")


@pytest.mark.parametrize(
    "array,fact",
    [
        (np.ones(3), "where rows and columns are needed"),
        (np.ones(()), "where rows and columns are needed"),
        (np.ones((2, 2, 2)), "3 dimensions. Use --flatten"),
        (np.ones((0, 4)), "nothing to select from"),
        (np.ones((4, 0)), "nothing to select from"),
        (np.ones((2, 2), complex), "holds complex128"),
        (np.array([["a", "b"]]), "holds <U1"),
        (np.ones((2, 2), np.longdouble), "Convert it to float32"),
    ],
)
def test_refused_arrays(tmp_path, array, fact):
    with pytest.raises(InvalidInputError, match=fact):
        read(save(tmp_path / "a.npy", array))


def test_flatten(tmp_path):
    assert read(save(tmp_path / "a.npy", np.ones((5, 2, 3))), flatten=True).x.shape == (5, 6)


def test_refused_files(tmp_path):
    whole = save(tmp_path / "whole.npy", np.ones((100, 10))).read_bytes()
    cases = {
        "missing.npy": (None, "does not exist"),
        "cut.npy": (whole[:-100], "cannot be read: truncated"),
        "header.npy": (whole[:20], "cannot be read: truncated"),
        "empty.npy": (b"", "is empty"),
        "text.npy": (b"1,2,3\n", "holds Python objects|cannot be read"),
        "cut.npz": (b"PK\x03\x04", "cannot be read: truncated"),
        "table.xls": (b"1,2\n", "has the suffix '.xls'"),
    }
    for name, (data, fact) in cases.items():
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(InvalidInputError, match=fact) as caught:
            read(path)
        assert name in str(caught.value)
    np.save(tmp_path / "objects.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(InvalidInputError, match="holds Python objects"):
        read(tmp_path / "objects.npy")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidInputError, match=r"holds no files with features \(\.npy"):
        read(tmp_path / "folder")


def test_misnamed_archives(tmp_path):
    path = tmp_path / "x.npz"
    with path.open("wb") as file:
        np.save(file, np.ones((3, 2)))
    with pytest.raises(InvalidInputError, match=r"single array. Give it the suffix \.npy"):
        read(path)
