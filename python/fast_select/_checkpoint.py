"""A folder that keeps what a selection has done so far, for later runs and for others at work.

Results are files that are whole or absent: pieces, which the core names, and arrays, which pieces
write into. A process takes a piece by a lock, which the system lets go of when the process ends,
whatever ends it. The core says what the pieces are (``crew`` in its documentation).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._errors import ComputationError, refused
from ._locks import Lock
from ._scratch import FULL, reserve

MANIFEST: Final = "checkpoint.json"
FORMAT: Final = 1
"""Raised when files of a folder change their meaning."""

MAGIC: Final = b"fastsel1"
DIGEST: Final = 16
"""Bytes of the hash that a result begins with, behind the magic ones."""

SAMPLED: Final = 256
"""Rows that are compared before the others are."""

LOCK: Final = ".lock"
"""Who writes what all have in common holds it."""

EMPTY_FIX: Final = "Name an empty {checkpoint} folder, or remove this one"


class Checkpoint:
    """The results that a folder keeps.

    ``member``: which of how many processes this is, from 0, that work on it at the same time:
    where it begins to look for work. ``files``: what the input is read from.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        member: tuple[int, int] = (0, 1),
        files: Sequence[Path] = (),
    ) -> None:
        if not str(folder):
            raise refused("checkpoint", "is a name without letters", "Name a folder")
        self.folder = Path(folder)
        self.place = member
        self.files = [_facts_of(path) for path in files]
        self._scopes: dict[str, Path] = {}
        self._held: dict[Path, Lock] = {}
        self._open: dict[Path, int] = {}
        self._guard = threading.Lock()
        self._id = ""
        """What tells the folder from others, whose results it does not take."""
        self._is_shared = False
        """Whether some of the preparation was done by others, or before."""
        self.is_known = False
        """Whether the input was prepared before, from the same files as far as one can see."""
        self.has_same_files = False

    @classmethod
    def of(cls, folder: Checkpoint | str | os.PathLike[str] | None) -> Checkpoint | None:
        """The checkpoint in a folder, if one is named."""
        if folder is None or isinstance(folder, Checkpoint):
            return folder
        if not isinstance(folder, (str, os.PathLike)):
            raise refused("checkpoint", f"{type(folder).__name__} is no path")
        return cls(folder)

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave what was taken to others."""
        with self._guard:
            for lock in self._held.values():
                lock.release()
            self._held.clear()
            for descriptor in self._open.values():
                os.close(descriptor)
            self._open.clear()

    def begin(self, x: Any, options: Mapping[str, Any]) -> None:
        """Take the folder for the input ``x``, (n, d), prepared by ``options``.

        Raises
        ------
        InvalidInputError
            Where it belongs to something else.
        """
        rows = np.unique(np.linspace(0, x.shape[0] - 1, SAMPLED).astype(np.int64))
        asked: dict[str, Any] = {
            "format": FORMAT,
            **{name: _core.info()[name] for name in ("version", "instruction_set")},
            "input": {
                "shape": list(x.shape),
                "dtype": str(x.dtype),
                "sample": _core.values_hash(np.ascontiguousarray(x[rows]), 1),
            },
            "options": {name: options[name] for name in ("scale", "nonfinite")},
        }
        path = self.folder / MANIFEST
        with self._errors("be made"):
            self.folder.mkdir(parents=True, exist_ok=True)
        with self._errors("be written to"), Lock.wait(self.folder / LOCK):
            if path.exists():
                self._id = self._check(path, asked)
            elif any(not each.name.startswith(".") for each in self.folder.iterdir()):
                fact = f"'{self.folder}' holds other files, and no checkpoint"
                raise refused("checkpoint", fact, "Name an empty {checkpoint} folder")
            else:
                self._id, self.has_same_files = uuid.uuid4().hex, True
                facts = {**asked, "id": self._id, "files": self.files}
                self.put(path, json.dumps(facts).encode())
        self._scopes = {"input": self.folder / "input"}
        with self._errors("be written to"):
            self._scopes["input"].mkdir(exist_ok=True)
        self.is_known = (self._scopes["input"] / "prepared").exists()
        if not self.has_same_files and not self.is_known:
            fact = f"'{self.folder}' was begun from files that have changed since"
            raise refused("checkpoint", fact, EMPTY_FIX)

    def agreed(self, question: str, answer: int) -> int:
        """The answer of the first process that had one; ``question``: a name for a file."""
        path = self.folder / "agreed" / question
        with self._errors("be written to"), Lock.wait(self.folder / LOCK):
            path.parent.mkdir(exist_ok=True)
            if not path.exists():
                self.put(path, str(answer).encode())
            try:
                return int(path.read_bytes())
            except ValueError as err:
                fact = f"'{path}' cannot be understood"
                raise refused("checkpoint", fact, EMPTY_FIX) from err

    def check_values(self, x: Any, prepared: _core.Prepared, threads: int, progress: Any) -> None:
        """Refuse a folder whose results are of other values than ``x``.

        They are all read for that, but by one of several members whose files look as they did, and
        where all results are this process's.
        """
        if not self._is_shared or (self.has_same_files and self.files and self.place[1] > 1):
            return
        if _core.values_hash(x, threads, progress=progress) != prepared.values_hash:
            fact = f"'{self.folder}' belongs to input of other values"
            raise refused("checkpoint", fact, EMPTY_FIX)

    def select(self, options: Mapping[str, Any], hashes: Mapping[str, Any]) -> str:
        """Turn to a selection: ``options`` on which rows depend, ``hashes`` of what goes with it.

        Returns the name under which it is kept.
        """
        graph = key_of({"labels": hashes.get("labels"), "k": options["n_neighbors"]})
        own = key_of({"options": dict(options), "hashes": dict(hashes)})
        self._scopes["graph"] = self.folder / f"graph-{graph}"
        self._scopes["selection"] = self.folder / f"selection-{own}"
        with self._errors("be written to"):
            self._scopes["selection"].mkdir(exist_ok=True)
        return own

    def take(self, scope: str, name: str) -> bool | None:
        """Take a piece: True if it is the caller's now, False if another's, None if done."""
        path = self._path(scope, name)
        taken = None if self._is_done(scope, path) else self._locked(scope, path)
        self._is_shared |= scope == "input" and taken is not True
        return taken

    def _locked(self, scope: str, path: Path) -> bool | None:
        """Take a piece that was not done a moment ago."""
        with self._errors("be locked"):
            path.parent.mkdir(exist_ok=True)
            lock = Lock.take(_beside(path, "lock"))
        if lock is None:
            return False
        if self._is_done(scope, path):
            lock.release(gone=True)
            return None
        with self._guard:
            self._held[path] = lock
        return True

    def _is_done(self, scope: str, path: Path) -> bool:
        """Whether a piece is: of the input all are, once it is prepared, and may be forgotten."""
        return path.exists() or (scope == "input" and path.with_name("prepared").exists())

    def leave(self, scope: str, name: str) -> None:
        """Leave a piece that was taken to others."""
        with self._guard:
            lock = self._held.pop(self._path(scope, name))
        lock.release()

    def give(self, scope: str, name: str, result: bytes) -> None:
        """Keep the result of a piece that was taken, and what was written for it."""
        path = self._path(scope, name)
        with self._errors("be written to"):
            with self._guard:
                for descriptor in self._open.values():
                    os.fsync(descriptor)
            self.put(path, MAGIC + self._digest(path, result) + result)
        with self._guard:
            lock = self._held.pop(path)
        lock.release(gone=True)

    def result(self, scope: str, name: str) -> bytes | None:
        """The result of a piece that is done; None once it is forgotten."""
        path = self._path(scope, name)
        with self._errors("be read"):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                return None
        begin = len(MAGIC) + DIGEST
        digest, result = content[len(MAGIC) : begin], content[begin:]
        if not content.startswith(MAGIC) or digest != self._digest(path, result):
            with contextlib.suppress(OSError):
                path.unlink()
            fact = "was damaged, and is removed"
            raise ComputationError(str(path), fact, "Run again, which makes it anew")
        return result

    def _digest(self, path: Path, result: bytes) -> bytes:
        """What a result begins with: another piece's, or another folder's, has another."""
        place = f"{self._id}/{path.parent.name}/{path.name}\n"
        digest = hashlib.blake2b(place.encode(), digest_size=DIGEST)
        digest.update(result)
        return digest.digest()

    def write(self, scope: str, name: str, length: int, first: int, entries: bytes) -> None:
        """Write float32 entries from number ``first`` on of an array of ``length`` of them."""
        path = _beside(self._path(scope, name), "part")
        with self._errors("be written to"):
            with self._guard:
                if path not in self._open:
                    self._open[path] = _made(path, 4 * length)
                descriptor = self._open[path]
            view, at = memoryview(entries), 4 * first
            while view:
                done = _write_at(descriptor, view, at)
                view, at = view[done:], at + done

    def read(self, scope: str, name: str, length: int) -> NDArray[np.float32] | None:
        """An array that is written; None once it is forgotten, or where its length is another.

        What is put into it changes no file.
        """
        path = self._path(scope, name)
        part = _beside(path, "part")
        with self._errors("be read"):
            with self._guard:
                if part in self._open:
                    os.close(self._open.pop(part))
            # The first to read gives it its name; others may have.
            with contextlib.suppress(FileNotFoundError):
                part.rename(path)
            try:
                with path.open("rb") as file:
                    if os.fstat(file.fileno()).st_size != 4 * length:
                        return None
                    room = mmap.mmap(file.fileno(), 4 * length, access=mmap.ACCESS_COPY)
            except FileNotFoundError:
                return None
        return np.frombuffer(room, np.float32)

    def forget(self, scope: str, beginning: str) -> None:
        """Remove an array, or pieces by the beginning of their names."""
        for path in self._scopes[scope].glob(f"{beginning}*"):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()

    @contextlib.contextmanager
    def keeping(self, name: str) -> Iterator[Path]:
        """A folder for other files than results, which one process at a time changes."""
        folder = self.folder / name
        with self._errors("be written to"), Lock.wait(self.folder / LOCK):
            folder.mkdir(exist_ok=True)
            yield folder

    def put(self, path: Path, content: bytes) -> None:
        """Write a file, or none."""
        part = _beside(path, f"{uuid.uuid4().hex}.part")
        try:
            with part.open("wb") as file:
                file.write(content)
            part.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()
            raise

    def tidy(self) -> None:
        """Remove what processes that were killed have left half-written, and their locks.

        What others hold at this moment stays.
        """
        with contextlib.suppress(OSError), Lock.wait(self.folder / LOCK):
            for path in self.folder.rglob(".*.part"):
                if path.name in (".z.part", ".scores.part"):  # arrays that others may be filling
                    continue
                _clear(path.with_name(path.name[1:].rsplit(".", 2)[0]), path)
            for path in self.folder.rglob(".*.lock"):
                _clear(path.with_name(path.name[1 : -len(".lock")]))

    def _path(self, scope: str, name: str) -> Path:
        return self._scopes[scope] / name

    def _check(self, path: Path, asked: dict[str, Any]) -> str:
        """Refuse a folder that was begun for something else; returns its id."""
        try:
            found = json.loads(path.read_bytes())
            own, self.has_same_files = str(found["id"]), found["files"] == self.files
            differing = _differing(found, asked)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
            fact = f"'{path}' cannot be understood"
            raise refused("checkpoint", fact, EMPTY_FIX) from err
        fix = EMPTY_FIX
        for what, then, now in differing:
            fact = f"'{self.folder}' was begun {what.format(then=then, now=now)}"
            if then != now and "instruction set" in what:
                fix = f"Set FAST_SELECT_INSTRUCTION_SET={then}, if the machine has it"
            raise refused("checkpoint", fact, fix)
        return own

    @contextlib.contextmanager
    def _errors(self, what: str) -> Any:
        try:
            yield
        except OSError as err:
            if err.errno in FULL:
                fact = f"has no room ({err.strerror})"
                fix = "Make room and run again: what is done stays done"
                raise ComputationError(str(self.folder), fact, fix) from err
            fact = f"'{self.folder}' cannot {what} ({err.strerror or err})"
            raise refused("checkpoint", fact, "Name a folder of your own") from err


def _differing(known: dict[str, Any], asked: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """What differs, as a clause with `then` and `now`, of the first kind of difference first."""
    sentences = {
        "format": "by another version of fast-select, whose files differ",
        "version": "by fast-select {then}, this is {now}",
        "instruction_set": "with the instruction set {then}, this machine uses {now}",
    }
    found = [
        (sentence, known[name], asked[name])
        for name, sentence in sentences.items()
        if known[name] != asked[name]
    ]
    for part, sentence in (
        ("input", "for another input ({name} {then}, not {now})"),
        ("options", "with {name} {then}, not {now}"),
    ):
        for name, now in asked[part].items():
            then = known[part].get(name)
            if then != now:
                hidden = name == "sample"
                clause = "for input of other values" if hidden else sentence.replace("{name}", name)
                found.append((clause, then, now))
    return found


def key_of(facts: Any) -> str:
    """A name for what facts say."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.name}.{suffix}")


def _clear(piece: Path, *parts: Path) -> None:
    """Remove files of a piece, and its lock, unless another has that."""
    lock = Lock.take(_beside(piece, "lock"))
    if lock is not None:
        for part in parts:
            part.unlink(missing_ok=True)
        lock.release(gone=True)


def _facts_of(path: Path) -> list[Any]:
    """What tells whether a file is as it was, without reading it."""
    status = path.stat()
    return [path.name, status.st_size, status.st_mtime_ns]


def _made(path: Path, size: int) -> int:
    """A file of this size, made by the first who opens it; its descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    try:
        # Where room is taken by writing zeros, nobody may have written before.
        with Lock.wait(_beside(path, "lock")):
            if os.fstat(descriptor).st_size < size:
                reserve(descriptor, size)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _write_at(descriptor: int, view: memoryview, at: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, view, at)
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.write(descriptor, view)
