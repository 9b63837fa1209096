"""What a selection gives: rows, what is known of each, and the report on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ._request import Request


@dataclass(frozen=True, repr=False, eq=False)
class Selection:
    """Selected rows and the report on them.

    ``indices``: row numbers of the input, ascending, int64, (m,). ``report``: what
    ``fast-select`` writes as JSON (README, "The report"). ``labels``, ``ids``: of these rows, (m,).
    ``weights``: how many rows each of them stands for, itself included, int64, (m,). ``rank``:
    place of each in the order in which to take them, from 1, (m,). ``assignment``: for each row of
    the input the selected one that stands for it, int64, (n,); -1 for a row that was left out.
    """

    indices: NDArray[np.int64]
    report: dict[str, Any]
    labels: NDArray[Any] | None = None
    ids: NDArray[Any] | None = None
    weights: NDArray[np.int64] | None = None
    rank: NDArray[np.int64] | None = None
    assignment: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, made: dict[str, Any], report: dict[str, Any], request: Request) -> Selection:
        """What the core has ``made`` of a request, and the report on it."""
        indices = made["indices"]
        return cls(
            indices,
            report,
            labels=None if request.labels is None else request.labels[indices],
            ids=None if request.ids is None else request.ids[indices],
            weights=made["weights"],
            rank=made["rank"],
            assignment=made["assignment"],
        )

    def __str__(self) -> str:
        return f"{self._size()}\n{self.report['verdict']}"

    def __repr__(self) -> str:
        return f"Selection({self._size()})"

    def _repr_html_(self) -> str:
        """The top of the report's page, as notebooks show it."""
        from .page import fragment

        return fragment(self.report)

    def _size(self) -> str:
        n = self.report["input"]["shape"][0]
        return f"{self.indices.size:,} of {n:,} {'row' if n == 1 else 'rows'}"

    def columns(self) -> dict[str, NDArray[Any]]:
        """The selection as a table: ``index`` and what else is known of each row; all (m,).

        Rows are in the order of their ranks, or else ascending.
        """
        table = {
            "index": self.indices,
            "id": self.ids,
            "label": self.labels,
            "weight": self.weights,
            "rank": self.rank,
        }
        order = slice(None) if self.rank is None else np.argsort(self.rank)
        return {name: values[order] for name, values in table.items() if values is not None}
