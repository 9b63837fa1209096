"""Several matrices as one, of which rows can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Stacked:
    """Matrices of one type and width, one below the other, each where it lies.

    `parts`: the matrices; `dtype`: of the first, as the byte order of others may differ. The core
    takes it as it is, and `numpy.asarray` makes one matrix of it.

    >>> x = Stacked([np.eye(2), np.zeros((1, 2))])
    >>> x.shape, x[1:].tolist(), x[np.array([2, 0])].tolist()
    ((3, 2), [[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]])
    """

    def __init__(self, parts: Sequence[NDArray[Any]]) -> None:
        self.parts = tuple(parts)
        self.dtype: np.dtype[Any] = parts[0].dtype
        self._starts = np.cumsum([0, *map(len, parts)])
        self.shape = (int(self._starts[-1]), parts[0].shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Bytes of all parts."""
        return sum(part.nbytes for part in self.parts)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """A copy of rows, by a slice or row numbers, with columns behind a comma."""
        if isinstance(key, tuple):
            rows, columns = key
            return self[rows][:, columns]
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1:
                return self._between(start, max(start, stop))
            key = np.arange(start, stop, step)
        return self._at(key)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("several matrices become one by a copy only")
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)

    def _between(self, start: int, stop: int) -> NDArray[Any]:
        out = np.empty((stop - start, self.shape[1]), self.dtype)
        at, place = start, int(np.searchsorted(self._starts, start, "right")) - 1
        while at < stop:
            first = int(self._starts[place])
            own = self.parts[place][at - first : stop - first]
            out[at - start : at - start + len(own)] = own
            at, place = at + len(own), place + 1
        return out

    def _at(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        place = np.searchsorted(self._starts, rows, "right") - 1
        order = np.argsort(place, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(place[order])) + 1):
            if group.size:
                own = place[group[0]]
                out[group] = self.parts[own][rows[group] - self._starts[own]]
        return out


Matrix = NDArray[Any] | Stacked
"""What rows are read from."""


def stacked(parts: Sequence[NDArray[Any]]) -> Matrix:
    """The parts as one; a single one as it is."""
    return parts[0] if len(parts) == 1 else Stacked(parts)
