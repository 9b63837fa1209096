"""Members that have died, by what they had."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from .._errors import ComputationError
from .notes import held

START = ""


class Deaths:
    """How many members died on each piece of work."""

    def __init__(self) -> None:
        import dask

        self._allowed: int = dask.config.get("distributed.scheduler.allowed-failures", 3)
        self._on: Counter[str] = Counter()

    def count(self, notes: Path, *, is_last: bool = False) -> None:
        """Count one that has left these notes; ``is_last``: Dask has counted, and starts no more.

        Those that had nothing are not counted: a cluster may lose many in a long run.

        Raises
        ------
        ComputationError
            Where more died on a piece than Dask's configuration allows.
        """
        pieces = held(notes)
        for piece in [START] if pieces is None else pieces:
            self._on[piece] += self._allowed + 1 if is_last else 1
            if self._on[piece] > self._allowed:
                what = f"while they had {piece}" if piece else "before they had begun"
                fact = f"{self._on[piece]} workers died, one after the other, {what}"
                fix = "Look at their logs; with {max_memory} each takes no more than it may"
                raise ComputationError("cluster", fact, fix)
