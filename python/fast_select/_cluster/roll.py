"""The members of a crew: one on each worker, started and watched."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import ComputationError, FastSelectError
from .deaths import Deaths
from .member import DONE, Task, work
from .presence import POLL_S, Presence

if TYPE_CHECKING:
    from distributed import Future

RESULT_S = 5.0
"""Time for a result to come from its worker."""


@dataclass(frozen=True)
class Member:
    """A member on its way, and its notes."""

    future: Future
    notes: Path


class Roll:
    """The members that do a task.

    ``fits``: whether a worker, by its address, can be one; None for one that is gone.
    """

    def __init__(self, presence: Presence, task: Task, fits: Callable[[str], bool | None]) -> None:
        self._presence, self._task, self._fits = presence, task, fits
        self._members: dict[str, Member] = {}
        self._deaths = Deaths()

    def look(self) -> bool:
        """Start members on workers that have none, and tell whether the work is done.

        Raises
        ------
        FastSelectError
            What a member has failed with, or that too many died.
        """
        workers = self._presence.workers()
        for address, n_threads in workers.items():
            if address not in self._members and self._fits(address):
                self._start(address, n_threads, len(workers))
        done = [self._is_done(address, workers) for address in list(self._members)]
        return any(done)

    def wait(self, seconds: float) -> None:
        """Wait for all to end whose workers are there."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            workers = self._presence.workers()
            if all(m.future.done() for at, m in self._members.items() if at in workers):
                return
            time.sleep(POLL_S)

    def give_up(self) -> None:
        """Want nothing more of those that have not begun."""
        self._presence.client.cancel([member.future for member in self._members.values()])

    def _start(self, address: str, n_threads: int, n_workers: int) -> None:
        name = uuid.uuid4().hex
        notes = self._task.own / f"{name}.notes"
        place = (len(self._members) % n_workers, n_workers)
        future = self._presence.client.submit(
            work, self._task, place, n_threads, str(notes),
            workers=[address], key=f"fast-select-{name}",
        )  # fmt: skip
        self._members[address] = Member(future, notes)

    def _is_done(self, address: str, workers: Mapping[str, int]) -> bool:
        """Whether a member has done its share; one that has died is counted, and forgotten."""
        from distributed import KilledWorker

        future = self._members[address].future
        error: BaseException | None = None
        if future.status == "error":
            error = future.exception(timeout=RESULT_S)
        elif future.status == "finished":
            try:
                outcome = future.result(timeout=RESULT_S)
            except TimeoutError:  # its worker has gone with it
                outcome = None
            if isinstance(outcome, FastSelectError):
                raise outcome
            if outcome == DONE:
                return True
        elif future.status == "pending" and address in workers:
            return False
        if isinstance(error, MemoryError):
            fact = f"cannot be had by worker {address}"
            fix = "Set {max_memory}, or give workers more"
            raise ComputationError("memory", fact, fix) from error
        is_killed = isinstance(error, KilledWorker)
        if error is not None and not is_killed:
            raise error
        self._deaths.count(self._members.pop(address).notes, is_last=is_killed)
        return False
