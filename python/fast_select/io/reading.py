"""What files of columns share: how one column is read, and why one cannot be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from .._arrays import Refuse
from .._errors import FastSelectError

LONGEST_REASON = 200


class Part(ABC):
    """A file of a table."""

    name: str
    refuse: Refuse
    names: list[str]
    schema: pa.Schema
    n_rows: int

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
