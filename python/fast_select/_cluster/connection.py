"""From the word after ``--cluster`` to a client of Dask."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import ComputationError, refused

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
"""The word for workers on this machine, which end with the run."""

TIMEOUT_S = 5
"""Time for a scheduler to answer."""


@contextlib.contextmanager
def connected(word: str, threads: int) -> Iterator[Client]:
    """A client of the scheduler that ``word`` names, or of workers here with ``threads`` in all.

    Raises
    ------
    InvalidInputError
        Where nothing answers there, or Dask is missing.
    """
    check_installed()
    # What Dask has to tell is told by errors. Its loggers have levels of their own.
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"(dask|distributed)\.")
    if word == LOCAL:
        with _workers_here(threads) as client:
            yield client
        return
    from distributed import Client

    address = _address(word)
    _check_answers(word, address)
    with Client(address, timeout=TIMEOUT_S, set_as_default=False) as client:
        yield client


def check_installed() -> None:
    """Refuse to go on without Dask."""
    try:
        import distributed  # noqa: F401
    except ImportError as err:
        fix = "Install it with pip install 'fast-select[dask]'"
        raise refused("cluster", f"needs dask.distributed ({err})", fix) from err


@contextlib.contextmanager
def _workers_here(threads: int) -> Iterator[Client]:
    import dask
    from distributed import Client, LocalCluster
    from distributed.deploy.utils import nprocesses_nthreads

    n_processes, n_threads = nprocesses_nthreads(threads)
    with contextlib.ExitStack() as stack:
        own = tempfile.TemporaryDirectory(prefix="fast-select-dask-", ignore_cleanup_errors=True)
        stack.enter_context(dask.config.set({"temporary-directory": stack.enter_context(own)}))
        try:
            cluster = LocalCluster(
                n_workers=n_processes,
                threads_per_worker=n_threads,
                processes=True,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                # Mapped pages, which the system takes back, would count.
                memory_limit=0,
            )
            stack.enter_context(cluster)
            client = stack.enter_context(Client(cluster, set_as_default=False))
            client.run(_ignore_interrupts)
        except (OSError, RuntimeError) as err:
            fact = f"workers cannot be started here ({err})"
            raise ComputationError("cluster", fact, "Lower {threads}") from err
        yield client


def _ignore_interrupts() -> None:
    """Leave Ctrl-C, which a terminal sends to all processes, to the one that has the workers."""
    import signal
    import threading

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _address(word: str) -> str:
    """The address that a word is, or that a scheduler file has."""
    path = Path(word)
    try:
        is_file = "://" not in word and path.is_file()
    except (OSError, ValueError):
        is_file = False
    if is_file:
        try:
            return str(json.loads(path.read_bytes())["address"])
        except (OSError, ValueError, KeyError, TypeError) as err:
            fact = f"'{word}' is no scheduler file"
            raise refused("cluster", fact, "Name the file that dask scheduler has written") from err
    host, colon, port = word.rpartition(":")
    if not (host and colon and port.strip("/").isdecimal()):
        fact = f"'{word}' is neither an address nor a file"
        fix = f"Name an address such as tcp://host:8786, a scheduler file, or {LOCAL}"
        raise refused("cluster", fact, fix)
    return word


def _check_answers(word: str, address: str) -> None:
    """Refuse an address where no scheduler answers.

    A client that finds none would go on looking for it, even when it is closed.
    """
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.core import rpc
    from distributed.security import Security

    async def identity() -> object:
        how = Security().get_connection_args("client")
        async with rpc(address, timeout=TIMEOUT_S, connection_args=how) as scheduler:
            return await asyncio.wait_for(scheduler.identity(), TIMEOUT_S)

    fix = "Check the address, and whether it runs"
    try:
        scheme, place = parse_address(address)
        if scheme in ("tcp", "tls"):  # Dask would try for the whole time, and not say why
            socket.create_connection(parse_host_port(place), TIMEOUT_S).close()
        found = asyncio.run(identity())
    except (Exception, asyncio.CancelledError) as err:  # what else answers may say anything
        reason = getattr(err, "strerror", None) or str(err)
        is_clear = isinstance(err, (OSError, ValueError)) and reason
        because = f" ({reason})" if is_clear else ""
        raise refused("cluster", f"no scheduler answers at {word}{because}", fix) from err
    if not isinstance(found, dict) or found.get("type") != "Scheduler":
        raise refused("cluster", f"what answers at {word} is no scheduler", fix)
