"""CSV that is read back as it was, whatever cells hold."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .text import BOM, DELIMITERS, SPACE

MARKS = rf'{DELIMITERS}"\r\n\0{BOM}'
ODD = re.compile(rf"[{MARKS}]|^[{SPACE}]|[{SPACE}]$|^$")
"""What a cell is quoted for: all that may part columns, as readers guess, and space around it."""

PERHAPS_ODD = re.compile(rf"[{MARKS}{SPACE}]")
"""What cells do not hold that need no closer look."""


def csv_lines(columns: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    """Lines of the cells of columns, which are equally long."""
    if len(columns) == 1:
        cells = _quoted(columns[0], is_alone=True)
    else:
        quoted = (_quoted(column, is_alone=False) for column in columns)
        cells = list(map(delimiter.join, zip(*quoted, strict=True)))
    return "".join(f"{line}\n" for line in cells)


def _quoted(cells: Sequence[str], *, is_alone: bool) -> Sequence[str]:
    """Cells in quotes where they need them. `is_alone`: an empty one would be a blank line."""
    if not PERHAPS_ODD.search("".join(cells)) and not (is_alone and "" in cells):
        return cells
    return [_in_quotes(cell) if (cell or is_alone) and ODD.search(cell) else cell for cell in cells]


def _in_quotes(cell: str) -> str:
    escaped = cell.replace('"', '""')
    return f'"{escaped}"'
