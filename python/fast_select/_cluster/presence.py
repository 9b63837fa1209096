"""Whether a cluster is still there, and tasks that are waited for as long as it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .._errors import ComputationError

if TYPE_CHECKING:
    from distributed import Client, Future

GRACE_S = 30.0
"""Time for workers to come, or to come back."""

POLL_S = 0.2
"""Time between two looks at tasks."""

LOOK_S = 1.0
"""Time between two questions for the workers."""


class Presence:
    """The workers that a client has."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._alone_since: float | None = None
        self._looked = 0.0
        self._found: dict[str, int] = {}

    def workers(self) -> dict[str, int]:
        """The threads of each worker, by its address.

        Raises
        ------
        ComputationError
            Where there have been none for a while, or the scheduler is gone.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return self._found
        self._looked = now
        try:
            self._found = {**self.client.nthreads()}
        except Exception as err:  # of many kinds: a client that has lost it closes by and by
            fact = "the scheduler is gone"
            fix = "Start it and run again: with a {checkpoint} what is done stays done"
            raise ComputationError("cluster", fact, fix) from err
        if self._found:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > GRACE_S:
            fact = f"there has been no worker for {GRACE_S:g} s"
            fix = "Start some and run again: with a {checkpoint} what is done stays done"
            raise ComputationError("cluster", fact, fix)
        return self._found

    def wait(self) -> dict[str, int]:
        """The same, once there are some."""
        while not (found := self.workers()):
            time.sleep(POLL_S)
        return found


def results_of(
    presence: Presence,
    futures: Sequence[Future],
    explained: Callable[[int, BaseException], BaseException],
) -> list[Any]:
    """The results of tasks, which are given up where that is stopped, or one of them fails.

    ``explained`` makes the error of a task, by its number, one that is told.
    """
    try:
        while not all(future.done() for future in futures):
            if any(future.status == "error" for future in futures):
                break
            presence.workers()
            time.sleep(POLL_S)
        for i, future in enumerate(futures):
            if future.status == "error":
                err = future.exception()
                raise explained(i, err) from err
        return [future.result() for future in futures]
    finally:
        presence.client.cancel(list(futures))
