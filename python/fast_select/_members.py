"""The processes that work, or have worked, on a checkpoint: what each spent, where it stands.

A process tells of itself in a file of its own while it runs, so that what it has spent is known
whatever ends it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
import uuid
from collections.abc import Container
from pathlib import Path
from typing import Any

from .energy import Meter

FOLDER = "members"
EVERY_S = 1.0
"""Time between two tellings."""


class Member:
    """What this process tells the others in ``folder``, a checkpoint's; ``meter`` accounts it."""

    def __init__(self, folder: Path, meter: Meter) -> None:
        self._path = folder / FOLDER / f"{uuid.uuid4().hex}.json"
        self._meter, self._told = meter, 0.0
        self._selections: list[str] = []
        self._about = {"host": socket.gethostname(), "pid": os.getpid()}
        with contextlib.suppress(OSError):  # no selection depends on what is told
            self._path.parent.mkdir(parents=True, exist_ok=True)

    def begin(self, selection: str) -> None:
        """Turn to a selection, by the name under which the checkpoint keeps it."""
        self._selections.append(selection)

    def tell(self, stage: str = "", done: int = 0, total: int = 0, *, ends: bool = False) -> None:
        """Tell where this process stands, if it has not lately; in any case when it ``ends``."""
        now = time.monotonic()
        if now - self._told < EVERY_S and not ends:
            return
        self._told = now
        self._meter.tick()
        facts = {
            **self._about,
            "selections": self._selections,
            "stage": stage,
            "done": done,
            "total": total,
            "ended": ends,
            **self._meter.totals(),
        }
        part = self._path.with_name(f".{self._path.stem}.part")
        with contextlib.suppress(OSError):
            part.write_text(json.dumps(facts))
            part.replace(self._path)

    def crew(self) -> dict[str, Any]:
        """Processes, machines, processor seconds and joules that the selection at hand took.

        This process and all that have worked on it, before or beside it.
        """
        self.tell(ends=True)
        return spent_by(members_of(self._path.parents[1], self._selections[-1]))


def members_of(
    folder: Path, selection: str | None = None, *, besides: Container[Path] = ()
) -> list[dict[str, Any]]:
    """What all have told, of one ``selection`` if it is given; in no order.

    Files that say something else are passed over, and so are those ``besides``.
    """
    found = []
    for path in (folder / FOLDER).glob("*.json"):
        if path in besides:
            continue
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            facts = json.loads(path.read_text())
            spent_by([facts])
            if selection is None or selection in facts["selections"]:
                found.append(facts)
    return found


def spent_by(members: list[dict[str, Any]]) -> dict[str, Any]:
    """Processes, machines, seconds of processors and joules in all."""
    return {
        "processes": len(members),
        "machines": len({member["host"] for member in members}),
        "cpu_s": sum(member["cpu_s"] for member in members),
        "joules": sum(member["joules"] for member in members),
    }
