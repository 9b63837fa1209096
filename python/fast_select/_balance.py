"""Rows per class that are given by label, matched to the classes that there are."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import refused
from ._labels import NUMBER, number_of, plain
from ._text import counted, shortened

LISTED = 10
"""Classes that an error names."""


def rows_per_class(balance: Any, classes: NDArray[Any] | None) -> Any:
    """``balance`` as the core takes it: a mapping in the order of the classes, else as it is.

    Labels match as they are read: what writes a number is that number, where classes are numbers.

    >>> rows_per_class({"dog": 2, "cat": 5}, np.array(["cat", "dog"]))
    {'cat': 5, 'dog': 2}
    >>> rows_per_class({"1.0": 5, 0: 2}, np.array([0, 1]))
    {'0': 2, '1': 5}
    """
    if not hasattr(balance, "items"):
        return balance
    counts = {label: _whole(label, count) for label, count in balance.items()}
    if classes is None:
        return {str(plain(label)): count for label, count in counts.items()}
    names = [plain(label) for label in classes]
    place_of = {name: place for place, name in enumerate(names)}
    place_of_text = {str(name): place for place, name in enumerate(names)}
    found: dict[int, int] = {}
    for label, count in counts.items():
        value = plain(label)
        place = place_of.get(value)
        if place is None and isinstance(value, str) and NUMBER.fullmatch(value):
            place = place_of.get(number_of(value))
        if place is None:
            place = place_of_text.get(str(value))
        if place is None:
            fact = f"names '{shortened(str(value))}', which is no class"
            raise refused("balance", fact, f"The classes are {_listed(names)}")
        if place in found:
            raise refused("balance", f"names class '{shortened(str(names[place]))}' twice")
        found[place] = count
    if len(found) < len(names):
        absent = [name for place, name in enumerate(names) if place not in found]
        many = "class" if len(absent) == 1 else "classes"
        fact = f"leaves out {many} {_listed(absent)}"
        raise refused("balance", fact, "Name every class, with 0 for no rows")
    return {str(name): found[place] for place, name in enumerate(names)}


def _whole(label: Any, count: Any) -> int:
    is_number = isinstance(count, (Real, np.number)) and not isinstance(count, (bool, np.bool_))
    if not is_number or not 0 <= count < 2**63 or count != int(count):
        shown, fact = shortened(str(plain(label))), shortened(repr(plain(count)))
        raise refused("balance", f"has {fact} for class '{shown}', not a number of rows")
    return int(count)


def _listed(names: list[Any]) -> str:
    listed = ", ".join(f"'{shortened(str(name))}'" for name in names[:LISTED])
    more = len(names) - LISTED
    return listed + (f" and {counted(more, 'other')}" if more > 0 else "")
