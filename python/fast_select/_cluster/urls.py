"""Files elsewhere, as fsspec opens them, copied by workers into the folder that all see."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from .._errors import ComputationError, InvalidInputError
from .._suffixes import FAMILIES, FEATURE_SUFFIXES, LIST_SUFFIXES
from .presence import Presence, results_of
from .shared import no_room

FOLDER = ".fetched"
BLOCK = 16 << 20


def is_url(name: object) -> bool:
    """Whether a name is a URL."""
    return isinstance(name, str) and "://" in name


def fetched(presence: Presence, urls: Iterable[str], folder: Path) -> dict[str, str]:
    """Copies of what ``urls`` name, files and folders of files, by URL; what is there stays."""
    from distributed import KilledWorker

    urls, client = list(dict.fromkeys(urls)), presence.client

    def explained(i: int, err: BaseException, of: list[str]) -> BaseException:
        if isinstance(err, KilledWorker):
            fact = f"workers died again and again while they copied {of[i]}"
            return ComputationError("cluster", fact, "Look at their logs")
        return err

    asked = [client.submit(_listed, url, pure=False) for url in urls]
    listed = results_of(presence, asked, lambda i, err: explained(i, err, urls))
    places: dict[str, str] = {}
    copies: list[tuple[str, Path]] = []
    for url, files in zip(urls, listed, strict=True):
        key = hashlib.sha256(repr((url, files)).encode()).hexdigest()[:16]
        own = folder / FOLDER / key
        copies += [(file, own / _name(file)) for file, _ in files]
        is_one = len(files) == 1 and files[0][0] == url
        places[url] = str(copies[-1][1] if is_one else own)
    missing = [(file, path) for file, path in copies if not path.exists()]
    asked = [client.submit(_copied, file, str(path), pure=False) for file, path in missing]
    results_of(presence, asked, lambda i, err: explained(i, err, [file for file, _ in missing]))
    return places


def _name(url: str) -> str:
    """The name of a file, without what a request adds to it."""
    path = url.split("::", 1)[0].split("://", 1)[-1]
    return PurePosixPath(path.split("?", 1)[0]).name


def _listed(url: str) -> list[tuple[str, str]]:
    """The files that a URL names, each with what tells it from what it was before."""
    try:
        import fsspec

        fs, path = fsspec.core.url_to_fs(url)
        if PurePosixPath(_name(url)).suffix.lower() in {*FEATURE_SUFFIXES, *LIST_SUFFIXES, ".json"}:
            if "*" not in path:
                return [(url, str(fs.ukey(path)))]
            found = fs.glob(path)
        else:
            found = fs.ls(path, detail=False)
        names = [name for name in found if not _name(str(name)).startswith(".")]
        for suffixes in FAMILIES.values():
            own = [n for n in names if PurePosixPath(_name(n)).suffix.lower() in suffixes]
            if own:
                return [(fs.unstrip_protocol(name), str(fs.ukey(name))) for name in own]
    except Exception as err:  # of whatever package opens it
        raise _unreadable(url, err) from err
    fact = f"holds no files with features ({', '.join(FEATURE_SUFFIXES)})"
    raise InvalidInputError(url, fact)


def _copied(url: str, name: str) -> None:
    """Copy a file, whole or not at all."""
    path = Path(name)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as to:
            for block in _blocks(url):
                to.write(block)
        part.replace(path)
    except OSError as err:
        raise no_room(path.parent, err) from err
    finally:
        part.unlink(missing_ok=True)


def _blocks(url: str) -> Iterator[bytes]:
    try:
        import fsspec

        with fsspec.open(url, "rb") as source:
            while block := source.read(BLOCK):
                yield block
    except Exception as err:
        raise _unreadable(url, err) from err


def _unreadable(url: str, err: Exception) -> InvalidInputError:
    reason = " ".join(str(err).split()) or type(err).__name__
    fix = "Install what it names on all workers" if isinstance(err, ImportError) else "Check it"
    return InvalidInputError(url, f"cannot be read ({reason})", fix)
