"""Images of rows: files of a folder, or cells of the input's table; as thumbnails of a page."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._errors import InvalidInputError
from .._text import counted, shortened
from ..io import natural_order, read_table

SIZE = 64
"""Pixels of a thumbnail's longer side."""


class Folder:
    """Files of images, one a row, in natural order; those of folders within it follow each other.

    Hidden files, and files that no image has the suffix of, are passed over.
    """

    def __init__(self, folder: Path, n_rows: int) -> None:
        from PIL import Image

        suffixes = Image.registered_extensions()
        self._files = [
            path
            for path in _files_in(folder)
            if path.suffix.lower() in suffixes and not path.name.startswith(".")
        ]
        if len(self._files) != n_rows:
            many = counted(len(self._files), "image")
            fact = f"holds {many} where the input has {counted(n_rows, 'row')}"
            raise InvalidInputError(str(folder), fact, "Give one image a row")

    def thumbnails(self, rows: Iterable[int]) -> dict[int, str]:
        """Data URIs of rows."""
        return {row: thumbnail(str(self._files[row]), self._files[row]) for row in rows}


class Column:
    """Cells of a table: paths, bytes, or both as Hugging Face's datasets write them.

    `folders`: where paths lead from, those of the table and of its report.
    """

    def __init__(self, inputs: Sequence[str], word: str, folders: Sequence[Path]) -> None:
        self._table = read_table(inputs)
        if self._table is None:
            fact = f"'{shortened(word)}' is no folder, and {inputs[0]} no table that has columns"
            raise InvalidInputError("--images", fact, "Name a folder of images")
        if word not in self._table.names:
            fact = f"'{shortened(word)}' is neither a folder nor a column of {self._table.name}"
            columns = ", ".join(map(shortened, self._table.names))
            raise InvalidInputError("--images", fact, f"Columns are {columns}")
        self._word, self._folders = word, folders

    def thumbnails(self, rows: Iterable[int]) -> dict[int, str]:
        """Data URIs of rows."""
        table = self._table
        assert table is not None
        wanted = np.unique(np.fromiter(rows, dtype=np.int64))
        cells = table.cells(self._word, wanted)
        found = {}
        for row, cell in zip(wanted.tolist(), cells, strict=True):
            name = f"{table.name}, row {row} of column '{shortened(self._word)}'"
            found[row] = thumbnail(name, self._content(cell, partial(InvalidInputError, name)))
        return found

    def _content(self, cell: Any, refuse: partial[InvalidInputError]) -> bytes | Path:
        """The bytes of an image, or its file."""
        if isinstance(cell, Mapping):
            cell = cell.get("bytes") or cell.get("path")
        if isinstance(cell, bytes):
            return cell
        if not isinstance(cell, str):
            kind = "no image" if cell is None else f"{type(cell).__name__}, no image"
            raise refuse(f"holds {kind}", "Name a column of paths or bytes")
        for folder in (Path(), *self._folders):
            if os.path.exists(folder / cell):  # noqa: PTH110  # a name that cannot be is none
                return folder / cell
        raise refuse(f"names {shortened(cell)}, which is neither here nor beside the table")


Images = Folder | Column


def check_pillow() -> None:
    """Refuse images where Pillow is missing."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError as err:
        fix = "Install it with pip install 'fast-select[report]'"
        raise InvalidInputError("--images", "needs Pillow to read images", fix) from err


def thumbnail(name: str, source: bytes | Path) -> str:
    """An image as small as a thumbnail, as a data URI; `name`: what an error calls it."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            small = ImageOps.exif_transpose(_in_bytes(image))
            small.thumbnail((SIZE, SIZE))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as err:
        reason = " ".join(str(getattr(err, "strerror", None) or err).split())
        raise InvalidInputError(name, f"cannot be read as an image ({shortened(reason)})") from err
    made = {"png": _encoded(small, "png", optimize=True)}
    if small.mode in ("L", "RGB"):
        made["jpeg"] = _encoded(small, "jpeg", quality=85)
    form = min(made, key=lambda form: len(made[form]))
    return f"data:image/{form};base64,{base64.b64encode(made[form]).decode('ascii')}"


def _in_bytes(image: Any) -> Any:
    """The image in levels of eight bits."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=float)
        low, high = np.nanmin(values), np.nanmax(values)
        scaled = (values - low) * (255 / (high - low) if high > low else 0.0)
        from PIL import Image

        return Image.fromarray(np.nan_to_num(scaled).astype(np.uint8))
    if image.mode in ("L", "RGB", "RGBA"):
        image.load()
        return image
    has_alpha = "A" in image.mode or "a" in image.mode or "transparency" in image.info
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGBA" if has_alpha else "RGB")


def _encoded(image: Any, form: str, **how: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **how)
    return file.getvalue()


def _files_in(folder: Path) -> list[Path]:
    """Files of a folder and of those within it, in natural order of each part of their names."""
    try:
        entries = sorted(folder.iterdir(), key=natural_order)
    except OSError as err:
        raise InvalidInputError(str(folder), f"cannot be read ({err.strerror})") from err
    files: list[Path] = []
    for entry in entries:
        files += _files_in(entry) if entry.is_dir() else [entry]
    return files
