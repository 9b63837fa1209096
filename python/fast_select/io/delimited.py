"""CSV as a table. Cells have no types: all are looked at once, to tell numbers from text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from .._arrow import column_of, flags, made_of_texts
from .._labels import INTEGER, NUMBER
from .reading import Part, telling
from .sources import Source
from .text import QUOTE, delimiter_of, long_cells

BLOCK = 8 << 20
"""Bytes that are read at a time; a line must be shorter."""

MISSING = ["", "NA", "N/A", "#N/A", "n/a", "NaN", "nan", "NAN", "-nan", "NULL", "null", "None"]
MISSING += ["<NA>", "NaT"]
"""What stands for no number."""

MISSING_CELLS = made_of_texts(MISSING, pa.string())
NOTHING = pa.nulls(1, pa.string())[0]
FLAGS = made_of_texts(["0", "1"], pa.string())
"""As Arrow has them; the last are no True and False here."""

LEADING_ZERO = r"^\s*[+-]?0[0-9]"
"""What marks whole numbers as names: 007."""

NUMBER_CELL = r"^[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"

RUNGS = [pa.null(), pa.int64(), pa.float64()]
"""Types of numbers, each of which holds those before it; null is for cells that are all missing."""


class CsvPart(Part):
    """Lines of cells. The first is a header, unless it holds numbers only: then names are 1, 2, ...

    Numbers are int64 or float64, True and False bool; whatever else is text.
    """

    def __init__(self, source: Source) -> None:
        self.name, self.refuse, self._source = source.name, source.refuse, source
        self._read_first_lines()
        self._types = [pa.null() for _ in self.names]
        self._with_missing: set[str] = set()
        self._first_texts: dict[int, tuple[int, str]] = {}
        self._with_numbers: set[int] = set()

    @cached_property
    def n_rows(self) -> int:  # type: ignore[override]
        """Rows; to count them is to look at all cells, which tells their types."""
        n_rows = 0
        for batch in self.texts(None):
            for place, column in enumerate(batch.columns):
                before = self._types[place]
                self._look_at(place, column)
                if self._types[place] == pa.string() and place not in self._first_texts:
                    self._find_text(place, column, n_rows, after_numbers=before in RUNGS[1:])
            n_rows += batch.num_rows
        return n_rows

    @property
    def schema(self) -> pa.Schema:
        """Names of columns and the types of their cells."""
        _ = self.n_rows  # looks at them
        return pa.schema(list(zip(self.names, self._types, strict=True)))

    def batches(self, names: Sequence[str] | None, n: int) -> Iterator[pa.RecordBatch]:
        """Columns, or all, `n` rows at a time at most."""
        fields = list(self.schema) if names is None else list(map(self.schema.field, names))
        for texts in self.texts(names):
            with telling(self.refuse):
                columns = [
                    _converted(column, field.type)
                    for column, field in zip(texts.columns, fields, strict=True)
                ]
                batch = pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))
            for at in range(0, batch.num_rows, n):
                yield batch.slice(at, n)

    def column(self, name: str, n: int) -> Iterator[pa.Array]:
        """A column as whole numbers, or as it is written, without space around cells."""
        if self.schema.field(name).type == pa.int64():
            yield from super().column(name, n)
            return
        for batch in self.texts([name]):
            cells = pc.utf8_trim_whitespace(column_of(batch, name))
            yield pc.if_else(pc.equal(cells, MISSING_CELLS[0]), NOTHING, cells)

    def may_have_nulls(self, name: str) -> bool:
        """Whether some of a column is missing."""
        return name in self._with_missing

    def texts(self, names: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        """Columns, or all, as text, some lines at a time."""
        if self._is_bare:
            return
        inside = [str(place) for place in range(len(self.names))]  # names may come twice
        chosen = inside if names is None else [inside[self.names.index(n)] for n in names]
        content = self._source.content
        with telling(self.refuse), self._telling_the_line():
            reader = pacsv.open_csv(
                str(self._source.path) if content is None else pa.BufferReader(content),
                read_options=pacsv.ReadOptions(
                    block_size=BLOCK, column_names=inside, skip_rows=self._n_skipped
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=self._delimiter, newlines_in_values=True
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(chosen, pa.string()),
                    include_columns=chosen,
                    strings_can_be_null=False,
                ),
            )
            shown = self.names if names is None else list(names)
            for batch in reader:
                yield pa.RecordBatch.from_arrays(batch.columns, names=shown)

    def csv_form(self, suffix: str) -> tuple[str, list[str] | None]:
        """What parts the columns of a CSV made of it, and its header, as in its own."""
        is_own = (suffix == ".tsv") == (self._delimiter == "\t")
        delimiter = self._delimiter if is_own else super().csv_form(suffix)[0]
        return delimiter, self.names if self._has_header else None

    def odd_cell(self, name: str) -> tuple[int, str] | None:
        """The line and text of the first cell that makes a column text."""
        found = self._first_texts.get(self.names.index(name))
        return None if found is None else (self._line_of(found[0]), found[1])

    def has_numbers(self, name: str) -> bool:
        """Whether a column is of numbers, but for a few cells perhaps."""
        return self.names.index(name) in self._with_numbers

    @staticmethod
    def agree(parts: Sequence[CsvPart]) -> None:
        """Give columns of one name the type that holds what all parts write in them."""
        for name in {name for part in parts for name in part.names}:
            own = [(p, i) for p in parts for i, n in enumerate(p.names) if n == name]
            kind = pa.null()
            for part, place in own:
                kind = _wider(kind, part._types[place])
                if part._types[place] in RUNGS[1:]:
                    part._with_numbers.add(place)
            for part, place in own:
                part._types[place] = kind

    def _read_first_lines(self) -> None:
        """Find out how columns are parted and what they are called."""
        with self._source.binary() as file:
            text = io.TextIOWrapper(file, "utf-8-sig", newline="")
            try:
                self._delimiter = delimiter_of(text.readline()) or ","
                text.seek(0)
                reader = csv.reader(text, delimiter=self._delimiter)
                with long_cells():
                    first = next(reader)
                    lines, second = reader.line_num, next(reader, None)
            except UnicodeDecodeError as err:
                raise self.refuse("is no UTF-8 text", "Save it as UTF-8") from err
            except csv.Error as err:
                raise self.refuse(f"begins with no line of CSV ({err})") from err
        if not first:
            raise self.refuse("begins with a blank line", "Remove it")
        first = [cell.strip() for cell in first]
        has_header = _is_header(first, second)
        self.names = first if has_header else [str(i + 1) for i in range(len(first))]
        self._has_header = has_header
        self._n_skipped = lines if has_header else 0
        self._is_bare = has_header and second is None

    def _look_at(self, place: int, column: pa.Array) -> None:
        """Take the cells of a column into account for its type."""
        if (
            self._types[place] in RUNGS[:2]
            and pc.any(pc.match_substring_regex(column, LEADING_ZERO)).as_py()
        ):
            self._types[place] = pa.string()
        for kind in (*RUNGS, pa.bool_()):
            wider = _wider(self._types[place], kind)
            if wider == pa.string():
                continue
            try:
                found = _converted(column, wider)
            except pa.ArrowInvalid:
                continue
            self._types[place] = wider
            if found.null_count:
                self._with_missing.add(self.names[place])
            return
        self._types[place] = pa.string()

    def _find_text(
        self, place: int, column: pa.Array, n_before: int, *, after_numbers: bool
    ) -> None:
        """Note the first cell that is no number, and whether most are, in a column of text."""
        cells = pc.utf8_trim_whitespace(column)
        is_number = flags(pc.match_substring_regex(cells, NUMBER_CELL))
        is_text = ~(is_number | flags(pc.is_in(cells, MISSING_CELLS)))
        if is_text.any():
            row = int(is_text.argmax())
            self._first_texts[place] = n_before + row, cells[row].as_py()
        if after_numbers or is_number.sum() > is_text.sum():
            self._with_numbers.add(place)

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Rows of cells, and the lines that they begin in, the header's too."""
        with self._source.binary() as file, long_cells():
            text = io.TextIOWrapper(file, "utf-8-sig", newline="")
            reader, line = csv.reader(text, delimiter=self._delimiter), 1
            for row in reader:
                if row:  # Arrow passes over blank lines
                    yield line, row
                line = reader.line_num + 1

    def _line_of(self, row: int) -> int:
        """The line in which a row begins: cells may hold line ends."""
        rows = self._lines()
        return next(islice(rows, row + self._has_header, None))[0]

    @contextmanager
    def _telling_the_line(self) -> Iterator[None]:
        """Refuse a file for the line that is odd, which Arrow does not number."""
        try:
            yield
        except pa.ArrowInvalid as err:
            self._check_encoding()
            width = len(self.names)
            with suppress(csv.Error):
                for line, row in self._lines():
                    if len(row) != width:
                        fact = f"line {line} has another number of columns ({len(row)})"
                        raise self.refuse(f"{fact} than line 1 ({width})", QUOTE) from err
            raise

    def _check_encoding(self) -> None:
        """Refuse a file for the first line that is no UTF-8."""
        with self._source.binary() as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as err:
                    raise self.refuse(f"line {number} is no UTF-8", "Save it as UTF-8") from err


def _is_header(first: list[str], second: list[str] | None) -> bool:
    """Whether a first line holds names: not numbers, or 0, 1, 2, ... as pandas calls columns."""
    named = first[1:] if not first[0] else first
    if named == [str(i) for i in range(len(named))] and len(named) > 1:
        is_whole = second is not None and all(INTEGER.fullmatch(cell) for cell in second)
        return len(named) > 2 or not is_whole
    values = [cell for cell in first if cell not in MISSING]
    return not values or not all(map(NUMBER.fullmatch, values))


def _wider(kind: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type that holds the cells of two."""
    if kind in RUNGS and other in RUNGS:
        return max(kind, other, key=RUNGS.index)
    if pa.null() in (kind, other):
        return other if kind == pa.null() else kind
    return kind if kind == other else pa.string()


def _converted(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    """Cells as values of a type, or ArrowInvalid."""
    if kind == pa.string():
        return cells
    if kind == pa.bool_() and pc.any(pc.is_in(cells, FLAGS)).as_py():
        raise pa.ArrowInvalid("holds numbers")
    try:
        if kind != pa.null():
            return cells.cast(kind)
    except pa.ArrowInvalid:  # for missing ones, perhaps
        pass
    cells = pc.utf8_trim_whitespace(cells)
    is_missing = pc.is_in(cells, MISSING_CELLS)
    if kind == pa.null():
        if pc.all(is_missing).as_py() is False:
            raise pa.ArrowInvalid("holds values")
        return pa.nulls(len(cells))
    return pc.if_else(is_missing, NOTHING, cells).cast(kind)
