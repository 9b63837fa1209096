"""Arrow IPC, as a file (Feather too) or as a stream, some rows at a time."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import pyarrow as pa

from .reading import Part, telling
from .sources import Source

MARK = b"ARROW1"
"""What the form of a file begins with; a stream has nothing of the kind."""


class ArrowPart(Part):
    """An Arrow file or stream. It is mapped; what has been read does not stay in memory."""

    def __init__(self, source: Source) -> None:
        self.name, self.refuse, self._source = source.name, source.refuse, source
        with telling(self.refuse):
            self.schema = self._reader(self._bytes(), None).schema
            self.names = self.schema.names

    @cached_property
    def n_rows(self) -> int:  # type: ignore[override]
        """Neither form says how many rows there are; batches do, whichever column is read."""
        fields = list(self.schema)
        lightest = sorted(range(len(fields)), key=lambda place: _weight(fields[place]))[:1]
        with telling(self.refuse):
            return sum(batch.num_rows for batch in self._whole(self._bytes(), lightest))

    @property
    def is_stream(self) -> bool:
        """Whether it is a stream, as those of Hugging Face's datasets are."""
        with self._source.binary() as file:
            return file.read(len(MARK)) != MARK

    def batches(self, names: Sequence[str] | None, n: int) -> Iterator[pa.RecordBatch]:
        """Columns, or all, `n` rows at a time at most."""
        with telling(self.refuse):
            content = self._bytes()
            places = None if names is None else list(map(self.schema.get_field_index, names))
            for batch in self._whole(content, places):
                batch.validate(full=True)  # offsets of a damaged file may lead anywhere
                for at in range(0, batch.num_rows, n):
                    yield batch.slice(at, n)
                    if isinstance(content, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                        content.madvise(mmap.MADV_DONTNEED)

    def may_have_nulls(self, _name: str) -> bool:
        """Whether it is not known that nothing of a column is missing: batches tell when read."""
        return True

    def _whole(self, content: Any, places: Sequence[int] | None) -> Iterator[pa.RecordBatch]:
        """Batches as they are written, of columns in some places, or of all."""
        reader = self._reader(content, places)
        if isinstance(reader, pa.RecordBatchFileReader):
            yield from map(reader.get_batch, range(reader.num_record_batches))
        else:
            yield from reader

    def _reader(self, content: Any, places: Sequence[int] | None) -> Any:
        buffer = pa.py_buffer(content)
        open_form = pa.ipc.open_file if content[: len(MARK)] == MARK else pa.ipc.open_stream
        if places is None:
            return open_form(buffer)
        return open_form(buffer, options=pa.ipc.IpcReadOptions(included_fields=places))

    def _bytes(self) -> Any:
        """What the file holds: mapped, unless it came by a pipe."""
        if self._source.content is not None:
            return self._source.content
        with self._source.binary() as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _weight(field: pa.Field) -> int:
    """Bits of an entry, many where that differs."""
    try:
        return int(field.type.bit_width)
    except ValueError:
        return 1 << 30
