"""From the words on the command line to a matrix and what goes with it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import _core, io
from .._errors import InvalidInputError
from .._labels import Labels


def read_inputs(
    inputs: Sequence[str],
    key: str | None,
    labels: str | None,
    label_key: str | None,
    label_column: str | None,
    *,
    flatten: bool,
) -> tuple[io.Features, Labels | None]:
    """Read features, and labels from a file of their own or from the features' .npz."""
    features = io.read_features(inputs, key=key, flatten=flatten)
    return features, _labels_beside(features, labels, label_key, label_column)


def read_matrix(named: Mapping[str, Any]) -> io.Features:
    """The features that are `named`, by the parameters of `select`."""
    key, flatten = named.get("key"), named.get("flatten", False)
    return io.read_features(named["inputs"], key=key, flatten=flatten)


def read_arrays(named: Mapping[str, Any], features: io.Features) -> dict[str, Any]:
    """What goes with the features, by the keyword of `select` that takes it."""
    own = (named.get(name) for name in ("labels", "label_key", "label_column"))
    arrays: dict[str, Any] = {"labels": _labels_beside(features, *own)}
    for name in ("include", "exclude"):
        if named.get(name) is not None:
            arrays[name] = io.read_indices(Path(named[name]), n=features.x.shape[0])
    return {name: array for name, array in arrays.items() if array is not None}


def _labels_beside(
    features: io.Features, labels: str | None, label_key: str | None, label_column: str | None
) -> Labels | None:
    n = features.x.shape[0]
    if labels is not None:
        return io.read_labels(Path(labels), key=label_key, column=label_column, n=n)
    if label_column is not None:
        raise InvalidInputError("--label-column", "needs a text file", "Name it with --labels")
    if label_key is None:
        return None
    if features.archive is None:
        raise InvalidInputError("--label-key", "needs one .npz file as input", "Use --labels")
    return io.labels_of_archive(features.archive, label_key, n)


def balance_file(options: Mapping[str, Any]) -> str | None:
    """The file that `balance` names, if it names no rule."""
    balance = options.get("balance")
    return None if balance is None or balance in balance_rules() else balance


def balance_rules() -> list[str]:
    """The rules by which rows are shared out."""
    table = _core.option_table("select")
    return next(entry["choices"] for entry in table if entry["name"] == "balance")


def read_balance(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with the rows of each class where `balance` names their file."""
    name = balance_file(options)
    if name is None:
        return {**options}
    if name != "-" and not os.path.exists(name):  # noqa: PTH110  # a name that cannot be is none
        fact = f"'{name}' is neither {' nor '.join(balance_rules())} nor a file"
        raise InvalidInputError("--balance", fact, "Check the path")
    return {**options, "balance": io.read_counts(Path(name))}
