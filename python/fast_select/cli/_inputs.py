"""From the words on the command line to a matrix and its labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import io
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
    columns: str | None = None,
    id_key: str | None = None,
    max_memory: int | None = None,
) -> tuple[io.Features, Labels | None]:
    """Read features and ids, and labels from a file of their own or from that of the features."""
    word = label_key or label_column
    features = io.read_features(
        inputs,
        key=key,
        columns=columns,
        id_key=id_key,
        aside=[word] if labels is None and word else [],
        flatten=flatten,
        max_memory=max_memory,
    )
    n = features.x.shape[0]
    if labels is not None:
        path = Path(labels)
        return features, io.read_labels(path, key=label_key, column=label_column, n=n)
    if features.dataset is not None:
        return features, None if word is None else features.dataset.labels(word)
    if label_column is not None:
        fact = "needs a table, or a text file of labels"
        raise InvalidInputError("--label-column", fact, "Name the file with --labels")
    if label_key is None:
        return features, None
    if features.archive is None:
        raise InvalidInputError("--label-key", "needs a table or one .npz file", "Use --labels")
    return features, io.labels_of_archive(features.archive, label_key, n)
