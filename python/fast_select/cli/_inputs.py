"""From the words on the command line to a matrix and its labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .. import io
from .._errors import InvalidInputError


def read_inputs(
    inputs: Sequence[str],
    key: str | None,
    labels: str | None,
    label_key: str | None,
    *,
    flatten: bool,
) -> tuple[io.Features, NDArray[Any] | None]:
    """Read features, and labels from a file of their own or from the features' .npz."""
    features = io.read_features(inputs, key=key, flatten=flatten)
    if labels is not None:
        return features, io.read_labels(Path(labels), key=label_key)
    if label_key is None:
        return features, None
    if len(features.files) != 1 or features.files[0].suffix != ".npz":
        raise InvalidInputError("--label-key", "needs one .npz file as input", "Use --labels")
    return features, io.read_labels(features.files[0], key=label_key)
