"""What files of columns share: how one column is read, and why one cannot be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from .._arrays import Refuse
from .._errors import FastSelectError
from .sources import Source

LONGEST_REASON = 200
MOST_ROWS = 1 << 16
"""Rows that are read at a time at most."""

PACKED = 4
"""How much smaller files may be than what they hold."""


class Part(ABC):
    """A file of a table."""

    name: str
    refuse: Refuse
    names: list[str]
    schema: pa.Schema
    n_rows: int
    _source: Source

    @abstractmethod
    def batches(self, names: Sequence[str] | None, n: int) -> Iterator[pa.RecordBatch]:
        """Columns, or all, `n` rows at a time at most."""

    @abstractmethod
    def may_have_nulls(self, name: str) -> bool:
        """Whether it is not known that nothing of a column is missing."""

    def column(self, name: str, n: int) -> Iterator[pa.Array]:
        """A column as it is written."""
        for batch in self.batches([name], n):
            yield batch.column(batch.schema.get_field_index(name))

    def csv_form(self, suffix: str) -> tuple[str, list[str] | None]:
        """What parts the columns of a CSV made of it, and its header."""
        return "\t" if suffix == ".tsv" else ",", self.names

    def rows_in(self, size: int) -> int:
        """Rows that take about `size` bytes with all their columns."""
        packed = self._source.size() / max(1, self.n_rows)
        return max(1, min(MOST_ROWS, int(size / (PACKED * packed + 1))))


@contextmanager
def telling(refuse: Refuse) -> Iterator[None]:
    """Refuse a file for what goes wrong in it."""
    try:
        yield
    except (FastSelectError, MemoryError):
        raise
    except Exception as err:  # pyarrow has a dozen kinds, of several bases
        reason = (getattr(err, "strerror", None) or str(err) or type(err).__name__).split("\n")[0]
        reason = reason.rstrip(".")[:LONGEST_REASON]
        raise refuse(f"cannot be read: damaged, or of a kind that is unknown ({reason})") from err
