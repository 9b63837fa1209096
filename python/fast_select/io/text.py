"""Text, line by line or as a table: no line is passed over, the odd ones are named."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator

from .._arrays import Refuse
from .npy import BLOCK, Readable

LONGEST_LINE = 64 << 20
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
DELIMITERS = "\t;,"
"""What may part columns: the first of these that the first line holds outside quotes."""

SPACE = "".join(
    map(chr, (0x09, 0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000))
)
"""The tab and all that Unicode calls a space; not what it calls a line's end."""

MARKS = re.compile('[\t;,"]')
QUOTE = "Quote cells that hold commas, semicolons or tabs"
OPEN_QUOTE = "opens a quote that it does not close"


class Table:
    """Cells of a text: one a line, or several, parted as in the first line.

    Cells have no space around them; quotes are those of CSV, within a line. All lines have as many
    cells as the first. `first`, `second`: the cells of these lines, where there is a second.
    """

    def __init__(self, file: Readable, refuse: Refuse) -> None:
        self._refuse = refuse
        self._blocks = _line_blocks(file, refuse)
        lines = next(self._blocks, [])
        if len(lines) == 1:
            lines += next(self._blocks, [])
        if not lines:
            raise refuse("is empty")
        self._delimiter = delimiter_of(lines[0])
        self._ahead = lines[1:]
        self.first = _stripped(self._cells(lines[:1], 1)[0])
        self.second = _stripped(self._cells(lines[1:2], 2)[0]) if self._ahead else None

    def column(self, at: int) -> Iterator[list[str]]:
        """Cells of a column in the lines after the first, some thousand at a time."""
        number = 2
        for lines in self._rest():
            if len(self.first) == 1 and not MARKS.search("".join(lines)):
                yield _stripped(lines)
            else:
                yield [row[at].strip(SPACE) for row in self._cells(lines, number)]
            number += len(lines)

    def rows(self) -> Iterator[list[list[str]]]:
        """Cells of the lines after the first, some thousand lines at a time."""
        number = 2
        for lines in self._rest():
            yield [_stripped(row) for row in self._cells(lines, number)]
            number += len(lines)

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
        width = len(self.first) if number > 1 else len(rows[0])
        if set(map(len, rows)) != {width}:
            at, row = next((at, row) for at, row in enumerate(rows, number) if len(row) != width)
            fact = f"has another number of columns ({len(row)}) than line 1 ({width})"
            raise self._refuse(f"line {at} {fact}", QUOTE)
        if self._delimiter is None:
            for at, mark in enumerate(map(delimiter_of, lines), number):
                if mark is not None:
                    fact = f"line {at} holds {mark!r} where line 1 has one column"
                    raise self._refuse(fact, QUOTE)
        return rows

    def _quoted(self, lines: list[str], number: int) -> list[list[str]]:
        """Cells of lines with quotes, by the rules of CSV."""
        rows: list[list[str]] = []
        mark = self._delimiter or ","
        reader = csv.reader(lines, delimiter=mark, strict=True, skipinitialspace=True)
        try:
            for row in reader:
                if reader.line_num > len(rows) + 1:
                    raise self._refuse(f"line {number + len(rows)} {OPEN_QUOTE}")
                rows.append(row)
        except csv.Error as err:
            fact = OPEN_QUOTE if "unexpected end" in str(err) else f"is no line of CSV ({err})"
            raise self._refuse(f"line {number + len(rows)} {fact}") from err
        return rows


def delimiter_of(line: str) -> str | None:
    """What parts the columns of a line, outside quotes; None where there is one."""
    bare = re.sub(r'"[^"]*"', "", line)
    return next((mark for mark in DELIMITERS if mark in bare), None)


def _stripped(cells: list[str]) -> list[str]:
    return [cell.strip(SPACE) for cell in cells]


def _line_blocks(file: Readable, refuse: Refuse) -> Iterator[list[str]]:
    r"""Lines without their ends, a block of the file at a time; blank ones at the end are left out.

    Lines end with \n, \r\n or \r, with nothing else that Unicode calls a line's end.
    """
    pending, number, blank = b"", 1, 0
    begun, ended = False, False
    while not ended:
        data = file.read(BLOCK)
        ended = not data
        pending += data
        if not begun:
            if pending.startswith(WIDE):
                raise refuse("is UTF-16 or UTF-32 text", "Save it as UTF-8")
            pending = pending.removeprefix(codecs.BOM_UTF8)
            begun = True
        # The last byte may be the first half of \r\n.
        end = max(pending.rfind(b"\n"), pending.rfind(b"\r", 0, -1)) + 1
        # A device of zeros has no line's end that would have them seen.
        end = len(pending) if ended or b"\0" in data else end
        if len(pending) - end > LONGEST_LINE:
            raise refuse(f"line {number} is longer than {LONGEST_LINE} bytes")
        whole, pending = pending[:end], pending[end:]
        whole = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not whole:
            continue
        lines = _decoded(whole, number, refuse).removesuffix("\n").split("\n")
        first = number
        number += len(lines)
        kept = len(lines)
        while kept and not lines[kept - 1].strip(SPACE):
            kept -= 1
        if kept and not blank:
            blank = next(
                (first + i for i, line in enumerate(lines[:kept]) if not line.strip(SPACE)), 0
            )
        if kept and blank:
            raise refuse(f"line {blank} is blank", "Remove it, or fill it in")
        if kept < len(lines):
            blank = blank or first + kept
        if kept:
            yield lines[:kept]


def _decoded(data: bytes, number: int, refuse: Refuse) -> str:
    """The text of whole lines, of which the first is line `number`."""
    nul = data.find(b"\0")
    if nul >= 0:
        line = number + data.count(b"\n", 0, nul)
        raise refuse(f"line {line} holds a NUL byte", "Save it as UTF-8 text")
    mark = data.find(codecs.BOM_UTF8)
    if mark >= 0:
        line = number + data.count(b"\n", 0, mark)
        raise refuse(f"line {line} holds a byte order mark", "Split files that were joined")
    try:
        return data.decode()
    except UnicodeDecodeError as err:
        line = number + data.count(b"\n", 0, err.start)
        raise refuse(f"line {line} is no UTF-8", "Save it as UTF-8") from err
