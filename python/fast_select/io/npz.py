"""The .npz format: a zip archive of .npy members."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .._arrays import Refuse
from .._errors import InvalidInputError
from .._text import shortened
from . import npy

MAGICS = (b"PK\3\4", b"PK\5\6")
"""What an archive begins with, and one without members."""

END = b"PK\5\6"
END_SIZE = 22
LONGEST_COMMENT = 65_535


class Archive:
    """Arrays by name, in a file or in memory; nothing is read but what is asked for."""

    def __init__(self, file: Path | IO[bytes], refuse: Refuse) -> None:
        self._file, self.refuse = file, refuse
        with self._opened() as archive:
            members = archive.infolist()
            if archive.fp is not None:
                self._check_ends(archive.fp, members)
        twice = [name for name, many in Counter(m.filename for m in members).items() if many > 1]
        if twice:
            raise refuse(f"holds '{shortened(twice[0])}' twice", "Keep one of them")
        self.names = [m.filename[:-4] for m in members if _is_array(m.filename)]

    def header(self, name: str) -> npy.Header:
        """What a member's header says."""
        with self._opened() as archive, self._member(archive, name) as file:
            return npy.read_header(file, self.refuse)

    def read(self, name: str) -> NDArray[Any]:
        """An array, unpacked."""
        with self._opened() as archive, self._member(archive, name) as file:
            size = archive.getinfo(f"{name}.npy").file_size
            return npy.read_array(file, self.refuse, size)

    def chosen(self, key: str | None, ndim: int, flag: str | None) -> str:
        """The member called `key`, else the only one, else the only one of `ndim` dimensions.

        `flag`: what chooses among several.
        """
        if key is not None:
            if key in self.names:
                return key
            listed = ", ".join(map(shortened, self.names)) or "none"
            raise self.refuse(f"has no array '{key}', only {listed}")
        if len(self.names) == 1:
            return self.names[0]
        if not self.names:
            raise self.refuse("holds no arrays")
        shapes = {name: self.header(name).shape for name in self.names}
        fitting = [name for name, shape in shapes.items() if len(shape) == ndim]
        if len(fitting) == 1:
            return fitting[0]
        listed = ", ".join(f"{shortened(name)} {shape}" for name, shape in shapes.items())
        fix = f"Choose one with {flag}" if flag else "Keep one array in it"
        raise self.refuse(f"holds {listed}", fix)

    def cut(self, file: IO[bytes], rows: NDArray[np.int64], n: int) -> None:
        """Write the archive to `file`: of arrays with n rows only `rows`, which ascend."""
        cut = self.names_of_rows(n)
        with self._opened() as old, zipfile.ZipFile(file, "w") as new:
            for info in old.infolist():
                name = info.filename
                written = zipfile.ZipInfo(name, info.date_time)
                written.compress_type = info.compress_type
                with new.open(written, "w", force_zip64=True) as member:
                    if name.removesuffix(".npy") not in cut:
                        with old.open(info) as source:
                            shutil.copyfileobj(source, member, npy.BLOCK)
                        continue
                    with self._member(old, name.removesuffix(".npy")) as source:
                        npy.cut(source, member, rows, self.refuse)

    def names_of_rows(self, n: int) -> list[str]:
        """The arrays that have something for each of n rows."""
        return [name for name in self.names if self.header(name).shape[:1] == (n,)]

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self._file) as archive:
                yield archive
        except (InvalidInputError, MemoryError):
            raise
        except NotImplementedError as err:
            raise self.refuse(f"cannot be unpacked ({err})", "Save it by numpy.savez") from err
        except Exception as err:  # zipfile and its codecs raise a dozen kinds
            reason = getattr(err, "strerror", None) or str(err) or type(err).__name__
            fact = f"cannot be read: truncated or not an array file ({reason})"
            raise self.refuse(fact) from err

    def _member(self, archive: zipfile.ZipFile, name: str) -> IO[bytes]:
        info = archive.getinfo(f"{name}.npy")
        if info.flag_bits & 1:
            raise self.refuse(
                f"'{shortened(name)}' in it is encrypted", "Save it without a password"
            )
        return archive.open(info)

    def _check_ends(self, file: IO[bytes], members: list[zipfile.ZipInfo]) -> None:
        """Refuse what stands before and behind the archive, which zipfile skips."""
        if min((member.header_offset for member in members), default=0):
            raise self.refuse("holds more than its archive", "Split files that were joined")
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - END_SIZE - LONGEST_COMMENT))
        tail = file.read()
        at = tail.rfind(END)
        if len(tail) - at - END_SIZE != int.from_bytes(tail[at + 20 : at + 22], "little"):
            raise self.refuse("holds more than its archive", "Split files that were joined")


def _is_array(name: str) -> bool:
    """Whether a member is an array; hidden ones are what macOS notes beside files."""
    return name.endswith(".npy") and not name.rpartition("/")[2].startswith(".")
