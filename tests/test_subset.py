"""The selected rows themselves: what the input holds of them, value by value."""

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fast_select.io import dataset as dataset_module
from fast_select.io import npy
from fast_select.io import reading as reading_module
from fast_select.io.dataset import Dataset

N = 300
OPTIONS = ("--count", "20", "--random", "1", "--quiet", "--force", "-o", "s.npy")


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, 4)).astype(np.float32)


@pytest.fixture
def table(x):
    """Columns of many kinds, with metadata."""
    columns = {
        "id": pa.array([f"a{i}" for i in range(N)], pa.large_string()),
        "e": pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), 4),
        "short": pa.array(np.arange(N) % 7, pa.int8()),
        "half": pa.array(x[:, 0].astype(np.float16)),
        "kind": pa.array([f"kind {i % 5}" for i in range(N)]).dictionary_encode(),
        "when": pa.array(np.arange(N), pa.timestamp("us", "UTC")),
        "holes": pa.array([None if i % 3 else i + 2**60 for i in range(N)]),
        "nested": pa.array([{"a": [i], "b": None} for i in range(N)]),
        "bytes": pa.array([bytes([i % 256]) for i in range(N)]),
    }
    made = pa.table(columns)
    fields = [field.with_metadata({"about": field.name}) for field in made.schema]
    return made.cast(pa.schema(fields, {"origin": "here"}))


def save(table, path):
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=70)
    else:
        new = pa.ipc.new_stream if "stream" in path.name else pa.ipc.new_file
        with new(str(path), table.schema) as writer:
            writer.write_table(table, max_chunksize=70)
    return path


def load(path):
    if path.suffix == ".parquet":
        return pq.read_table(path)
    with pa.memory_map(str(path)) as file:
        if file.read(6) == b"ARROW1":
            return pa.ipc.open_file(file).read_all()
        file.seek(0)
        return pa.ipc.open_stream(file).read_all()


def rows(call):
    return np.load(call.folder / "s.npy")


@pytest.mark.parametrize("form", ["parquet", "arrow", "feather", "stream.arrow"])
@pytest.mark.parametrize("to", ["parquet", "arrow", "feather"])
def test_rows_of_a_table(tmp_path, table, call, form, to, monkeypatch):
    monkeypatch.setattr(reading_module, "MOST_ROWS", 50)
    path = save(table, tmp_path / f"t.{form}")
    got = call(path, "--key", "e", *OPTIONS, "--subset", f"r.{to}")
    assert got.returncode == 0, got.stderr
    found, expected = load(call.folder / f"r.{to}"), load(path).take(pa.array(rows(call)))
    assert found.schema.equals(expected.schema, check_metadata=True) or to == "parquet"
    assert found.schema.metadata[b"origin"] == b"here"
    assert found.schema.field("e").metadata[b"about"] == b"e"
    assert found.schema.types == expected.schema.types
    assert found.to_pylist() == expected.to_pylist()


def test_a_stream_of_arrow_stays_one(tmp_path, table, call):
    path = save(table, tmp_path / "t.stream.arrow")
    assert call(path, "--key", "e", *OPTIONS, "--subset", "r.arrow").returncode == 0
    pa.ipc.open_stream(str(call.folder / "r.arrow"))


@pytest.mark.parametrize("to", ["parquet", "arrow"])
def test_rows_of_parts_with_categories_of_their_own(tmp_path, x, call, to, monkeypatch):
    parts = []
    for part in range(3):
        own = slice(part * 100, part * 100 + 100)
        kinds = [f"{part}-{i % 4}" for i in range(100)]
        index = pa.int8() if part % 2 else pa.int32()
        column = pa.array(kinds).dictionary_encode().cast(pa.dictionary(index, pa.string()))
        columns = {"kind": column, "a": x[own, 0], "b": x[own, 1]}
        order = ["a", "b", "kind"] if part == 2 else ["kind", "a", "b"]
        made = pa.table({name: columns[name] for name in order})
        parts.append(save(made, tmp_path / f"{part}.parquet"))
    monkeypatch.setattr(dataset_module, "BATCH_BYTES", 1)  # a file of many batches
    got = call(*parts, *OPTIONS, "--subset", f"r.{to}")
    assert got.returncode == 0, got.stderr
    found = load(call.folder / f"r.{to}")
    chosen = rows(call)
    assert found["kind"].to_pylist() == [f"{i // 100}-{i % 4}" for i in chosen]
    np.testing.assert_array_equal(found["a"].to_numpy(), x[chosen, 0])


def test_rows_of_a_csv_are_as_they_are_written(tmp_path, x, call):
    cells = [
        [f"{i:05d}", f"{v:.3f}", "a, b" if i % 2 else 'say "x"', ""] for i, v in enumerate(x[:, 0])
    ]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows([["id", "a", "note", "none"], *cells])
    assert call(tmp_path / "t.csv", *OPTIONS, "--subset", "r.csv").returncode == 0
    with (call.folder / "r.csv").open(newline="") as file:
        found = list(csv.reader(file, delimiter=";"))
    chosen = rows(call)
    assert found == [["id", "a", "note", "none"], *(cells[i] for i in chosen)]
    assert call(tmp_path / "t.csv", *OPTIONS, "--subset", "r.parquet").returncode == 0
    typed = load(call.folder / "r.parquet")
    assert typed["id"].to_pylist() == [cells[i][0] for i in chosen]
    assert typed.schema.field("a").type == pa.float64()
    assert call(tmp_path / "t.csv", *OPTIONS, "--subset", "r.tsv").returncode == 0
    assert (call.folder / "r.tsv").read_text().startswith("id\ta\tnote\tnone\n")


def test_rows_without_a_header_have_none(tmp_path, x, call):
    np.savetxt(tmp_path / "t.csv", x, delimiter=",", fmt="%.4f")
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert call(tmp_path / "t.csv", *OPTIONS, "--subset", "r.csv").returncode == 0
    assert (call.folder / "r.csv").read_text().splitlines() == [lines[i] for i in rows(call)]


def test_rows_of_a_table_as_csv(tmp_path, table, call):
    plain = table.select(["id", "short", "half", "kind", "when", "holes"])
    path = save(plain, tmp_path / "t.parquet")
    got = call(path, "--columns", "short,half", *OPTIONS, "--subset", "r.csv")
    assert got.returncode == 0, got.stderr
    with (call.folder / "r.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    chosen = plain.take(pa.array(rows(call)))
    assert [row["holes"] for row in found] == [
        "" if v is None else str(v) for v in chosen["holes"].to_pylist()
    ]
    assert [row["kind"] for row in found] == chosen["kind"].to_pylist()
    halves = np.array([row["half"] for row in found], np.float16)
    np.testing.assert_array_equal(halves, chosen["half"].to_numpy())


@pytest.mark.parametrize(
    "array",
    [
        np.arange(N * 4, dtype=">f8").reshape(N, 4),
        np.asfortranarray(np.arange(N * 4, dtype="f4").reshape(N, 4)),
        np.arange(N * 4, dtype="f2").reshape(N, 4),
        np.arange(N * 4, dtype="u1").reshape(N, 2, 2),
        np.arange(N * 2).reshape(N, 2) + 2**60,
    ],
    ids=lambda array: f"{array.dtype.str}{array.shape}",
)
@pytest.mark.parametrize("form", ["npy", "npz", "parts"])
def test_rows_of_matrices(tmp_path, array, call, form, monkeypatch):
    monkeypatch.setattr(npy, "BLOCK", 100)
    if form == "npz":
        path = tmp_path / "x.npz"
        np.savez(path, x=array)
    elif form == "npy":
        path = tmp_path / "x.npy"
        np.save(path, array)
    else:
        path = tmp_path / "parts"
        path.mkdir()
        np.save(path / "0.npy", array[:100])
        np.save(path / "1.npy", array[100:])
    to = "r.npz" if form == "npz" else "r.npy"
    got = call(path, "--flatten", *OPTIONS, "--subset", to)
    assert got.returncode == 0, got.stderr
    found = np.load(call.folder / to)
    found = found["x"] if form == "npz" else found
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array[rows(call)])


def test_rows_of_an_archive(tmp_path, x, call):
    names = np.array([f"a{i}" for i in range(N)])
    others = {"classes": np.arange(7), "about": np.array("made here"), "none": np.ones((0, 2))}
    np.savez_compressed(tmp_path / "x.npz", x=x, y=np.arange(N) % 3, name=names, **others)
    got = call(tmp_path / "x.npz", "--key", "x", *OPTIONS, "--subset", "r.npz")
    assert got.returncode == 0, got.stderr
    with np.load(call.folder / "r.npz") as found:
        assert found.files == ["x", "y", "name", *others]
        for name, whole in {"x": x, "y": np.arange(N) % 3, "name": names}.items():
            np.testing.assert_array_equal(found[name], whole[rows(call)])
        for name, whole in others.items():
            np.testing.assert_array_equal(found[name], whole)
    infos = zipfile.ZipFile(call.folder / "r.npz").infolist()
    assert {info.compress_type for info in infos} == {zipfile.ZIP_DEFLATED}


def test_rows_of_standard_input(tmp_path, table, x, run):
    for path, to in (
        (save(table, tmp_path / "t.parquet"), "r.parquet"),
        (save(table, tmp_path / "t.stream.arrow"), "r.arrow"),
    ):
        got = run("-", "--key", "e", *OPTIONS, "--subset", to, stdin=path.read_bytes())
        assert got.returncode == 0, got.stderr
        assert load(run.folder / to).to_pylist() == table.take(pa.array(rows(run))).to_pylist()


def test_rows_at_several_ratios(tmp_path, table, call):
    path = save(table, tmp_path / "t.parquet")
    got = call(
        path,
        "--key",
        "e",
        "--ratio",
        ".5",
        "--ratio",
        ".1",
        "--subset",
        "r.parquet",
        "--random",
        "1",
    )
    assert got.returncode == 0, got.stderr
    for ratio in (0.5, 0.1):
        chosen = np.load(call.folder / f"t.selected-{ratio}.npy")
        found = load(call.folder / f"r-{ratio}.parquet")
        assert found["id"].to_pylist() == [f"a{i}" for i in chosen]
    assert b"Wrote the rows to r-0.5.parquet" in got.stderr


@pytest.mark.parametrize(
    "to,fact",
    [
        ("r.npy", "r.npy: has the suffix '.npy' where rows of the input go to .parquet or .arrow"),
        ("r", "r: has the suffix '' where rows of the input go to .parquet or"),
        ("r.csv", "column 'e' holds fixed_size_list<element: float>[4], which CSV cannot. Name a"),
        ("-", "--subset: '-' is no file. Name a file."),
        ("INPUT", "is an input. Name another file."),
        ("s.npy", "s.npy: would take two results. Name a file for each."),
        ("there.parquet", "there.parquet: exists. Use --force to overwrite it."),
        ("nowhere/r.parquet", "nowhere/r.parquet: its folder"),
    ],
)
def test_places_that_are_refused(tmp_path, table, call, to, fact):
    path = save(table, tmp_path / "t.parquet")
    (call.folder / "there.parquet").write_bytes(b"mine")
    force = [] if to == "there.parquet" else ["--force"]
    to = path if to == "INPUT" else to
    got = call(path, "--key", "e", "--count", "9", "-o", "s.npy", *force, "--subset", to)
    text = got.stderr.decode()
    assert (got.returncode, text.count("\n")) == (2, 1), text
    assert fact in text
    assert [each.name for each in call.folder.iterdir()] == ["there.parquet"]


def test_what_no_subset_can_be_made_of(tmp_path, table, x, call):
    np.save(tmp_path / "x.npy", x)
    got = call(tmp_path / "x.npy", *OPTIONS, "--subset", "r.parquet")
    assert b"r.parquet: has the suffix '.parquet' where rows of the input go to .npy" in got.stderr
    np.savez(tmp_path / "x.npz", x=x, names=np.array([{}] * N))
    got = call(tmp_path / "x.npz", "--key", "x", *OPTIONS, "--subset", "r.npz")
    assert (got.returncode, b"holds Python objects" in got.stderr) == (2, True)
    save(table, tmp_path / "0.parquet")
    other = table.set_column(2, "short", table["short"].cast(pa.int16()))
    for name, part, fact in (
        ("1.parquet", other, b"column 'short' holds int16 where"),
        ("2.parquet", table.drop_columns(["bytes"]), b"has other columns than"),
    ):
        paths = [tmp_path / "0.parquet", save(part, tmp_path / name)]
        got = call(*paths, "--key", "e", *OPTIONS, "--subset", "r.parquet")
        assert (got.returncode, fact in got.stderr) == (2, True), got.stderr
    assert list(call.folder.iterdir()) == []


def test_an_input_that_changes_while_rows_are_written(tmp_path, table, call, monkeypatch):
    path = save(table, tmp_path / "t.parquet")
    read = Dataset.rows

    def rows_changed(self, *args, **options):
        yield from read(self, *args, **options)
        path.touch()

    monkeypatch.setattr(Dataset, "rows", rows_changed)
    got = call(path, "--key", "e", *OPTIONS, "--subset", "r.parquet")
    assert (got.returncode, b"was changed while it was read" in got.stderr) == (1, True)
    assert list(call.folder.iterdir()) == []


def test_rows_left_out_are_counted(tmp_path, call, x):
    holed = x.astype(object)
    holed[:5, 1] = None
    save(pa.table({"e": list(map(list, holed))}), tmp_path / "t.parquet")
    got = call(tmp_path / "t.parquet", *OPTIONS, "--nonfinite", "drop", "--subset", "r.parquet")
    assert got.returncode == 0, got.stderr
    chosen = rows(call)
    assert chosen.min() >= 5
    found = load(call.folder / "r.parquet")["e"].to_pylist()
    np.testing.assert_array_equal(np.array(found, np.float32), x[chosen])
    report = json.loads((call.folder / "t.report.json").read_text())
    assert report["input"]["n_nonfinite"] == 5


# A folder that is the input.


@pytest.fixture
def parts(tmp_path, rng):
    """Folders of shards by their format."""
    for form in ("npy", "parquet", "csv"):
        (tmp_path / form).mkdir()
        for i in range(2):
            x = rng.normal(size=(30, 2))
            path = tmp_path / form / f"part-{i}.{form}"
            if form == "npy":
                np.save(path, x)
            elif form == "parquet":
                pq.write_table(pa.table({"a": x[:, 0], "b": x[:, 1]}), path)
            else:
                np.savetxt(path, x, delimiter=",", header="a,b", comments="")
    return tmp_path


FEW = ("--count", "6", "--random", "1", "--quiet", "--report", "r.json", "--force")


@pytest.mark.parametrize("option", ["--subset", "--assign"])
@pytest.mark.parametrize(
    "form,name",
    [
        ("npy", "s.npy"),
        ("npy", "S.NPY"),
        ("parquet", "s.parquet"),
        ("csv", "s.csv"),
        ("csv", "s.parquet"),
        ("parquet", "../parquet/s.PARQUET"),
        ("csv", "s.tsv"),
    ],
)
def test_no_result_becomes_a_part_of_the_input(parts, call, option, form, name):
    before = sorted((parts / form).iterdir())
    target = parts / form / name
    got = call(parts / form, *FEW, "-o", "s.txt", option, target)
    expected = f"Error: {target}: is in the input folder {parts / form}, of which it would become"
    assert got.returncode == 2
    assert got.stderr.decode().startswith(expected), got.stderr
    assert got.stderr.decode().endswith(" a part. Name another folder.\n")
    assert sorted((parts / form).iterdir()) == before
    assert list(call.folder.iterdir()) == []


@pytest.mark.parametrize("way", ["link", "here"])
def test_the_input_folder_is_known_by_every_name(parts, call, monkeypatch, way):
    name = "x"
    (call.folder / "x").symlink_to(parts / "npy")
    if way == "here":
        monkeypatch.chdir(parts / "npy")
        name = "."
    got = call(name, *FEW, "-o", call.folder / "s.npy", "--subset", parts / "npy" / "s.npy")
    assert got.returncode == 2, got.stderr
    assert f"is in the input folder {name}, of".encode() in got.stderr


@pytest.mark.parametrize("form", ["npy", "parquet", "csv"])
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".parquet", ".txt"])
def test_what_is_no_part_may_lie_beside_the_parts(parts, call, form, suffix):
    """Lists of rows, in the order of their ranks too, are passed over; so is what comes later."""
    folder = parts / form
    results = ["-o", folder / f"s{suffix}", "--rank", "--weights", "nearest"]
    if form == "npy":
        results += ["--assign", folder / "a.csv"]
    first = call(folder, *FEW, *results)
    assert first.returncode == 0, first.stderr
    again = call(folder, *FEW, "-o", "again.npy", "--subset", f"u.{form}")
    assert again.returncode == 0, again.stderr
    assert json.loads(Path("r.json").read_text())["input"]["shape"] == [60, 2]
