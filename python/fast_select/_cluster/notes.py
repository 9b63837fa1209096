"""What a member writes down of the pieces that it has, to be found where it dies."""

from __future__ import annotations

import os
from pathlib import Path

BEGINS = "="
"""The line of a process that begins: of a worker that Dask has started anew there are several."""


class Notes:
    """Lines that are added to a file: pieces that are taken, and that are had no more."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        self._write(BEGINS)

    def takes(self, piece: str) -> None:
        """A piece is taken."""
        self._write(f"+{piece}")

    def leaves(self, piece: str) -> None:
        """It is done, or left."""
        self._write(f"-{piece}")

    def close(self) -> None:
        """Write no more."""
        os.close(self._descriptor)

    def _write(self, line: str) -> None:
        os.write(self._descriptor, f"{line}\n".encode())


def held(path: Path) -> list[str] | None:
    """The pieces that a member has by its notes; None where it never had any."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    own: dict[str, bool] = {}
    for line in lines:
        if line == BEGINS:
            own = {}
        else:
            own[line[1:]] = line.startswith("+")
    return [piece for piece, has in own.items() if has] if own else None
