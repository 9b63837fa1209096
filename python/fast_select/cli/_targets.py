"""Where results go, checked before any work."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .._errors import InvalidInputError
from .._suffixes import ARROW_SUFFIXES, LIST_SUFFIXES, PARQUET_SUFFIXES
from ._signals import Guard

PAGE_SUFFIXES = (".html", ".htm")


@dataclass(frozen=True)
class Target:
    """A file to make or replace, or what is no regular file and is written into.

    ``path``: with links followed. ``descriptor``: of a file that this process has open, as
    ``/dev/stdout`` names it.
    """

    name: str
    path: Path
    descriptor: int | None = None
    force: bool = False

    @classmethod
    def of(cls, name: str, what: str, *, force: bool) -> Target:
        """What the user calls `name`, given as the option `what`; refused where it cannot be."""
        if not name:
            raise InvalidInputError(what, "is an empty name", "Name a file")
        if name == "-":
            fix = ", or print the report on stdout with --json" if what == "--report" else ""
            raise InvalidInputError(what, "'-' is no file", f"Name a file{fix}")
        try:
            number, path = descriptor_of(name), Path(os.path.realpath(name))
        except OSError as err:  # the folder at hand has gone
            raise InvalidInputError(name, f"cannot be written ({err.strerror})") from err
        if number is None and name.endswith(os.sep):
            raise InvalidInputError(name, "names a folder", "Name a file in it")
        return cls(name, path, number, force).checked()

    @classmethod
    def stdout(cls) -> Target:
        """Standard output."""
        return cls("standard output", Path("-"), 1).checked()

    def stat(self) -> os.stat_result | None:
        """What is there now; None for nothing."""
        try:
            return self.path.stat() if self.descriptor is None else os.fstat(self.descriptor)
        except FileNotFoundError:
            return None

    @property
    def suffix(self) -> str:
        """What names its format; upper case is as good as lower case."""
        return Path(self.name).suffix.lower()

    @property
    def is_stream(self) -> bool:
        """Whether it is written into, not replaced."""
        known = self.stat()
        return self.descriptor is not None or (
            known is not None and not stat.S_ISREG(known.st_mode)
        )

    def checked(self) -> Target:
        """The same, or an error that says why it cannot be written."""
        if self.descriptor is not None:
            check_descriptor(self.name, self.descriptor)
            return self
        try:
            known = self.stat()
        except OSError as err:
            fact = f"cannot be written ({err.strerror})"
            raise InvalidInputError(self.name, fact, "Name another file") from err
        kind = 0 if known is None else stat.S_IFMT(known.st_mode)
        if kind == stat.S_IFDIR:
            raise InvalidInputError(self.name, "is a folder", "Name a file in it")
        if kind in (stat.S_IFREG, stat.S_IFBLK) and not self.force:
            raise InvalidInputError(self.name, "exists", "Use --force to overwrite it")
        if known is None and not self.force and Path(self.name).is_symlink():
            raise InvalidInputError(
                self.name, "exists, a link to nothing", "Use --force to follow it"
            )
        if kind == stat.S_IFSOCK:
            raise InvalidInputError(self.name, "is a socket", "Name a file")
        if known is not None and not (os.access(self.path, os.W_OK) and known.st_mode & 0o222):
            raise InvalidInputError(self.name, "is read-only", "Name another file")
        if known is None or kind == stat.S_IFREG:
            self._check_folder(known)
        return self

    def _check_folder(self, known: os.stat_result | None) -> None:
        """Refuse a folder in which a file cannot be made, or not be given to its owner."""
        folder = self.path.parent
        if not folder.is_dir():
            raise InvalidInputError(self.name, f"its folder {folder} does not exist")
        if known is not None:
            for number in (1, 2):
                if same_file(known, number):
                    fact = f"is where standard {('output', 'error')[number - 1]} goes"
                    raise InvalidInputError(self.name, fact, "Name another file")
            if not may_give_to(known):
                fact = "belongs to another user or group, to whom a new file cannot be given"
                raise InvalidInputError(self.name, fact, "Remove it or name another file")
        trial = hidden_name(folder)
        with Guard():
            try:
                os.close(os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                trial.unlink()
            except OSError as err:
                fact = f"its folder {folder} is not writable ({err.strerror})"
                raise InvalidInputError(self.name, fact) from err

    @property
    def place(self) -> object:
        """The same for two names of the same place; None where many may write at once."""
        known = self.stat()
        if known is None or (self.descriptor is None and stat.S_ISREG(known.st_mode)):
            return os.path.normcase(self.path)
        if stat.S_ISCHR(known.st_mode):
            return self.descriptor
        return known.st_dev, known.st_ino


@dataclass(frozen=True)
class Targets:
    """Where the results of one selection go. None: nowhere."""

    indices: Target
    report: Target | None
    assignment: Target | None = None
    subset: Target | None = None

    @property
    def copies(self) -> list[Target]:
        """Those that hold a row for rows of the input."""
        return [place for place in (self.assignment, self.subset) if place is not None]

    @classmethod
    def of(
        cls,
        stem: str,
        output: str | None,
        report: str | None,
        *,
        assign: str | None = None,
        subset: str | None = None,
        force: bool,
        ratio: float | None = None,
    ) -> Targets:
        """What the options mean.

        `ratio`: one of several, which becomes part of the names.
        """
        mark = "" if ratio is None else f"-{ratio}"
        if report is None and output != "-":
            report = f"{stem}.report.json"
        if output == "-":
            if mark:
                raise InvalidInputError("-o -", "has no place for several ratios", "Name a file")
            indices = Target.stdout()
        else:
            name = f"{stem}.selected.npy" if output is None else output
            indices = Target.of(marked(name, mark), "--output", force=force)
            if not indices.is_stream:
                check_index_suffix(indices)
        places = {
            what: None if name is None else Target.of(marked(name, mark), f"--{what}", force=force)
            for what, name in (("report", report), ("assign", assign), ("subset", subset))
        }
        if places["assign"] is not None and not places["assign"].is_stream:
            check_index_suffix(places["assign"])
        return cls(indices, places["report"], places["assign"], places["subset"])


def default_stem(inputs: Sequence[str]) -> str:
    """What outputs are named after, known before anything is read."""
    if inputs[0] in ("-", "/dev/stdin"):
        return "stdin"
    if inputs[0].startswith(("/dev/", "/proc/")):  # as of <(...)
        return "pipe"
    first = Path(inputs[0])
    return first.resolve().name if kind_of(first) == stat.S_IFDIR else first.stem


def kind_of(path: Path) -> int:
    """Whether a path leads to a file, a folder, a FIFO ...; 0 where it leads nowhere."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except (OSError, ValueError):
        return 0


def check_distinct(targets: Sequence[Target]) -> None:
    """Refuse two results for one place."""
    names: dict[object, str] = {}
    for target in targets:
        place = target.place
        if place in names and place is not None:
            one = names[place]
            what = one if one == target.name else f"{one} and {target.name}"
            fact = "would take two results" if what == one else "are the same file"
            raise InvalidInputError(what, fact, "Name a file for each")
        names[place] = target.name


def check_index_suffix(target: Target) -> None:
    """Refuse a suffix that names no format of row numbers."""
    if target.suffix not in LIST_SUFFIXES:
        known = ", ".join(LIST_SUFFIXES)
        fact = f"has the suffix '{Path(target.name).suffix}', not one of {known}"
        raise InvalidInputError(target.name, fact)
    if target.suffix in (*PARQUET_SUFFIXES, *ARROW_SUFFIXES):
        from ..io import check_pyarrow

        check_pyarrow(partial(InvalidInputError, target.name), "writing it")


def page_target(name: str, what: str, *, force: bool, takes_stdout: bool = False) -> Target:
    """Where a page goes, and that it can be made: before the work."""
    from ..page import check_matplotlib

    check_matplotlib(partial(InvalidInputError, what))
    if takes_stdout and name == "-":
        return Target.stdout()
    target = Target.of(name, what, force=force)
    suffix = Path(name).suffix
    if not target.is_stream and suffix.lower() not in PAGE_SUFFIXES:
        known = " or ".join(PAGE_SUFFIXES)
        raise InvalidInputError(name, f"has the suffix '{suffix}', not {known}")
    return target


def marked(name: str, mark: str) -> str:
    """A name with a mark before its suffix."""
    path = Path(name)
    kind = kind_of(path)
    if not mark or name in ("", "-") or name.endswith(os.sep) or kind == stat.S_IFDIR:
        return name  # to be refused as it is
    if descriptor_of(name) is not None or kind not in (0, stat.S_IFREG):
        raise InvalidInputError(name, "has no place for several ratios", "Name a file")
    return str(path.with_name(f"{path.stem}{mark}{path.suffix}"))


def descriptor_of(name: str) -> int | None:
    """The number of an open file of this process that `name` leads to, as /dev/stdout does."""
    path = Path(name)
    for _ in range(40):  # as many links as Linux follows
        folder = os.path.realpath(path.parent)
        if path.name.isdecimal() and re.fullmatch(
            rf"/dev/fd|/proc/{os.getpid()}(/task/\d+)?/fd", folder
        ):
            return int(path.name)
        try:
            path = path.parent / path.readlink()
        except (OSError, ValueError):
            return None
    return None


def check_descriptor(name: str, number: int) -> None:
    """Refuse a file that is not open, or open for reading only."""
    try:
        os.fstat(number)
        with contextlib.suppress(ImportError):  # Windows does not tell
            import fcntl

            mode = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE
            if mode == os.O_RDONLY:
                raise InvalidInputError(name, "is closed or not open for writing", "Redirect it")
    except OSError as err:
        raise InvalidInputError(name, f"cannot be written ({err.strerror})") from err


def same_file(known: os.stat_result, number: int) -> bool:
    """Whether an open file is the one of `known`."""
    try:
        return os.path.samestat(known, os.fstat(number))
    except OSError:
        return False


def may_give_to(known: os.stat_result) -> bool:
    """Whether a new file of ours can get the owner and group of `known`."""
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        return True
    groups = {os.getegid(), *os.getgroups()}
    return known.st_uid == os.geteuid() and known.st_gid in groups


def hidden_name(folder: Path) -> Path:
    """A name that nobody else uses, short enough for every file system."""
    return folder / f".fast-select-{os.urandom(6).hex()}"
