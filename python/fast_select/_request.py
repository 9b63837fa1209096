"""What is asked of a selection beside its size and options: arrays with an entry for each row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import refused
from ._hashes import hash_of_labels, hash_of_rows
from ._ids import Ids, ids_of
from ._labels import Labels, labels_of
from ._rows import row_numbers


@dataclass(frozen=True)
class Request:
    """Classes, groups and names of n rows, and numbers of rows to include and to exclude."""

    labels: Labels | None
    groups: Labels | None
    ids: Ids | None
    include: NDArray[np.int64] | None
    exclude: NDArray[np.int64] | None

    @classmethod
    def taken_from(cls, options: dict[str, Any], ids: Any, n: int) -> Request:
        """What the options hold of it, which is taken out of them."""

        def read(name: str, reader: Any, value: Any) -> Any:
            return None if value is None else reader(value, partial(refused, name))

        def rows(value: Any, refuse: Any) -> NDArray[np.int64]:
            return row_numbers(value, n, refuse)

        labels, groups, include, exclude = (
            read(name, reader, options.pop(name, None))
            for name, reader in (
                ("labels", partial(labels_of, n=n)),
                ("groups", partial(labels_of, n=n)),
                ("include", rows),
                ("exclude", rows),
            )
        )
        return cls(labels, groups, read("ids", partial(ids_of, n=n), ids), include, exclude)

    @property
    def classes(self) -> NDArray[Any] | None:
        """The classes that there are."""
        return None if self.labels is None else self.labels.classes

    @property
    def codes(self) -> NDArray[np.int64] | None:
        """The class of each row, by its place among them, (n,)."""
        return None if self.labels is None else self.labels.codes

    @property
    def is_constrained(self) -> bool:
        """Whether some rows may be selected and others not."""
        return any(each is not None for each in (self.groups, self.include, self.exclude))

    def arrays(self) -> dict[str, NDArray[np.int64] | None]:
        """What of it the core takes, by its keywords."""
        return {
            "labels": self.codes,
            "groups": None if self.groups is None else self.groups.codes,
            "include": self.include,
            "exclude": self.exclude,
        }

    def given(self) -> dict[str, Labels | NDArray[np.int64] | None]:
        """What of it a selection depends on, by the options that have it."""
        return {"labels": self.labels, "groups": self.groups, **dict(self._rows())}

    def counts(self) -> dict[str, int | None]:
        """How much there is of it, for the report."""
        of = {name: 0 if rows is None else np.unique(rows).size for name, rows in self._rows()}
        return {
            "n_included": of["include"],
            "n_excluded": of["exclude"],
            "n_groups": None if self.groups is None else int(np.unique(self.groups.codes).size),
        }

    def hashes(self) -> dict[str, str | None]:
        """Hashes of what it holds; ids have no part in a selection."""
        return {
            "labels": hash_of_labels(self.labels),
            "groups": hash_of_labels(self.groups),
            **{name: hash_of_rows(rows) for name, rows in self._rows()},
        }

    def within(self, indices: NDArray[np.int64], n: int) -> Request:
        """The same for a selection from the rows ``indices``, of n."""
        left_out = np.ones(n, dtype=bool)
        left_out[indices] = False
        return replace(self, exclude=np.flatnonzero(left_out))

    def _rows(self) -> tuple[tuple[str, NDArray[np.int64] | None], ...]:
        return ("include", self.include), ("exclude", self.exclude)
