"""Parquet files, some rows at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .._errors import InvalidInputError
from .reading import Part, telling
from .sources import Source

BUFFER = 1 << 20
"""Bytes of a column that are read ahead: a row group may be as large as its file."""

MARK, ENCRYPTED = b"PAR1", b"PARE"
"""What a file begins and ends with."""


class ParquetPart(Part):
    """A Parquet file, opened anew each time that it is read: there may be thousands."""

    def __init__(self, source: Source) -> None:
        self.name, self.refuse, self._source = source.name, source.refuse, source
        self._check_ends()
        with self._telling(), self._opened() as file:
            self.schema = file.schema_arrow
            self.names = self.schema.names
            self.n_rows = file.metadata.num_rows

    def batches(self, names: Sequence[str] | None, n: int) -> Iterator[pa.RecordBatch]:
        """Columns, or all, `n` rows at a time at most."""
        columns = None if names is None else list(names)
        with self._telling(), self._opened() as file:
            for batch in file.iter_batches(batch_size=n, columns=columns):
                if names is not None:
                    batch.validate(full=True)  # text may be no UTF-8
                yield batch

    def may_have_nulls(self, name: str) -> bool:
        """Whether it is not known that nothing of a column is missing.

        Statistics would tell, but damaged ones end the process.
        """
        return bool(self.schema.field(name).nullable)

    def _opened(self) -> Any:
        content = self._source.content
        file = str(self._source.path) if content is None else pa.BufferReader(content)
        return pq.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Refuse a file for what goes wrong in it; encrypted columns too."""
        with telling(self.refuse):
            try:
                yield
            except Exception as err:
                if "decrypt" in str(err).lower():  # Arrow's only word of it
                    raise self._encrypted() from err
                raise

    def _encrypted(self) -> InvalidInputError:
        return self.refuse("is encrypted", "Write it without a key")

    def _check_ends(self) -> None:
        """Refuse a file that is encrypted, or not all there."""
        with self._source.binary() as file:
            head = file.read(len(MARK))
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(MARK)))
            tail = file.read()
        if head == ENCRYPTED or tail == ENCRYPTED:
            raise self._encrypted()
        if tail != MARK or size < 3 * len(MARK):
            raise self.refuse("cannot be read: truncated, its end is missing")
