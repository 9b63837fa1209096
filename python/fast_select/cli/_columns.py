"""Tables of which no number is ever cut: one that is wider than the screen becomes several."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

PROSE = 16
"""Width to which a column of words may be narrowed: it wraps."""
FRAME = 3
"""What a column takes beyond its width, and one more for the table."""
UNBOUNDED = 1 << 15


@dataclass(frozen=True)
class Column:
    """A column of words, which wrap where there is no room, or of numbers, which never do."""

    header: str
    cells: Sequence[str]
    is_words: bool = False
    bold: Sequence[bool] = ()
    """Which cells stand out; none unless given."""

    @property
    def natural(self) -> int:
        """Width in which nothing wraps."""
        return max(map(cell_len, (self.header, *self.cells)))

    @property
    def least(self) -> int:
        """Width in which nothing is lost."""
        return min(self.natural, PROSE) if self.is_words else self.natural


@dataclass(frozen=True)
class Sheet:
    """A table, before it is known how wide the screen is."""

    title: str
    columns: Sequence[Column]
    has_total: bool = False
    """Whether the last row stands apart."""
    caption: str = ""


def console_on(stream: IO[str]) -> Console:
    """A console as wide as the screen, or as COLUMNS says; without bounds in a file or pipe."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return Console(file=stream, width=int(columns))
    console = Console(file=stream)
    return console if console.is_terminal else Console(file=stream, width=UNBOUNDED)


def print_sheet(stream: IO[str], sheet: Sheet) -> None:
    """Print a table, or several that all begin with the first column."""
    width = console_on(stream).width
    parts = list(_parts(sheet.columns, width))
    for k, part in enumerate(parts):
        widths = _widths(part, width)
        table = Table(
            title=Text(sheet.title) if k == 0 else None,
            title_justify="left",
            caption=Text(sheet.caption) if sheet.caption and part is parts[-1] else None,
            caption_justify="left",
        )
        for column, own in zip(part, widths, strict=True):
            table.add_column(
                Text(column.header),
                justify="left" if column.is_words else "right",
                overflow="fold",
                width=own,
            )
        for i in range(len(part[0].cells)):
            if sheet.has_total and i + 1 == len(part[0].cells):
                table.add_section()
            table.add_row(*(_cell(column, i) for column in part))
        # A screen that is narrower than words and one number wraps the lines: nothing is lost.
        needed = 1 + sum(FRAME + own for own in widths)
        Console(file=stream, width=max(width, needed)).print(table)


def _parts(columns: Sequence[Column], width: int) -> Iterator[list[Column]]:
    """The columns of each table: the first, and as many others as fit beside it, one at least."""
    first, *others = columns
    part = [first]
    for column in others:
        taken = 1 + sum(FRAME + c.least for c in (*part, column))
        if taken > width and len(part) > 1:
            yield part
            part = [first]
        part.append(column)
    yield part


def _widths(part: Sequence[Column], width: int) -> list[int]:
    """Widths of the columns: words get what room the others leave."""
    room = width - 1 - sum(FRAME + column.least for column in part)
    widths = []
    for column in part:
        more = max(0, min(room, column.natural - column.least))
        widths.append(column.least + more)
        room -= more
    return widths


def _cell(column: Column, i: int) -> Text:
    is_bold = i < len(column.bold) and column.bold[i]
    return Text(column.cells[i], style="bold" if is_bold else "")
