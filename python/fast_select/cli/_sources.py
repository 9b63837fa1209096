"""The files that a run reads: never written to, and at its end what they were at its beginning."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from .._errors import ComputationError, InvalidInputError
from ..io import is_shard
from ._targets import Target, kind_of

Stamp = tuple[int, int, int, int]


class Sources:
    """Files as they were before they were read. `names`: as given, `-` for standard input."""

    def __init__(self, names: Iterable[str | None]) -> None:
        self._stamps: dict[str, Stamp] = {}
        self._others: set[str] = set()
        """Files in folders: which of them are read is not known yet."""
        self._folders: list[str] = []
        for name in filter(None, names):
            self._add(name)
            if name != "-" and kind_of(Path(name)) == stat.S_IFDIR:
                self._folders.append(name)
                for path in Path(name).iterdir():
                    self._add(str(path))
                    self._others.add(str(path))

    def _add(self, name: str) -> None:
        stamp = stamp_of(name)
        if stamp is not None:
            self._stamps[name if name == "-" else str(Path(name))] = stamp

    def read(self, files: Iterable[Path]) -> None:
        """Tell which files of folders were read."""
        for name in self._others.difference(map(str, files)):
            self._stamps.pop(name, None)

    def check_apart(self, targets: Iterable[Target]) -> None:
        """Refuse to write to what is read, by whatever name."""
        names = {stamp[:2]: name for name, stamp in self._stamps.items()}
        for target in targets:
            known = target.stat()
            if known is None or stat.S_ISCHR(known.st_mode) or stat.S_ISDIR(known.st_mode):
                continue
            name = names.get((known.st_dev, known.st_ino))
            if name is not None:
                source = "standard input" if name == "-" else name
                what = (
                    "an input" if source == target.name else f"the same file as the input {source}"
                )
                raise InvalidInputError(target.name, f"is {what}", "Name another file")

    def check_no_shard(self, targets: Iterable[Target]) -> None:
        """Refuse to write what would be a part of the input when its folder is read again."""
        for target in targets:
            for name in self._folders:
                folder = Path(os.path.realpath(name))
                own = [path for path in map(Path, self._stamps) if path.parent == Path(name)]
                if is_shard(target.path, folder, own):
                    fact = f"is in the input folder {name}, of which it would become a part"
                    raise InvalidInputError(target.name, fact, "Name another folder")

    def check_unchanged(self) -> None:
        """Fail where a file is no longer what it was."""
        for name, before in self._stamps.items():
            if stamp_of(name) != before:
                source = "standard input" if name == "-" else name
                fact = "was changed while it was read; nothing was written"
                raise ComputationError(source, fact, "Run again once it stays as it is")


def check_outside(folder: str, targets: Iterable[Target]) -> None:
    """Refuse to write into a checkpoint's folder, where files would be taken for its own."""
    own = Path(os.path.realpath(folder))
    for target in targets:
        if not target.is_stream and own in Path(os.path.realpath(target.path)).parents:
            fact = f"is in the folder of the checkpoint {folder}, which holds its own files only"
            raise InvalidInputError(target.name, fact, "Name another folder")


def stamp_of(name: str) -> Stamp | None:
    """What tells a regular file from another and from itself after a change; else None."""
    try:
        found = os.fstat(0) if name == "-" else Path(name).stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
