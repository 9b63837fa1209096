"""Making a selection again from its report, and telling what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._arrays import Refuse
from ._checks import as_rows, checked
from ._errors import ComputationError, InvalidInputError, core_errors, refused
from ._hashes import hash_of_labels, hash_of_rows
from ._idle import IDLE
from ._labels import labels_of
from ._reports import checked_report
from ._rows import row_numbers
from ._run import Progress, check_watchers
from ._select import select, select_nested
from ._selection import Selection
from ._stacked import Matrix
from .report import ROUNDING

LISTED = 5
"""Rows that a difference names."""


@dataclass(frozen=True)
class Difference:
    """What is not as it was: ``what``, the matter with it, and a fix where there is one."""

    what: str
    fact: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.fact}." + (f" {self.fix}." if self.fix else "")


@dataclass(frozen=True)
class Verification:
    """Whether a selection can be made again.

    ``same``: nothing it is made of differs, and the same rows are selected. ``differences``: what
    does, ``notes``: what else may matter. ``count`` of ``n_rows``: its size, ``seed``, and the
    ``version`` and ``instruction_set`` by which it was made again.
    """

    same: bool
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    count: int
    n_rows: int
    seed: int
    version: str
    instruction_set: str

    def __str__(self) -> str:
        by = f"seed {self.seed}, fast-select {self.version}, {self.instruction_set}"
        head = "The same rows" if self.same else "Not the same"
        lines = [f"{head}: {self.count:,} of {self.n_rows:,} ({by})"]
        return "\n".join([*lines, *map(str, self.differences), *self.notes])


@dataclass(frozen=True)
class Record:
    """What a report tells of how its selection was made. Hashes of old reports are missing."""

    name: str
    shape: list[int]
    dtype: str
    options: Mapping[str, Any]
    hashes: Mapping[str, Any]
    named: Mapping[str, Any]
    """How its files were named; empty where it was made from Python."""
    files_sha256: str | None
    count: int
    rows_hash: str | None
    indices_file: str | None
    ratios: list[float] | None
    """All that it was nested with."""
    figures: Mapping[str, Any]
    version: str
    instruction_set: str

    @classmethod
    def of(cls, report: Any, name: str = "report") -> Record:
        """What a report, as it was parsed, tells; refused if it is none of a selection."""
        refuse = partial(InvalidInputError, name)
        report = checked_report(report, name)

        def at(path: str, *kinds: type) -> Any:
            value: Any = report
            for key in path.split("."):
                if not isinstance(value, Mapping) or key not in value:
                    if type(None) in kinds:
                        return None
                    raise refuse(f"has no '{path}': it is not whole, or no report of a selection")
                value = value[key]
            if not isinstance(value, kinds) or isinstance(value, bool):
                raise refuse(f"has {type(value).__name__} in '{path}', which is none of ours")
            return value

        nothing = type(None)
        options = at("options", Mapping)
        if "method" not in options:
            fact = "is no report of a selection"
            raise refuse(fact, "Name what select has written, not evaluate")
        shape = at("input.shape", list, tuple)
        if len(shape) != 2 or not all(type(size) is int for size in shape):
            raise refuse(f"has {shape} in 'input.shape', which is no shape of a matrix")
        ratios = at("selection.ratios", list, tuple, nothing)
        return cls(
            name=name,
            shape=list(shape),
            dtype=at("input.dtype", str),
            options=options,
            hashes=at("input.hashes", Mapping, nothing) or {},
            named=at("input.named", Mapping, nothing) or {},
            files_sha256=at("input.sha256", str, nothing),
            count=at("selection.count", int),
            rows_hash=at("selection.sha256", str, nothing),
            indices_file=at("selection.file", str, nothing),
            ratios=None if ratios is None else list(ratios),
            figures=at("quality.selection", Mapping),
            version=at("tool.version", str),
            instruction_set=at("tool.instruction_set", str),
        )


def verify(
    report: Mapping[str, Any],
    X: ArrayLike,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    **arrays: ArrayLike | None,
) -> Verification:
    """Select the rows of ``X`` again as ``report`` tells, and compare what can differ.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(500, 8))
    >>> report = select(x, ratio=0.1, n_random=2).report
    >>> verify(report, x.astype(np.float64)).same
    True
    >>> x[7, 3] += 1e-9
    >>> print(verify(report, x).differences[0])
    values: are not those that it was made from.

    Parameters
    ----------
    report : what :attr:`Selection.report` holds, or was written as JSON
    X, threads, progress : as for :func:`select`
    arrays : ``labels``, ``include``, ``exclude``: as they were given to :func:`select`, in any form

    Where no instruction set is in use yet, the report's is used if this machine has it.

    Raises
    ------
    InvalidInputError
        For what is no report of a selection, or arrays that cannot be used.
    ComputationError
        Where a computation fails.
    """
    record = Record.of(report)
    prefer_instruction_set(record)
    check_watchers(progress, None)
    return Replay(as_rows(X), threads, progress).outcome(record, arrays)


def prefer_instruction_set(record: Record) -> None:
    """Use the report's instruction set, if the machine has it and none is in use yet."""
    _core.prefer_instruction_set(record.instruction_set)


class Replay:
    """Selections that are made again from the matrix `x`, those that are nested together."""

    def __init__(
        self, x: Matrix, threads: int | None = None, progress: Progress | None = None
    ) -> None:
        self._x, self._progress = x, progress
        self._threads: int = checked("select", {"threads": threads}).values()["threads"]
        self._made: dict[str, list[Selection]] = {}
        """By the options, those of several ratios."""

    def has_shape(self, record: Record) -> bool:
        """Whether the matrix has as many rows and columns as the one that was selected from."""
        return list(self._x.shape) == record.shape

    def outcome(
        self,
        record: Record,
        arrays: Mapping[str, Any],
        *,
        rows: NDArray[np.int64] | None = None,
        files_sha256: str | None = None,
    ) -> Verification:
        """What differs. `rows`: those that were selected, where they are known."""
        found: list[Difference] = []
        notes: list[str] = []
        if self.has_shape(record):
            given = self._arrays(arrays)
            found += compared_arrays(record, given)
            self._compare_values(record, files_sha256, found, notes)
            selected = self._selected(record, given, found)
            if selected is not None:
                found += compared_options(record, selected)
                found += compared_rows(record, selected, rows)
        else:
            now, then = tuple(self._x.shape), tuple(record.shape)
            found.append(Difference("values", f"have shape {now} where it was made from {then}"))
        info = _core.info()
        return Verification(
            same=not found,
            differences=tuple(found),
            notes=(*notes, *tool_notes(record, info)),
            count=record.count,
            n_rows=record.shape[0],
            seed=record.options.get("seed", 0),
            version=info["version"],
            instruction_set=info["instruction_set"],
        )

    def _arrays(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays that are given, checked."""
        kinds = array_kinds()
        for name in arrays.keys() - kinds.keys():
            raise InvalidInputError("verify", f"has no option '{name}'")
        return {
            name: HASHED[kinds[name]].checked(
                value, partial(InvalidInputError, name, is_parameter=True), self._x.shape[0]
            )
            for name, value in arrays.items()
            if value is not None
        }

    def _compare_values(
        self,
        record: Record,
        files_sha256: str | None,
        found: list[Difference],
        notes: list[str],
    ) -> None:
        then = record.hashes.get("values")
        if then is not None:
            with core_errors():
                now = _core.values_hash(self._x, self._threads, progress=self._progress)
            if now != then:
                found.append(Difference("values", "are not those that it was made from"))
            elif str(self._x.dtype) != record.dtype:
                notes.append(f"The values are the same, as {self._x.dtype} and {record.dtype}.")
        elif files_sha256 is None or record.files_sha256 is None:
            notes.append("The report has no hash of the values: they are not compared.")
        else:
            notes.append("The report has no hash of the values: the bytes of files are compared.")
            if files_sha256 != record.files_sha256:
                found.append(Difference("values", "are in files of other bytes"))

    def _selected(
        self, record: Record, given: Mapping[str, Any], found: list[Difference]
    ) -> Selection | None:
        """The selection, made again; None where that is refused, as the input is another."""
        known = {entry["name"] for entry in _core.option_table("select")} - IDLE
        options = {name: value for name, value in record.options.items() if name in known}
        try:
            return self._made_again(record, options, given)
        except (InvalidInputError, ComputationError) as err:
            if found:
                found.append(Difference("rows", f"cannot be selected ({err.what}: {err.fact})"))
                return None
            if isinstance(err, ComputationError):
                raise
            fact = f"cannot be followed ({err.what}: {err.fact})"
            raise InvalidInputError(record.name, fact) from err

    def _made_again(
        self, record: Record, options: dict[str, Any], given: Mapping[str, Any]
    ) -> Selection:
        how = {**given, "n_random": 0, "threads": self._threads, "progress": self._progress}
        if record.ratios is None:
            return select(self._x, **options, **how)
        own = options.pop("ratio", None)
        if own not in record.ratios:
            raise refused("ratio", f"{own} is none of {record.ratios}")
        key = repr((record.ratios, sorted(options.items(), key=itemgetter(0))))
        if key not in self._made:
            self._made[key] = select_nested(self._x, ratios=record.ratios, **options, **how)
        return self._made[key][record.ratios.index(own)]


@dataclass(frozen=True)
class Hashed:
    """A kind of array: how it is checked, for n rows, and hashed."""

    checked: Callable[[Any, Refuse, int], Any]
    hash_of: Callable[[Any], str | None]


HASHED = {
    "labels": Hashed(lambda values, refuse, n: labels_of(values, refuse, n), hash_of_labels),
    "rows": Hashed(lambda values, refuse, n: row_numbers(values, n, refuse), hash_of_rows),
}
"""By the kind that the table of options has for them."""


def array_kinds() -> dict[str, str]:
    """Kinds of the arrays that a selection takes beside its matrix, by their keywords."""
    table = _core.option_table("select")
    return {entry["name"]: entry["kind"] for entry in table if entry["kind"] in HASHED}


def compared_arrays(record: Record, given: Mapping[str, Any]) -> Iterator[Difference]:
    """Arrays beside the matrix that are not those of the report, as far as it has their hashes."""
    for name, kind in array_kinds().items():
        now = HASHED[kind].hash_of(given.get(name))
        then = record.hashes.get(name, now)
        if now != then and now is None:
            yield Difference(name, "are missing: it was made with some")
        elif now != then and then is None:
            yield Difference(name, "are given: it was made without")
        elif now != then:
            yield Difference(name, "are not those that it was made with")


def compared_options(record: Record, selected: Selection) -> Iterator[Difference]:
    """Options that the report has and this version has not."""
    for name in sorted(record.options.keys() - selected.report["options"].keys()):
        fact = f"has {record.options[name]!r} for '{name}', which this version does not know"
        yield Difference("options", fact)


def compared_rows(
    record: Record, selected: Selection, rows: NDArray[np.int64] | None
) -> Iterator[Difference]:
    """Whether other rows are selected, and if `rows` were, how many of them."""
    now = selected.indices
    if record.rows_hash is not None and hash_of_rows(now) == record.rows_hash:
        return
    if rows is not None:
        lost = np.setdiff1d(rows, now)
        if lost.size:
            first = ", ".join(map(str, lost[:LISTED])) + ", ..." * (lost.size > LISTED)
            verb = "is" if lost.size == 1 else "are"
            many = f"{lost.size} of {rows.size}"
            yield Difference("rows", f"{many} {verb} not selected again ({first})")
        elif now.size != rows.size:
            yield Difference("rows", f"are {now.size} where {rows.size} were selected")
    elif record.rows_hash is not None:
        yield Difference("rows", "are not those that were selected")
    else:
        figures = selected.report["quality"]["selection"]
        if not all(_close(figures.get(name), then) for name, then in record.figures.items()):
            yield Difference("rows", "have other figures of quality")


def tool_notes(record: Record, info: Mapping[str, Any]) -> Iterator[str]:
    """What may be why other rows are selected: the version and the instruction set."""
    if record.version != info["version"]:
        yield f"It was made by fast-select {record.version}, and again by {info['version']}."
    then, now = record.instruction_set, info["instruction_set"]
    if then != now:
        available = _core.instruction_sets()
        if then in available:
            hint = f"FAST_SELECT_INSTRUCTION_SET={then} has it made as it was"
        else:
            hint = f"this machine has {' and '.join(available)}, not {then}"
        yield f"It was made on {then}, and again on {now}: {hint}."


def _close(now: Any, then: Any) -> bool:
    """Whether figures are the same within rounding."""
    if not isinstance(then, (int, float)) or not isinstance(now, (int, float)):
        return bool(now == then)
    return abs(now - then) <= ROUNDING * max(abs(now), abs(then), 1.0)
