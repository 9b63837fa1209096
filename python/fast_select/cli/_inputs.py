"""From the words on the command line to a matrix and what goes with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import _core, io
from .._errors import InvalidInputError
from .._labels import Labels
from .._scratch import Scratch
from ..io.labels import ROLES, Role


def read_matrix(
    named: Mapping[str, Any], max_memory: int | None = None, scratch: Scratch | None = None
) -> io.Features:
    """The features, and ids, that are `named`, by the parameters of the commands.

    What is not mapped has to fit into `max_memory`, but for what lies in `scratch`.
    """
    aside = (_word_beside(named, role) for role in ROLES)
    return io.read_features(
        named["inputs"],
        key=named.get("key"),
        columns=named.get("columns"),
        id_key=named.get("id_key"),
        aside=[word for word in aside if word is not None],
        flatten=named.get("flatten", False),
        max_memory=max_memory,
        scratch=scratch,
    )


def read_arrays(named: Mapping[str, Any], features: io.Features) -> dict[str, Any]:
    """What goes with the features, by the keyword of `select` that takes it."""
    arrays: dict[str, Any] = {role.name: _read_labels(named, features, role) for role in ROLES}
    for name in ("include", "exclude"):
        if named.get(name) is not None:
            path, n = Path(named[name]), features.x.shape[0]
            arrays[name] = io.read_indices(path, n=n, ids=features.ids)
    return {name: array for name, array in arrays.items() if array is not None}


def _word_beside(named: Mapping[str, Any], role: Role) -> str | None:
    """The column or array of the features' own file that has labels of this role."""
    if named.get(role.name) is not None:
        return None
    word: str | None = named.get(role.key) or named.get(role.column)
    return word


def _read_labels(named: Mapping[str, Any], features: io.Features, role: Role) -> Labels | None:
    """Labels, or groups, from a file of their own or from that of the features."""
    n = features.x.shape[0]
    file, key, column = (named.get(option) for option in (role.name, role.key, role.column))
    if file is not None:
        return io.read_labels(Path(file), role=role, key=key, column=column, n=n)
    if features.dataset is not None:
        word = _word_beside(named, role)
        return None if word is None else features.dataset.labels(word)
    if column is not None:
        fact = f"needs a table, or a text file of {role.name}"
        raise InvalidInputError(role.column_flag, fact, f"Name the file with --{role.name}")
    if key is None:
        return None
    if features.archive is None:
        raise InvalidInputError(
            role.key_flag, "needs a table or one .npz file", f"Use --{role.name}"
        )
    return io.labels_of_archive(features.archive, key, n)


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
