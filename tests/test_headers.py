"""Files of arrays whose headers, members or ends are not what they claim."""

import io
import struct
import sys
import tracemalloc
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from fast_select import InvalidInputError
from fast_select.io import read_features, read_indices, read_labels

X = np.arange(24, dtype="<f4").reshape(8, 3)
DATA = X.tobytes()
FIELDS = {"descr": "'<f4'", "fortran_order": "False", "shape": "(8, 3)"}


def header(**fields):
    return "{" + "".join(f"'{k}': {v}, " for k, v in (FIELDS | fields).items()) + "}\n"


def npy(text, data=DATA, version=(1, 0), length=None):
    length = len(text) if length is None else length
    size = struct.pack("<H" if version[0] == 1 else "<I", length)
    return b"\x93NUMPY" + bytes(version) + size + text.encode("latin1") + data


def archive(*members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, data in members:
            made.writestr(name, data)
    return file.getvalue()


def read(*inputs):
    return read_features([str(i) for i in inputs], key=None, flatten=False).x


WHOLE = npy(header())


@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        npy(header() + " " * 60_000),
        npy(header() + " " * 200_000, version=(2, 0)),
        npy(header(), version=(3, 0)),
        npy('{"shape":(8,3),"descr":"<f4","fortran_order":False}'),
        npy(header(shape="(8L, 3L)")),
        npy(header(descr="'float32'")),
        npy(header(fortran_order="True"), X.tobytes("F")),
        npy(header(descr="'>f4'"), X.astype(">f4").tobytes()),
    ],
)
def test_headers_in_order(tmp_path, data):
    path = tmp_path / "x.npy"
    path.write_bytes(data)
    np.testing.assert_array_equal(read(path), X)


SHAPES = {
    "(-300, 8)": "claims the shape",
    "(True, 8)": "claims the shape",
    "(8.0, 3)": "claims the shape",
    "(None, 3)": "claims the shape",
    "(8 3)": "claims the shape",
    "(+8, 3)": "claims the shape",
    "(8, 3\n\x1b[2J)": r"claims the shape \(8, 3\\n\\x1b",
    "(9223372036854775808, 8)": "no memory can hold",
    "(4294967296, 4294967296)": "no memory can hold",
    "(0, 9223372036854775807)": "no memory can hold",
    "(18446744073709551616, 8)": "claims the shape",
    "(" + "9" * 5000 + ", 3)": "claims the shape",
    "(" + "1, " * 40 + ")": "claims 40 dimensions",
    "(1000000000000, 3)": "truncated, 96 of the 12000000000000 bytes|more than the memory",
    "(9, 3)": "truncated, 96 of the 108 bytes",
    "(7, 3)": "holds more than its array",
    "(0, 3)": "holds more than its array",
    "(8, 3": "damaged header",
    "8, 3)": "damaged header",
    "[8, 3]": "damaged header",
    "((8,), 3)": "damaged header",
    "(" * 5000 + ")" * 5000: "damaged header",
}
TYPES = {
    "'|O'": "holds Python objects",
    "[('a', '<f4')]": "holds records",
    "[('a', '|O')]": "holds records",
    "'|V4'": "holds raw bytes.*bfloat16",
    "'|S4'": "not real numbers",
    "'<U1'": "not real numbers",
    "'<c8'": "truncated",
    "'<M8[ns]'": "truncated",
    "'<f3'": "type '<f3', which is unknown",
    "'|S0'": "unknown",
    "'<U999999999'": "unknown",
    "'f4,f4'": "unknown",
    "'(2,3)<f4'": "unknown",
    "'T'": "unknown",
    "''": "unknown",
    "'" + "f" * 10_000 + "'": "damaged header",
    "4": "damaged header",
    "'<f4": "damaged header",
}
BAD = (
    [(npy(header(shape=shape)), fact) for shape, fact in SHAPES.items()]
    + [(npy(header(descr=descr)), fact) for descr, fact in TYPES.items()]
    + [(npy(header(fortran_order=order)), "damaged header") for order in ("1", "None", "'True'")]
    + [(npy(mark * 9000), "damaged header") for mark in ("", "[", "(", "{", "{'a':")]
    + [
        (npy(header(x="1")), "damaged header"),
        (npy(header()[:-2] + "'shape': (8, 3)}"), "damaged header"),
        (npy("__import__('os').abort()"), "damaged header"),
        (npy("{'descr': '<f4', 'shape': (8, 3)}"), "damaged header"),
        (npy(header(), length=3), "damaged header"),
        (npy(header(), length=60_000), "truncated in the header"),
        (npy(header(), version=(2, 0), length=2**32 - 1), "claims a header of 4294967295 bytes"),
        (npy(header() + " " * 2_000_000, version=(2, 0)), "claims a header of"),
        (npy(header(), version=(9, 1)), "is of .npy version 9.1"),
        (WHOLE + b"\0", "holds more than its array"),
        (WHOLE + WHOLE, "holds more than its array"),
        (WHOLE[:-1], "truncated, 95 of the 96 bytes"),
        (WHOLE[:20], "truncated in the header"),
        (WHOLE[:8], "truncated in the header"),
        (b"\x93NUM", "truncated|neither|none of"),
        (b"\x80\x04pickle", "does not begin as|neither|none of"),
        (b"{}", "does not begin as|neither|none of"),
    ]
)


@pytest.mark.parametrize("place", ["file", "stream", "member"])
def test_headers_that_are_not_believed(tmp_path, monkeypatch, place):
    for data, fact in BAD:
        path = tmp_path / ("x.npz" if place == "member" else "x.npy")
        path.write_bytes(archive(("x.npy", data)) if place == "member" else data)
        buffer = io.BytesIO(data)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer))
        with pytest.raises(InvalidInputError, match=fact) as caught:
            read("-" if place == "stream" else path)
        assert "\n" not in str(caught.value)
        for read_list in (read_labels, read_indices):
            with pytest.raises(InvalidInputError):
                read_list(path, n=8)


def changed(data, at, value):
    """An archive with a byte of its first member's two headers changed: `at` is of the second."""
    made = bytearray(data)
    made[made.rfind(b"PK\1\2") + at] = value
    made[at - 2] = value
    return bytes(made)


STORED, PACKED = (archive(("x.npy", WHOLE), method=m) for m in (0, zipfile.ZIP_DEFLATED))
BOMB = archive(("x.npy", WHOLE + bytes(50_000_000)), method=zipfile.ZIP_DEFLATED)
CLAIM = archive(("x.npy", npy(header(shape="(1000000000, 3)"))))


@pytest.mark.parametrize(
    "data,fact",
    [
        (changed(STORED, 8, 1), "'x' in it is encrypted"),
        (changed(STORED, 10, 9), "cannot be unpacked"),
        (changed(STORED, 10, 99), "cannot be unpacked"),
        (STORED.replace(DATA, X[::-1].tobytes()), "Bad CRC-32"),
        (PACKED[:70] + b"\xff" + PACKED[71:], "cannot be read"),
        (STORED[:-10], "truncated or not an array file"),
        (STORED[:100], "truncated or not an array file"),
        (b"PK\3\4", "truncated or not an array file"),
        (b"PK\5\6" + bytes(18), "holds no arrays"),
        (archive(("a.txt", b"text")), "holds no arrays"),
        (archive(("x.npy", b"")), "truncated"),
        (archive(("x\n.npy", WHOLE), ("y.npy", WHOLE)), r"x\\n \(8, 3\)"),
        (STORED + b"\n", "holds more than its archive"),
        (STORED + PACKED, "holds more than its archive"),
        (WHOLE + STORED, "is a single array"),
        (STORED + WHOLE, "holds more than its archive"),
        (BOMB, "holds more than its array"),
        (CLAIM, "truncated, 96 of the 12000000000 bytes"),
    ],
)
def test_archives_that_are_not_believed(tmp_path, data, fact):
    path = tmp_path / "x.npz"
    path.write_bytes(data)
    with pytest.raises(InvalidInputError, match=fact) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_member_twice(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.warns(UserWarning, match="Duplicate"):
        path.write_bytes(archive(("x.npy", WHOLE), ("x.npy", WHOLE)))
    with pytest.raises(InvalidInputError, match=r"holds 'x\.npy' twice"):
        read(path)


def test_claims_take_no_memory(tmp_path):
    path, packed = tmp_path / "x.npy", tmp_path / "x.npz"
    path.write_bytes(npy(header(shape="(1000000000, 3)")))
    packed.write_bytes(BOMB)
    tracemalloc.start()
    for each in (path, packed):
        with pytest.raises(InvalidInputError):
            read(each)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 << 20


@pytest.mark.parametrize("method", [0, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archives_of_any_method(tmp_path, method):
    path = tmp_path / "x.npz"
    path.write_bytes(
        archive(
            ("x.npy", WHOLE), ("notes.txt", b"aside"), ("__MACOSX/._x.npy", b"\0"), method=method
        )
    )
    np.testing.assert_array_equal(read(path), X)


@pytest.mark.parametrize("source", [WHOLE, STORED, PACKED], ids=["npy", "stored", "packed"])
def test_bytes_at_random(tmp_path, source):
    """Whatever is changed, the array is read whole or refused in a line."""
    rng = np.random.default_rng(7)
    path = tmp_path / ("x.npy" if source is WHOLE else "x.npz")
    refused = 0
    for _ in range(300):
        data = bytearray(source)
        for _ in range(rng.integers(1, 5)):
            at = int(rng.integers(len(data)))
            data[at : at + int(rng.integers(0, 3))] = rng.bytes(int(rng.integers(1, 3)))
        path.write_bytes(data)
        try:
            assert read(path).size == X.size
        except InvalidInputError as err:
            refused += 1
            assert "\n" not in str(err)
    assert refused > 100
