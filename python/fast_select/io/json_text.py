"""Files of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .npy import BLOCK
from .sources import Source

Pairs = list[tuple[str, Any]]


def read_json(path: Path) -> Any:
    """What a file of JSON holds, whatever its suffix; `-` is standard input."""
    source = Source(path, (path.suffix.lower(), ".txt"))
    if source.format != "text":
        raise source.refuse("is an array file where JSON is needed")
    return parsed(source)


def parsed(source: Source, of_object: Callable[[Pairs], Any] | None = None) -> Any:
    """The JSON of a text. `of_object`: what becomes of the entries of an object."""
    with source.text() as file:
        data = b"".join(iter(lambda: file.read(BLOCK), b""))
    try:
        return json.loads(data, object_pairs_hook=of_object)
    except (ValueError, RecursionError) as err:
        raise source.refuse(f"is no JSON, or not all of it ({err})") from err
