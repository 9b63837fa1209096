"""Text, line by line or as a table: no line is passed over, the odd ones are named."""

from __future__ import annotations

import codecs
import csv
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager

from .._arrays import Refuse
from .npy import BLOCK, Readable

LONGEST_LINE = 64 << 20
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
BOM = "\ufeff"
DELIMITERS = "\t;,"
"""What may part columns: the first of these that the first line holds outside quotes."""

SPACE = "".join(
    map(chr, (0x09, 0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000))
)
"""The tab and all that Unicode calls a space; not what it calls a line's end."""

QUOTE = "Quote cells that hold commas, semicolons or tabs"
OPEN_QUOTE = "opens a quote that it does not close"

MARKS = re.compile('[\t;,"]')
QUOTED = re.compile(r'"[^"]*"')
QUOTE_END = re.compile(r'[^"]*(?:""[^"]*)*"(?!")')
LINE_END = re.compile(r"\r\n|\r|\n")
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
UNSEEN = {
    "\0": ("a NUL byte", "Save it as UTF-8 text"),
    BOM: ("a byte order mark", "Split files that were joined"),
}
"""Characters that stand in quotes only, what they are called, and the fix where they do not."""


class Table:
    """Cells of a text: one a line, or several, parted as in the first line.

    Cells have no space around them; quotes are those of CSV, in which a cell may hold line ends.
    All lines have as many cells as the first. `first`, `second`: the cells of these lines, where
    there is a second.
    """

    def __init__(self, file: Readable, refuse: Refuse) -> None:
        self._refuse = refuse
        self._lines = Lines(file, refuse)
        self._blocks = self._lines.blocks()
        lines = next(self._blocks, [])
        if len(lines) == 1:
            lines += next(self._blocks, [])
        if not lines:
            raise refuse("is empty")
        self._delimiter = self._lines.delimiter
        self._ahead = lines[1:]
        self._first = self._cells(lines[:1], 1)[0]
        self.first = _stripped(self._first)
        self.second = _stripped(self._cells(lines[1:2], 2)[0]) if self._ahead else None

    def column(self, at: int, *, as_written: bool = False) -> Iterator[list[str]]:
        """Cells of a column in the lines after the first, some thousand at a time.

        `as_written`: with the space around them.
        """
        number = 2
        for lines in self._rest():
            if len(self.first) == 1 and not MARKS.search("".join(lines)):
                cells = lines
            else:
                cells = [row[at] for row in self._cells(lines, number)]
            yield cells if as_written else _stripped(cells)
            number += len(lines)

    def first_cell(self, at: int) -> str:
        """A cell of the first line, as it is written."""
        return self._first[at]

    def rows(self) -> Iterator[list[list[str]]]:
        """Cells of the lines after the first, some thousand lines at a time."""
        number = 2
        for lines in self._rest():
            yield [_stripped(row) for row in self._cells(lines, number)]
            number += len(lines)

    def place(self, number: int) -> str:
        """Where the line `number` of cells begins, in lines of the file."""
        return f"line {self._lines.place(number)}"

    def _rest(self) -> Iterator[list[str]]:
        if self._ahead:
            yield self._ahead
        yield from self._blocks

    def _cells(self, lines: list[str], number: int) -> list[list[str]]:
        """Cells of lines, of which the first is line `number`; space around them stays."""
        if '"' in "".join(lines):
            rows = self._quoted(lines, number)
        elif self._delimiter is None:
            rows = [[line] for line in lines]
        else:
            rows = [line.split(self._delimiter) for line in lines]
        width = len(self._first) if number > 1 else len(rows[0])
        if set(map(len, rows)) != {width}:
            at, row = next((at, row) for at, row in enumerate(rows, number) if len(row) != width)
            fact = f"has another number of columns ({len(row)}) than line 1 ({width})"
            raise self._refuse(f"{self.place(at)} {fact}", QUOTE)
        if self._delimiter is None:
            for at, mark in enumerate(map(delimiter_of, lines), number):
                if mark is not None:
                    fact = f"{self.place(at)} holds {mark!r} where line 1 has one column"
                    raise self._refuse(fact, QUOTE)
        return rows

    def _quoted(self, lines: list[str], number: int) -> list[list[str]]:
        """Cells of lines with quotes, by the rules of CSV."""
        rows: list[list[str]] = []
        mark = self._delimiter or ","
        reader = csv.reader(lines, delimiter=mark, strict=True, skipinitialspace=True)
        try:
            with long_cells():
                rows.extend(reader)
        except csv.Error as err:
            place = self.place(number + len(rows))
            raise self._refuse(f"{place} is no line of CSV ({err})") from err
        return rows


@contextmanager
def long_cells() -> Iterator[None]:
    """Let the csv module read cells as long as lines may be, not 131072 characters."""
    limit = csv.field_size_limit(LONGEST_LINE)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def delimiter_of(line: str) -> str | None:
    """What parts the columns of a line, outside quotes; None where there is one."""
    bare = QUOTED.sub("", line)
    return next((mark for mark in DELIMITERS if mark in bare), None)


def _stripped(cells: list[str]) -> list[str]:
    return [cell.strip(SPACE) for cell in cells]


class Lines:
    r"""Lines of a text, without their ends: \n, \r\n or \r, nothing else that Unicode calls one.

    Ends in quotes part no lines; blank lines at the end are left out. `delimiter`: what parts
    columns, known with the first line.
    """

    def __init__(self, file: Readable, refuse: Refuse) -> None:
        self._file, self._refuse = file, refuse
        self.delimiter: str | None = None
        self._cell_start = re.compile(f'(?:^|[{DELIMITERS}]) *"')
        # Lines with ends in quotes, by their numbers, and how many ends there are up to them.
        self._long, self._n_ends = array("q"), array("q")

    def place(self, number: int) -> int:
        """Where line `number` begins, counted by line ends."""
        before = bisect_left(self._long, number)
        return number + (self._n_ends[before - 1] if before else 0)

    def blocks(self) -> Iterator[list[str]]:
        """The lines, a block of the file at a time."""
        count, blank = 0, 0
        for lines in self._whole_lines():
            kept = len(lines)
            while kept and not lines[kept - 1].strip(SPACE):
                kept -= 1
            if kept and not blank:
                blank = next(
                    (count + i for i, line in enumerate(lines[:kept], 1) if not line.strip(SPACE)),
                    0,
                )
            if kept and blank:
                raise self._refuse(f"line {self.place(blank)} is blank", "Remove it, or fill it in")
            if kept < len(lines):
                blank = blank or count + kept + 1
            count += len(lines)
            if kept:
                yield lines[:kept]

    def _whole_lines(self) -> Iterator[list[str]]:
        """The lines, blank ones too."""
        count, begun = 0, ""
        for text in self._texts():
            if not begun and '"' not in text:
                text = text.replace("\r\n", "\n").replace("\r", "\n")
                lines = text.removesuffix("\n").split("\n")
                if not count:
                    self._take_delimiter(lines[0])
            else:
                lines, begun = self._joined(begun, text, count)
            self._check_unseen(lines, count)
            count += len(lines)
            yield lines
        if begun:
            raise self._refuse(f"line {self.place(count + 1)} {OPEN_QUOTE}")

    def _joined(self, begun: str, text: str, count: int) -> tuple[list[str], str]:
        """Lines with quotes, after `count` others, and the line that is not whole yet.

        `begun`: what there was of the first of them.
        """
        lines: list[str] = []
        parts, size = [begun] if begun else [], len(begun)
        for part in LINE.findall(text):
            if parts or self._is_open_after(part, is_open=False):
                is_open = not parts or self._is_open_after(part, is_open=True)
                parts.append(part)
                size += len(part)
                if size > LONGEST_LINE:
                    place = self.place(count + len(lines) + 1)
                    fact = f"line {place} {OPEN_QUOTE} within {LONGEST_LINE} characters"
                    raise self._refuse(fact)
                if is_open:
                    continue
                part = "".join(parts)
                parts, size = [], 0
            line = part.removesuffix("\n").removesuffix("\r")
            lines.append(line)
            if "\n" in line or "\r" in line:
                self._long.append(count + len(lines))
                n_ends = len(LINE_END.findall(line))
                self._n_ends.append(n_ends + (self._n_ends[-1] if self._n_ends else 0))
            if len(lines) == 1 and not count:
                self._take_delimiter(line)
        return lines, "".join(parts)

    def _is_open_after(self, part: str, *, is_open: bool) -> bool:
        """Whether quotes are open at the end of a part of a line. `is_open`: at its beginning."""
        at = 0
        while True:
            if is_open:
                end = QUOTE_END.match(part, at)
                if end is None:
                    return True
                at = end.end()
            start = self._cell_start.search(part, at)
            if start is None:
                return False
            at, is_open = start.end(), True

    def _take_delimiter(self, line: str) -> None:
        self.delimiter = delimiter_of(line)
        if self.delimiter is not None:
            self._cell_start = re.compile(f'(?:^|{self.delimiter}) *"')

    def _check_unseen(self, lines: list[str], count: int) -> None:
        """Refuse characters that a text has in quotes only."""
        text = "".join(lines)
        for mark, (name, fix) in UNSEEN.items():
            if mark in text:
                for number, line in enumerate(lines, count + 1):
                    if mark in QUOTED.sub("", line):
                        raise self._refuse(f"line {self.place(number)} holds {name}", fix)

    def _texts(self) -> Iterator[str]:
        """The text, some line ends at a time; each part but the last ends with one."""
        pending, number = b"", 1
        begun, ended = False, False
        while not ended:
            data = self._file.read(BLOCK)
            ended = not data
            pending += data
            if not begun:
                if pending.startswith(WIDE):
                    raise self._refuse("is UTF-16 or UTF-32 text", "Save it as UTF-8")
                pending = pending.removeprefix(codecs.BOM_UTF8)
                begun = True
            # The last byte may be the first half of \r\n.
            end = max(pending.rfind(b"\n"), pending.rfind(b"\r", 0, -1)) + 1
            # A device of zeros has no line's end that would have them seen.
            end = len(pending) if ended or not (end or pending.strip(b"\0")) else end
            if len(pending) - end > LONGEST_LINE:
                raise self._refuse(f"line {number} is longer than {LONGEST_LINE} bytes")
            whole, pending = pending[:end], pending[end:]
            if whole:
                yield self._decoded(whole, number)
                number += _n_line_ends(whole)

    def _decoded(self, data: bytes, number: int) -> str:
        """The text of lines, of which the first is line `number`."""
        try:
            return data.decode()
        except UnicodeDecodeError as err:
            line = number + _n_line_ends(data[: err.start])
            raise self._refuse(f"line {line} is no UTF-8", "Save it as UTF-8") from err


def _n_line_ends(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
