"""The workers that ``--cluster`` names."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import InvalidInputError
from ._options import array_names
from ._signals import stop

if TYPE_CHECKING:
    from .._cluster.crew import Crew
    from .._scratch import Scratch

ENDING = ("SIGTERM", "SIGHUP")
"""Signals that end a process at once, where nothing is to be put in order."""


@contextlib.contextmanager
def crew_on(
    cluster: str | None,
    named: dict[str, Any],
    checkpoint: str | None,
    scratch: Scratch | None,
    instruction_set: str | None,
    options: Mapping[str, Any],
) -> Iterator[tuple[Crew | None, dict[str, Any]]]:
    """The crew, if there is to be one, and `named` with copies of what lies elsewhere."""
    if cluster is None:
        for name in named["inputs"]:
            if "://" in name and not Path(name).exists():
                fix = "Add --cluster local, or copy it yourself"
                raise InvalidInputError(name, "is a URL, which workers of a cluster copy", fix)
        yield None, named
        return
    from .._checks import usable_threads
    from .._cluster.connection import connected
    from .._cluster.crew import Crew

    threads = options.get("threads") or usable_threads()
    with (
        _put_in_order(),
        connected(cluster, threads) as client,
        Crew(client, checkpoint, scratch, instruction_set) as crew,
    ):
        arrays = array_names() & named.keys()
        copies = crew.fetched([*named["inputs"], *(named[name] for name in arrays)])
        here = {**named, "inputs": tuple(copies.get(name, name) for name in named["inputs"])}
        here |= {name: copies.get(named[name], named[name]) for name in arrays}
        yield crew, here


@contextlib.contextmanager
def _put_in_order() -> Iterator[None]:
    """Have signals that end the process wait for folders to be removed, and members to end."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ENDING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
