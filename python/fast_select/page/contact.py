"""Pictures of rows: of some that were selected, and of those farthest from all that were."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from .._errors import InvalidInputError
from .._text import figure
from .images import Images
from .told import Told

SHOWN = 24
"""Pictures of a sheet."""


@dataclass(frozen=True)
class Contact:
    """Thumbnails by row, and which rows a page shows: picks, and others with their pick."""

    thumbnails: dict[int, str]
    picks: Sequence[int]
    farthest: Sequence[dict[str, Any]]

    @classmethod
    def of(cls, told: Told, images: Images, picks: Sequence[int]) -> Contact:
        """Read the images of some of `picks`, and of the rows that are worst covered."""
        distances = told.report["quality"]["distances"] or {}
        farthest = (distances.get("farthest") or [])[:SHOWN]
        rows = {*picks, *(e["row"] for e in farthest), *(e["pick"] for e in farthest)}
        n_rows = told.report["input"]["shape"][0]
        for row in rows:
            if not 0 <= row < n_rows:
                raise InvalidInputError(told.path, f"has row {row} of an input of {n_rows} rows")
        return cls(images.thumbnails(sorted(rows)), picks, farthest)

    def html(self) -> str:
        """The sheets of the page."""
        parts = []
        if self.picks:
            cells = "".join(f"<div>{self._image(row)}{row}</div>" for row in self.picks)
            parts.append(f'<h3>Selected rows</h3><div class="sheet">{cells}</div>')
        else:
            parts.append('<p class="remark">The report does not list the rows selected.</p>')
        if self.farthest:
            pairs = "".join(map(self._pair, self.farthest))
            title = "Rows that are worst covered, each beside the selected row nearest to it"
            unit = "Distances are in units of the median distance of rows."
            parts.append(
                f'<h3>{title}</h3><div class="sheet">{pairs}</div><p class="remark">{unit}</p>'
            )
        else:
            text = "The report does not list the rows that are worst covered."
            parts.append(f'<p class="remark">{text}</p>')
        return "".join(parts)

    def _pair(self, entry: dict[str, Any]) -> str:
        row, pick = entry["row"], entry["pick"]
        images = f"<div>{self._image(row)}{row}</div><div>{self._image(pick)}{pick}</div>"
        return f'<div><div class="pair">{images}</div>{figure(entry["distance"], 2)}</div>'

    def _image(self, row: int) -> str:
        return f'<img src="{html.escape(self.thumbnails[row])}" alt="row {row}" loading="lazy">'


def spread(rows: Sequence[int], classes: Sequence[int] | None = None) -> list[int]:
    """As many rows as a sheet shows, evenly from all; of classes one after the other.

    >>> spread(range(240))[:3], spread([5, 8, 9], [0, 0, 1])
    ([0, 10, 20], [5, 9, 8])
    """
    if classes is None:
        step = max(1.0, len(rows) / SHOWN)
        return [rows[int(k * step)] for k in range(min(SHOWN, len(rows)))]
    by_class: dict[int, list[int]] = {}
    for row, code in zip(rows, classes, strict=True):
        by_class.setdefault(code, []).append(row)
    turns = zip_longest(*(by_class[code] for code in sorted(by_class)))
    return [row for row in chain.from_iterable(turns) if row is not None][:SHOWN]
