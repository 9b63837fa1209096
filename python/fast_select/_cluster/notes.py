"""What a member writes down of the pieces that it has, to be found where it dies."""

from __future__ import annotations

import os
from pathlib import Path


class Notes:
    """Lines that are added to a file: pieces that are taken, and that are had no more."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    def takes(self, piece: str) -> None:
        """A piece is taken."""
        os.write(self._descriptor, f"+{piece}\n".encode())

    def leaves(self, piece: str) -> None:
        """It is done, or left."""
        os.write(self._descriptor, f"-{piece}\n".encode())

    def close(self) -> None:
        """Write no more."""
        os.close(self._descriptor)


def held(path: Path) -> list[str] | None:
    """The pieces that a member has by its notes; None where it never had any."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    own: dict[str, None] = {}
    for line in lines:
        if line.startswith("+"):
            own[line[1:]] = None
        else:
            own.pop(line[1:], None)
    return list(own) if lines else None
