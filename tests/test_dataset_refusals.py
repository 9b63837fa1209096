"""Tables that are refused as input, and what each refusal says."""

import base64
import os
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pyarrow.parquet.encryption
import pytest

from fast_select import ComputationError, InvalidInputError
from table_files import FORMATS, N, flat_table, read, refusal, save, with_labels


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, 4)).astype(np.float32)


@pytest.fixture
def flat(x):
    return flat_table(x)


def test_chosen_columns_that_are_none(tmp_path, flat, x):
    path = save(flat, tmp_path / "t.parquet")
    both = pa.table({"e": list(x), "f": list(x), "a": x[:, 0]})
    vectors = save(both, tmp_path / "v.parquet")
    kinds = pa.table(
        {
            "c": pa.array(["x", "y"]).dictionary_encode(),
            "t": pa.array([1, 2], pa.timestamp("s")),
            "s": ["x", "y"],
            "m": [{"k": 1}, {"k": 2}],
        }
    )
    others = save(kinds, tmp_path / "k.parquet")
    twice = save(pa.table([[1.0], [2.0]], names=["a", "a"]), tmp_path / "2.arrow")
    listed = "'id', 'emb_0', 'emb_1', 'emb_2', 'emb_3', 'label', 'note'"
    for source, options, fact in (
        (path, {"key": "q"}, "has no column 'q'; its columns are " + listed),
        (path, {"columns": "emb_0,q"}, f"has no column 'q'; its columns are {listed}"),
        (path, {"columns": "q*"}, f"has no column that matches 'q*'; its columns are {listed}"),
        (path, {"aside": ["q"]}, f"has no column 'q'; its columns are {listed}"),
        (path, {"key": "emb_0"}, "'emb_0' holds one number a row, not vectors. Choose columns of"),
        (path, {"columns": "emb_0,note"}, "column 'note' holds text, not numbers. Leave it out"),
        (path, {"key": "a", "columns": "b"}, "chosen by --key and by --columns. Leave one"),
        (vectors, {}, "holds vectors in 'e', 'f' and numbers in 'a'. Choose with --key"),
        (vectors, {"columns": "e,a"}, "'e' holds vectors, which other columns cannot be joined to"),
        (others, {"columns": "c"}, "column 'c' holds categories, not numbers. Leave it out"),
        (others, {"columns": "t"}, "column 't' holds times, not numbers"),
        (others, {"columns": "m"}, "column 'm' holds struct<k: int64>, not numbers"),
        (others, {}, "has no columns of numbers, only 'c' (categories), 't' (times), 's' (text)"),
        (twice, {}, "has several columns 'a'"),
        (twice, {"columns": "a"}, "has several columns 'a'"),
    ):
        assert fact in refusal(source, **options)


@pytest.mark.parametrize("form", FORMATS[:-1])
def test_vectors_of_different_lengths(tmp_path, form):
    vectors = [[1.0, 2.0, 3.0]] * 200
    vectors[140] = [1.0]
    path = save(pa.table({"e": vectors}), tmp_path / f"t.{form}")
    expected = "column 'e': row 140 holds 1 number where rows before it hold 3. Give all vectors"
    assert expected in refusal(path)


def test_images_of_different_lengths(tmp_path):
    images = [[[1, 2], [3, 4]], None, [[1, 2], [3]]]
    path = save(pa.table({"e": images}), tmp_path / "t.parquet")
    assert "column 'e': row 2 holds 1 number where" in refusal(path, flatten=True)


@pytest.mark.parametrize("vectors", [[None, None], [[], []], [[], None]])
def test_vectors_without_numbers(tmp_path, vectors):
    path = save(pa.table({"e": pa.array(vectors, pa.list_(pa.float32()))}), tmp_path / "t.parquet")
    assert "column 'e' holds no vectors with numbers in them" in refusal(path)


@pytest.mark.parametrize(
    "columns",
    [
        {"a": [2**60, 1], "b": [0.5, 1.5]},
        {"a": [2**60, None], "b": [1, 2]},
        {"a": [[2**60, 1], [None, 2]]},
        {"a": pa.array([2**63 + 1, 1], pa.uint64()), "b": [-1, 1]},
    ],
)
def test_integers_that_would_be_rounded(tmp_path, columns):
    path = save(pa.table(columns), tmp_path / "t.parquet")
    assert "int64 beyond 2**53, which NaN or fractions beside it would round" in refusal(path)
    exact = save(pa.table({"a": [2**60 + 1, 1], "b": [1, 2]}), tmp_path / "e.parquet")
    assert read(exact).x[0, 0] == 2**60 + 1


def test_files_that_are_no_tables(tmp_path, flat):
    whole = save(flat, tmp_path / "whole.parquet").read_bytes()
    arrow = save(flat, tmp_path / "whole.arrow").read_bytes()
    stream = save(flat, tmp_path / "whole.stream.arrow").read_bytes()
    save(flat.slice(0, 0), tmp_path / "rows.parquet")
    pq.write_table(pa.table({}), tmp_path / "nothing.parquet")
    (tmp_path / "footer.parquet").write_bytes(whole[:-200] + b"\0" * 192 + whole[-8:])
    for name, data, fact in (
        ("text.parquet", b"a,b\n1,2\n", "cannot be read: it does not begin as a Parquet file does"),
        ("text.arrow", b"a,b\n1,2\n", "cannot be read: it does not begin as an Arrow file does"),
        ("empty.parquet", b"", "is empty"),
        ("empty.csv", b"", "is empty"),
        ("cut.parquet", whole[:-100], "cannot be read: truncated, its end is missing"),
        ("head.parquet", b"PAR1", "cannot be read: truncated"),
        ("secret.parquet", b"PARE" + whole[4:-4] + b"PARE", "is encrypted. Write it without a key"),
        ("footer.parquet", None, "cannot be read: damaged"),
        ("cut.arrow", arrow[:-100], "cannot be read: damaged"),
        ("head.arrow", arrow[:6], "cannot be read: damaged"),
        ("cut.stream.arrow", stream[:-500], "cannot be read: damaged"),
        ("old.feather", b"FEA1" + b"\0" * 99, "cannot be read: it does not begin as an Arrow file"),
        ("other.parquet", arrow, "is an Arrow file. Give it the suffix .arrow"),
        ("other.npy", whole, "is a Parquet file. Give it the suffix .parquet"),
        ("other.csv", whole, "is a Parquet file. Give it the suffix .parquet"),
        ("rows.parquet", None, "holds no rows, nothing to select from"),
        ("head.csv", b"a,b\n", "holds no rows, nothing to select from"),
        ("nothing.parquet", None, "holds no rows"),
        ("latin.csv", "a,b\né,2\n".encode("latin1"), "is no UTF-8 text. Save it as UTF-8"),
        ("ragged.csv", b"a,b\n1,2\n3\n", "line 3 has another number of columns (1)"),
        ("blank.csv", b"\n\n", "begins with a blank line. Remove it"),
    ):
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        assert f"{name}: {fact}" in refusal(path)


@pytest.mark.parametrize("form", FORMATS[:-1])
def test_damaged_files_do_not_end_the_process(tmp_path, rng, form):
    table = pa.table({"e": [[1.0, 2.0]] * 50, "s": [f"a{i}" for i in range(50)], "a": range(50)})
    path = save(table, tmp_path / f"t.{form}")
    whole = path.read_bytes()
    for at in rng.integers(8, len(whole), size=100):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        path.write_bytes(damaged)
        for options in ({"key": "e", "id_key": "s"}, {"columns": "a"}):
            try:
                read(path, **options)
            except (InvalidInputError, ComputationError, MemoryError) as err:
                assert "\n" not in str(err)


def test_text_that_is_no_utf8(tmp_path):
    text = pa.array([b"a", b"\xe9"]).view(pa.string())
    for form in FORMATS[:2]:
        path = save(pa.table({"s": text, "a": [1.0, 2.0]}), tmp_path / f"t.{form}")
        with pytest.raises(InvalidInputError, match=r"cannot be read: damaged.*UTF8"):
            read(path, id_key="s")
        assert read(path).x.shape == (2, 1)


def test_a_table_and_a_matrix_are_not_joined(tmp_path, flat, x):
    np.save(tmp_path / "x.npy", x)
    table = save(flat, tmp_path / "t.parquet")
    assert "x.npy: is no table where" in refusal(table, tmp_path / "x.npy")
    assert "t.parquet: is a table where" in refusal(tmp_path / "x.npy", table)
    assert refusal(tmp_path / "x.npy", columns="a").startswith("--columns: needs a table (.parquet")


def test_without_pyarrow(tmp_path, flat, run):
    path = save(flat, tmp_path / "t.parquet")
    (tmp_path / "block" / "pyarrow").mkdir(parents=True)
    (tmp_path / "block" / "pyarrow" / "__init__.py").write_text("raise ImportError('gone')")
    paths = os.pathsep.join([str(tmp_path / "block"), *filter(None, sys.path)])
    got = run(path, "--count", "8", PYTHONPATH=paths)
    expected = "reading it needs pyarrow. Install it with pip install 'fast-select[table]'.\n"
    assert (got.returncode, got.stderr.decode()) == (2, f"Error: {path}: {expected}")


def test_pandas_is_not_loaded(tmp_path, flat):
    """It takes a second, and what loads it in pyarrow swallows Ctrl-C."""
    vectors = pa.table({"id": flat["id"], "e": [[1.0, 2.0], [3.0, None]] * 200, "y": flat["label"]})
    save(vectors, tmp_path / "v.parquet")
    for form in FORMATS:
        save(flat, tmp_path / f"t.{form}")
    code = """if True:
        import sys
        from fast_select.cli import main
        shared = ["--count", "9", "--random", "1", "--quiet", "--force", "--nonfinite", "drop"]
        shared += ["--id-key", "id"]
        for name in sys.argv[1:]:
            own = ["--label-key", "y"] if name[0] == "v" else []
            subset = "r.csv" if name.endswith(".csv") else "r.arrow"
            for out in ("-o", "o.parquet"), ("-o", "o.txt", "--include", "o.parquet"):
                assert main([name, *shared, *own, "--subset", subset, *out]) == 0
        assert "pandas" not in sys.modules
    """
    names = ["v.parquet", *(f"t.{form}" for form in FORMATS)]
    subprocess.run([sys.executable, "-c", code, *names], cwd=tmp_path, check=True, timeout=120)


@pytest.mark.parametrize("words", [{"columns": "d"}, {"label_key": "d"}, {"id_key": "d"}])
def test_decimals_that_float64_rounds_are_refused(tmp_path, x, words):
    big = pa.array([Decimal(10**20 + i) for i in range(N)])
    path = save(pa.table({"d": big, "a": x[:, 0]}), tmp_path / "t.parquet")
    with pytest.raises(InvalidInputError, match=r"'d' holds decimal128.* beyond 2\*\*53"):
        with_labels(path, **words)


class Keys(pyarrow.parquet.encryption.KmsClient):
    """Keys that are kept nowhere."""

    def __init__(self, config):
        super().__init__()

    def wrap_key(self, key_bytes, master_key_identifier):
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key, master_key_identifier):
        return base64.b64decode(wrapped_key)


@pytest.mark.parametrize("plaintext_footer", [True, False])
def test_encrypted_files(tmp_path, flat, plaintext_footer):
    """With a readable footer such a file begins and ends as others do."""
    asked = pyarrow.parquet.encryption.EncryptionConfiguration(
        footer_key="f", column_keys={"c": ["emb_0"]}, plaintext_footer=plaintext_footer
    )
    factory = pyarrow.parquet.encryption.CryptoFactory(Keys)
    keys = factory.file_encryption_properties(
        pyarrow.parquet.encryption.KmsConnectionConfig(), asked
    )
    path = tmp_path / "t.parquet"
    with pq.ParquetWriter(path, flat.schema, encryption_properties=keys) as writer:
        writer.write_table(flat)
    for options in ({}, {"columns": "emb_0"}, {"id_key": "id"}):
        assert refusal(path, **options) == f"{path}: is encrypted. Write it without a key"
    if plaintext_footer:
        assert read(path, columns="emb_1").x.shape == (N, 1)
