"""What the workers are, asked before any work."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import _core
from .._errors import refused
from .._locks import Lock
from .._text import counted

if TYPE_CHECKING:
    from distributed import Client

LISTED = 3
"""Workers that an error names."""


@dataclass(frozen=True)
class Worker:
    """A worker's fast-select; ``version`` is empty where it has none."""

    version: str
    instruction_set: str
    instruction_sets: tuple[str, ...]


def workers_of(
    client: Client, addresses: Sequence[str], instruction_set: str | None
) -> dict[str, Worker]:
    """What workers are, by their address; those that are gone meanwhile are left out.

    They use ``instruction_set`` from now on, if they have it and none is in use yet.
    """
    about = _about(_core.info()["instruction_set"], is_pinned=instruction_set is not None)
    found = _asked(client, addresses, about)
    return {address: Worker(**facts) for address, facts in found.items()}


def check_alike(workers: Mapping[str, Worker], instruction_set: str | None) -> None:
    """Refuse workers that might select other rows than this process.

    ``instruction_set``: the one that is asked for, if any.
    """
    info = _core.info()
    others = [address for address, each in workers.items() if each.version != info["version"]]
    if others:
        then = workers[others[0]].version
        has = f"has fast-select {then}" if then else "has no fast-select that can be loaded"
        fact = f"{_named(others)} {has}, this process {info['version']}"
        raise refused("cluster", fact, "Install the same version everywhere")
    own = info["instruction_set"]
    others = [address for address, each in workers.items() if each.instruction_set != own]
    if others:
        fact = f"{_named(others)} uses {workers[others[0]].instruction_set}, this process {own}"
        common = [
            name
            for name in _core.instruction_sets()
            if all(name in each.instruction_sets for each in workers.values())
        ]
        fix = f"Set {{instruction_set}} to {common[-1]}, which all have"
        if instruction_set is not None and own in common:
            fix = f"Start these workers anew: they use another than {own} already"
        raise refused("cluster", fact, fix)


def check_see(
    client: Client, addresses: Sequence[str], folder: Path, lock: Path, files: Sequence[Path]
) -> None:
    """Refuse workers that do not see ``folder``, whose ``lock`` this process has, or ``files``."""
    sizes = [(str(path), path.stat().st_size) for path in files]
    blind = _asked(client, addresses, _seeing, str(folder), str(lock), sizes)
    for address, fact in blind.items():
        if fact:
            fix = "Name files and a folder on a file system that all workers share"
            raise refused("cluster", f"worker {address} {fact}", fix)


def _asked(
    client: Client, addresses: Sequence[str], function: Callable[..., Any], *args: Any
) -> dict[str, Any]:
    """What ``function`` returns on each worker that is there."""
    if not addresses:
        return {}
    found = client.run(function, *args, workers=list(addresses), on_error="return")
    gone = (OSError, TimeoutError)
    for result in found.values():
        if isinstance(result, Exception) and not isinstance(result, gone):
            raise result
    return {address: each for address, each in found.items() if not isinstance(each, gone)}


def _about(own: str, *, is_pinned: bool) -> Callable[[], dict[str, Any]]:
    """A function that tells what a worker is; sent as it is, since workers may have none of this.

    ``own``: what this process uses. A worker that would use another by itself is left as it is.
    """

    def about() -> dict[str, Any]:
        try:
            import os

            from fast_select import _core

            available = tuple(_core.instruction_sets())
            usual = os.environ.get("FAST_SELECT_INSTRUCTION_SET") or available[-1]
            if own in available and (is_pinned or usual == own):
                _core.prefer_instruction_set(own)
                usual = _core.info()["instruction_set"]
            version = _core.__version__
        except Exception:
            version, usual, available = "", "", ()
        return {"version": version, "instruction_set": usual, "instruction_sets": available}

    return about


def _seeing(folder: str, lock: str, sizes: Sequence[tuple[str, int]]) -> str:
    """What a worker does not see; nothing, where all is well."""
    if not os.path.isdir(folder):  # noqa: PTH112
        return f"does not see the folder '{folder}'"
    if not os.access(folder, os.W_OK):
        return f"cannot write to the folder '{folder}'"
    try:
        taken = Lock.take(Path(lock))
    except OSError as err:
        return f"cannot lock files in '{folder}' ({err.strerror})"
    if taken is not None:
        taken.release()
        return f"does not see locks of other machines in '{folder}'"
    for name, size in sizes:
        try:
            found = os.stat(name).st_size  # noqa: PTH116
        except OSError as err:
            return f"does not see '{name}' ({err.strerror})"
        if found != size:
            return f"sees another '{name}', of {found} bytes and not {size}"
    return ""


def _named(addresses: Sequence[str]) -> str:
    """Workers as the subject of a sentence."""
    if len(addresses) == 1:
        return f"worker {addresses[0]}"
    first = ", ".join(addresses[:LISTED]) + ", ..." * (len(addresses) > LISTED)
    return f"each of {counted(len(addresses), 'worker')} ({first})"
