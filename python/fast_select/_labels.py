"""Labels of whatever form as codes of classes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import EXACT, Refuse, as_array, is_arrow, is_missing
from ._errors import refused
from ._interchange import brought, converting

INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,300})")
NUMBER = re.compile(
    r"[+-]?(?:(?:(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?"
    r"|(?i:inf|infinity))"
)
"""Numbers written as text. 007 is none: leading zeros mark names."""

MISSING = frozenset({"nan", "NaN", "NAN", "<NA>", "NaT"})
"""What numpy and pandas write for a missing value."""

KINDS = {str: "text", bytes: "bytes", bool: "a number", int: "a number", float: "a number"}


@dataclass(frozen=True)
class Labels:
    """The class of each row: ``classes[codes]``.

    ``codes``: (n,) from 0. ``classes``: those that occur, in ascending order.
    """

    codes: NDArray[np.int64]
    classes: NDArray[Any]

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """The labels of rows."""
        return self.classes[self.codes[rows]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The labels row by row."""
        return self.classes[self.codes].astype(dtype or self.classes.dtype, copy=False)


def plain(label: Any) -> Any:
    """A label as JSON knows it: numpy's scalars as numbers, bytes as text."""
    value = label.item() if isinstance(label, np.generic) else label
    return value.decode(errors="replace") if isinstance(value, bytes) else value


class Codes(dict[Any, int]):
    """Numbers 0, 1, ... for values, in the order in which they come."""

    def __missing__(self, value: Any) -> int:
        """The number of a value that is new."""
        self[value] = code = len(self)
        return code


def encode_labels(
    labels: ArrayLike | Labels | None, n: int
) -> tuple[NDArray[np.int64] | None, NDArray[Any] | None]:
    """Codes 0, 1, ... of n labels and the sorted classes that they stand for.

    >>> encode_labels(["b", "a", "b"], 3)
    (array([1, 0, 1]), array(['a', 'b'], dtype=object))
    """
    if labels is None:
        return None, None
    found = labels_of(labels, partial(refused, "labels"), n)
    return found.codes, found.classes


def check_rows(shape: tuple[int, ...], n: int | None, refuse: Refuse) -> None:
    """Refuse labels that are not one for each of n rows (any number, where that is None)."""
    if shape != (n,) and (n is not None or len(shape) != 1):
        needed = "(n,)" if n is None else f"({n},)"
        raise refuse(f"shape is {shape} where {needed} is needed, one label for each row")


def labels_of(values: Any, refuse: Refuse, n: int | None = None) -> Labels:
    """Labels of an array: (n,) or (n, 1), of numbers, strings, bytes, or objects of one kind."""
    if isinstance(values, Labels):
        check_rows(values.codes.shape, n, refuse)
        return values
    values = brought(values, refuse)
    if is_arrow(values):
        with converting(refuse):
            return _of_arrow(values, refuse, n)
    y = as_array(values, refuse, boxed=True)
    y = y.reshape(-1) if y.shape[1:] == (1,) else y
    check_rows(y.shape, n, refuse)
    masked = np.flatnonzero(np.ma.getmask(y))
    if masked.size:
        raise refuse(f"row {masked[0]} is masked")
    y = np.asarray(y)
    if y.dtype.kind in "OT":
        return _of_objects(y.tolist(), refuse)
    if y.dtype.kind not in "fiubUS":
        raise refuse(f"type is {y.dtype}", "Use numbers or strings")
    if y.dtype.kind == "f":
        y = y.astype(np.float64) if y.dtype.itemsize > 8 else y
        if not np.isfinite(y).all():
            row = int(np.flatnonzero(~np.isfinite(y))[0])
            fact = "a missing value" if np.isnan(y[row]) else "no finite number"
            raise refuse(f"row {row} holds {y[row]}, {fact}")
    classes, codes = np.unique(y, return_inverse=True)
    codes = codes.astype(np.int64).reshape(y.shape)
    if y.dtype.kind in "US":
        return of_texts(codes, classes.tolist(), refuse)
    return Labels(codes, classes)


def _of_arrow(values: Any, refuse: Refuse, n: int | None) -> Labels:
    """Labels of an Arrow array: of numbers, of text, or of categories that are either."""
    from ._arrow import chunked, encoded, first_null, plain

    column = chunked(values, refuse)
    check_rows((len(column),), n, refuse)
    if column.null_count:
        raise refuse(f"row {first_null(column)} holds None, a missing value")
    texts = encoded(column, refuse)
    if texts is None:
        return labels_of(plain(column, refuse), refuse, n)
    return of_texts(*texts, refuse)


def of_texts(
    codes: NDArray[np.int64],
    texts: Sequence[str | bytes],
    refuse: Refuse,
    place: Callable[[int], str] = "row {}".format,
) -> Labels:
    """Labels of rows that hold ``texts[codes]``: numbers, where all are written as numbers.

    `place` tells where a row is.
    """

    def at(code: int) -> str:
        return place(int(np.flatnonzero(codes == code)[0]))

    used = np.flatnonzero(np.bincount(codes, minlength=len(texts)))
    values: dict[int, Any] = {}
    for code in used.tolist():
        text = texts[code]
        try:
            values[code] = text.decode() if isinstance(text, bytes) else text
        except UnicodeDecodeError as err:
            raise refuse(f"{at(code)} holds bytes that are no UTF-8", "Use text") from err
        if values[code] in MISSING:
            raise refuse(f"{at(code)} holds '{values[code]}', a missing value")
    if all(map(INTEGER.fullmatch, values.values())):
        values = {code: int(text) for code, text in values.items()}
    elif all(map(NUMBER.fullmatch, values.values())):
        values = {code: number_of(text) for code, text in values.items()}
        for code, value in values.items():
            if math.isinf(value):
                raise refuse(f"{at(code)} holds '{texts[code]!s}', no finite number")
    return _sorted(codes, values)


def number_of(text: str) -> float:
    """The number that `text` writes; one that float64 cannot hold stays an integer."""
    exact = int(text) if INTEGER.fullmatch(text) else 0
    return exact if abs(exact) > EXACT else float(text)


def _of_objects(values: list[Any], refuse: Refuse) -> Labels:
    if not set(map(type, values)) <= KINDS.keys():  # scalars of numpy or torch, subclasses
        values = [v.item() if getattr(v, "ndim", None) == 0 else v for v in values]
    types = set(map(type, values))
    kinds = {KINDS.get(t) for t in types}
    if len(kinds) > 1 or None in kinds or (float in types and not all(map(_is_finite, values))):
        _refuse_objects(values, refuse)
    table = Codes()
    codes = np.fromiter(map(table.__getitem__, values), np.int64, len(values))
    if kinds == {"a number"}:
        return _sorted(codes, {code: value for value, code in table.items()})
    return of_texts(codes, list(table), refuse)


def _is_finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _refuse_objects(values: list[Any], refuse: Refuse) -> None:
    """Refuse the first row that is no label, or of another kind than those before."""
    first = None
    for row, value in enumerate(values):
        kind = KINDS.get(type(value))
        if is_missing(value):
            raise refuse(f"row {row} holds {value}, a missing value")
        if not _is_finite(value):
            raise refuse(f"row {row} holds {value}, no finite number")
        if kind is None:
            fact = f"row {row} holds an object of type {type(value).__name__}"
            raise refuse(fact, "Use numbers or strings")
        first = first or kind
        if kind != first:
            fact = f"row {row} holds {kind} ({value!r}) where row 0 holds {first}"
            raise refuse(fact, "Write all as text or all as numbers")


def _sorted(codes: NDArray[np.int64], values: dict[int, Any]) -> Labels:
    """Labels of the classes ``values[codes]``; several codes may stand for one."""
    classes = sorted(set(values.values()))
    places = {value: place for place, value in enumerate(classes)}
    place_of = np.zeros(max(values, default=-1) + 1, dtype=np.int64)
    for code, value in values.items():
        place_of[code] = places[value]
    kept = np.empty(len(classes), dtype=object)
    kept[:] = classes
    types = set(map(type, classes))
    fits = types == {int} and classes[0] >= -(2**63) and classes[-1] < 2**63
    return Labels(place_of[codes], np.array(classes) if fits or types == {float} else kept)
