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
) -> tuple[io.Features, Labels | None]:
    """Read features, and labels from a file of their own or from the features' .npz."""
    features = io.read_features(inputs, key=key, flatten=flatten)
    n = features.x.shape[0]
    if labels is not None:
        path = Path(labels)
        return features, io.read_labels(path, key=label_key, column=label_column, n=n)
    if label_column is not None:
        raise InvalidInputError("--label-column", "needs a text file", "Name it with --labels")
    if label_key is None:
        return features, None
    if features.archive is None:
        raise InvalidInputError("--label-key", "needs one .npz file as input", "Use --labels")
    return features, io.labels_of_archive(features.archive, label_key, n)
