"""What the shares of a selection were asked to do, kept with their checkpoint for `merge`."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .._errors import InvalidInputError
from .._idle import IDLE_IN_BLOCKS
from ._options import array_names

FOLDER = "orders"


@dataclass(frozen=True)
class Order:
    """A selection in words: what from, which options, which ratios."""

    named: dict[str, Any]
    options: dict[str, Any]
    ratios: list[float]

    @classmethod
    def of(cls, named: dict[str, Any], options: dict[str, Any], ratios: Sequence[float]) -> Order:
        """The same from wherever it is carried out."""
        places = {**named, "inputs": [_place(name) for name in named["inputs"]]}
        for name in array_names() & named.keys():
            places[name] = _place(named[name])
        if os.path.exists(str(options.get("balance"))):  # noqa: PTH110  # a rule is no file
            options = {**options, "balance": _place(options["balance"])}
        return cls(places, options, list(ratios))

    def write(self, folder: Path) -> None:
        """Keep it in a checkpoint's folder, as the one that was given last."""
        own = {k: v for k, v in self.options.items() if k not in IDLE_IN_BLOCKS}
        name = Order(self.named, own, self.ratios).name
        path = folder / FOLDER / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        part.write_text(json.dumps(asdict(self)))
        part.replace(path)

    @property
    def name(self) -> str:
        """A name that tells it from others."""
        from .._checkpoint import key_of

        return key_of(asdict(self))

    @classmethod
    def last(cls, folder: Path) -> Order:
        """The one that was given last."""
        known = sorted((folder / FOLDER).glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        if not known:
            fact = "holds no share of a selection"
            raise InvalidInputError(str(folder), fact, "Run fast-select shard K/N first")
        try:
            return cls(**json.loads(known[-1].read_text()))
        except (ValueError, TypeError) as err:
            fact = "cannot be understood"
            raise InvalidInputError(str(known[-1]), fact, "Run fast-select shard again") from err


def _place(name: str) -> str:
    if name == "-":
        fact = "is standard input, which no other process can read"
        raise InvalidInputError("-", fact, "Name a file that all can read")
    return os.path.abspath(name)  # noqa: PTH100  # links stay as they are named
