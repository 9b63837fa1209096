"""Images of rows on a page: from a folder, or a column of the input's table."""

import base64
import io
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import fast_select
from fast_select.page.contact import SHOWN, spread
from fast_select.page.images import thumbnail
from test_page import check

N = 60


def colour(row):
    return (4 * row, 255 - 4 * row, 7 * row % 256)


def encoded(row, form="png", size=(8, 6)):
    file = io.BytesIO()
    Image.new("RGB", size, colour(row)).save(file, form)
    return file.getvalue()


@pytest.fixture(scope="module")
def made():
    """Rows, and the report on a selection of them."""
    x = np.random.default_rng(1).normal(size=(N, 3)).astype(np.float32)
    labels = np.arange(N) % 2
    selection = fast_select.select(x, labels=labels, ratio=0.5, n_random=2)
    return x, selection.report


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def show(folder, made, call, monkeypatch):
    """Make a page with images; the input is what files are given."""

    def show(images, *inputs, whole=True):
        monkeypatch.chdir(folder)
        report = dict(made[1])
        report["input"] = report["input"] | {"named": {"inputs": list(inputs)} if inputs else None}
        if not whole:
            report = {key: value for key, value in report.items() if key != "map"}
            report["quality"] = report["quality"] | {"distances": None}
        (folder / "r.json").write_text(json.dumps(report))
        got = call("report", "r.json", "-o", "page.html", "--images", images, "--force")
        text = (folder / "page.html").read_text() if got.returncode == 0 else ""
        return got, text

    return show


def table(folder, cells, name="t.parquet", **others):
    pq.write_table(pa.table({"image": cells, **others}), folder / name, row_group_size=17)
    return name


def shown(text):
    """The rows of a page and the colours of their images."""
    found = {}
    for source, alt in re.findall(
        r'<img src="data:image/\w+;base64,([^"]*)" alt="row (\d+)"', text
    ):
        with Image.open(io.BytesIO(base64.b64decode(source))) as image:
            assert max(image.size) <= 64
            found[int(alt)] = image.convert("RGB").getpixel((3, 3))
    return found


def check_shown(text, report):
    check(text)
    found = shown(text)
    picks, far = report["map"]["selected"]["row"], report["quality"]["distances"]["farthest"]
    assert {entry["row"] for entry in far} | {entry["pick"] for entry in far} <= found.keys()
    assert len(found.keys() & set(picks)) >= SHOWN
    for row, pixel in found.items():
        assert np.abs(np.subtract(pixel, colour(row))).max() <= 3
    assert text.count("<img") == SHOWN + 2 * len(far)


def test_files_are_taken_in_natural_order(folder, show, made):
    images = folder / "images"
    images.mkdir()
    for row in range(N):
        (images / f"row{row}.{'PNG' if row % 2 else 'bmp'}").write_bytes(
            encoded(row, "png" if row % 2 else "bmp")
        )
    (images / "README.txt").write_text("no image")
    (images / ".hidden.png").write_bytes(b"")
    got, text = show("images")
    assert got.returncode == 0, got.stderr
    check_shown(text, made[1])


def test_folders_of_classes_follow_each_other(folder, show, made):
    for row in range(N):
        inside = folder / "images" / ("a" if row < 25 else "b")
        inside.mkdir(parents=True, exist_ok=True)
        (inside / f"{row}.png").write_bytes(encoded(row))
    got, text = show("images/")
    assert got.returncode == 0, got.stderr
    check_shown(text, made[1])


@pytest.mark.parametrize("kind", ["bytes", "hugging face", "paths", "paths in it", "categories"])
def test_columns(folder, show, made, kind):
    (folder / "data" / "files").mkdir(parents=True)
    paths = [f"files/{row}.png" for row in range(N)]
    for row, path in enumerate(paths):
        (folder / "data" / path).write_bytes(encoded(row))
    cells = {
        "bytes": [encoded(row) for row in range(N)],
        "hugging face": [{"bytes": encoded(row), "path": "gone.png"} for row in range(N)],
        "paths": paths,
        "paths in it": [{"bytes": None, "path": path} for path in paths],
        "categories": pa.array(paths).dictionary_encode(),
    }[kind]
    name = table(folder, cells, "data/t.parquet", **{"a b": list(made[0])})
    got, text = show("image", name)
    assert got.returncode == 0, got.stderr
    check_shown(text, made[1])


def test_parts_of_a_table_follow_each_other(folder, show, made):
    (folder / "parts").mkdir()
    for part in range(3):
        table(folder, [encoded(row) for row in range(part * 20, part * 20 + 20)],
              f"parts/{part}.parquet")  # fmt: skip
    got, text = show("image", "parts")
    assert got.returncode == 0, got.stderr
    check_shown(text, made[1])


def test_a_report_without_rows_says_so(folder, show):
    name = table(folder, [encoded(row) for row in range(N)])
    got, text = show("image", name, whole=False)
    assert got.returncode == 0, got.stderr
    assert "does not list the rows selected" in text
    assert "does not list the rows that are worst covered" in text


@pytest.mark.parametrize("what", ["few", "broken", "none", "no table", "no column", "no input",
                                  "null", "number", "lost", "gone", "dotted"])  # fmt: skip
def test_what_cannot_be_shown_is_refused(folder, show, what):
    good = [encoded(row) for row in range(N)]
    images = folder / "images"
    images.mkdir()
    inputs, argument = (), "images"
    if what in ("few", "broken"):
        for row in range(N - (what == "few")):
            data = b"\x89PNG\r\n\x1a\nnothing" if what == "broken" else good[row]
            (images / f"{row}.png").write_bytes(data)
    elif what == "no table":
        np.save(folder / "x.npy", np.zeros((N, 2)))
        inputs, argument = ("x.npy",), "image"
    elif what == "gone":
        inputs, argument = ("gone.parquet",), "image"
    elif what == "no input":
        argument = "image"
    elif what != "none":
        cells = {
            "no column": good,
            "null": [None] * N,
            "number": list(range(N)),
            "lost": ["gone.png"] * N,
            "dotted": ["."] * N,
        }[what]
        inputs, argument = (table(folder, cells),), "picture" if what == "no column" else "image"
    facts = {
        "few": "images: holds 59 images where the input has 60 rows. Give one image a row",
        "broken": ".png: cannot be read as an image",
        "none": "images: holds 0 images where the input has 60 rows",
        "no table": "--images: 'image' is no folder, and x.npy no table",
        "no column": "'picture' is neither a folder nor a column of t.parquet. Columns are image",
        "no input": "r.json: does not tell what was selected from",
        "null": "of column 'image': holds no image",
        "number": "of column 'image': holds int, no image",
        "lost": "names gone.png, which is neither here nor beside the table",
        "gone": "tells of gone.parquet, which is neither here nor beside it",
        "dotted": "cannot be read as an image (Is a directory)",
    }
    got, _ = show(argument, *inputs)
    assert got.returncode == 2
    assert got.stderr.count(b"\n") == 1
    assert facts[what] in got.stderr.decode()
    assert not (folder / "page.html").exists()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F", "I;16"])
def test_images_of_every_kind(mode):
    values = np.linspace(0, 255, 300).astype(np.uint8).reshape(15, 20)
    if mode == "I;16":
        image = Image.fromarray(values.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(values).convert(mode)
    file = io.BytesIO()
    image.save(file, "tiff")
    uri = thumbnail("x", file.getvalue())
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as small:
        shades = np.asarray(small.convert("L"), dtype=float)
    assert small.size == (20, 15)
    assert shades[-1].mean() > shades[0].mean() + 100 or mode == "1"


def test_photos_are_turned_and_small():
    image, file = Image.new("RGB", (400, 200)), io.BytesIO()
    facts = Image.Exif()
    facts[0x0112] = 6  # turned by a quarter
    image.save(file, "jpeg", exif=facts)
    uri = thumbnail("x", file.getvalue())
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as small:
        assert small.size == (32, 64)
    assert len(uri) < 2000


def test_rows_of_all_classes_are_shown():
    rows, classes = list(range(100)), [k // 50 for k in range(100)]
    assert sorted(spread(rows, classes)) == [*range(12), *range(50, 62)]
    assert spread([3, 1], None) == [3, 1]
    assert len(set(spread(rows))) == SHOWN
