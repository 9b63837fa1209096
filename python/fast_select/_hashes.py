"""Hashes of what stands beside a matrix: the same for the same, in whatever form it came."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._labels import Labels, plain


def hash_of_rows(rows: NDArray[np.int64] | None) -> str | None:
    """SHA-256 of row numbers as a set; None for no rows.

    >>> hash_of_rows(np.array([7, 3])) == hash_of_rows(np.array([3, 7]))
    True
    """
    if rows is None or not rows.size:
        return None
    return hashlib.sha256(np.unique(rows).astype("<i8").data).hexdigest()


def hash_of_labels(labels: Labels | None) -> str | None:
    """SHA-256 of the classes and of each row's place among them; None without labels."""
    if labels is None:
        return None
    digest = hashlib.sha256(json.dumps(list(map(_name, labels.classes))).encode())
    digest.update(np.ascontiguousarray(labels.codes, "<i8").data)
    return digest.hexdigest()


def _name(label: Any) -> list[str]:
    """A class by its kind and value: 1 and 1.0 are one number."""
    value = plain(label)
    if isinstance(value, str):
        return ["text", value]
    whole = int(value) if value == int(value) else value
    return ["number", repr(whole)]
