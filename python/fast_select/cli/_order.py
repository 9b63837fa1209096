"""What the shares of a selection were asked to do, kept with their checkpoint for `merge`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import InvalidInputError
from .._idle import IDLE_IN_BLOCKS
from ._options import array_names

if TYPE_CHECKING:
    from .._checkpoint import Checkpoint

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

    def write(self, keeper: Checkpoint) -> None:
        """Keep it in a checkpoint, as the one that was given last."""
        with keeper.keeping(FOLDER) as folder:
            known = _known(folder)
            # Counted, as the clocks of machines differ.
            number = 1 + max((order[0] for order in known.values() if order), default=0)
            facts = {"number": number, **asdict(self)}
            keeper.put(folder / f"{self.name}.json", json.dumps(facts).encode())

    @property
    def name(self) -> str:
        """A name that tells it from others, of which other rows come."""
        from .._checkpoint import key_of

        own = {k: v for k, v in self.options.items() if k not in IDLE_IN_BLOCKS}
        return key_of([self.named, own, self.ratios])

    @classmethod
    def last(cls, folder: Path) -> Order:
        """The one that was given last."""
        known = _known(folder / FOLDER)
        for path, order in known.items():
            if order is None:
                fact, fix = "cannot be understood", "Remove it, and run fast-select shard again"
                raise InvalidInputError(str(path), fact, fix)
        if not known:
            fact = "holds no share of a selection" if folder.is_dir() else "is no folder"
            raise InvalidInputError(str(folder), fact, "Run fast-select shard K/N first")
        return max((order for order in known.values() if order), key=itemgetter(0))[1]


def _known(folder: Path) -> dict[Path, tuple[int, Order] | None]:
    """Number and order that each file of a folder holds; None for one that is damaged."""
    return {path: _read(path) for path in folder.glob("*.json")}


def _read(path: Path) -> tuple[int, Order] | None:
    try:
        facts = json.loads(path.read_bytes())
        number, order = int(facts.pop("number")), Order(**facts)
        return (number, order) if order.name == path.stem else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _place(name: str) -> str:
    if name == "-":
        fact = "is standard input, which no other process can read"
        raise InvalidInputError("-", fact, "Name a file that all can read")
    return os.path.abspath(name)  # noqa: PTH100  # links stay as they are named
