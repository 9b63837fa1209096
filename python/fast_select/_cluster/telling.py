"""How far a crew is, as one run tells it."""

from __future__ import annotations

from typing import Any

from .._run import Run


class Telling:
    """Tells a run's stages, each once and in order, from what its members tell of themselves."""

    def __init__(self, run: Run) -> None:
        self._run, self._stages = run, run.shared_stages
        self._at, self._key = -1, (0, 0, 0.0)
        run.begin(self._stages[0])

    def tell(self, members: list[dict[str, Any]]) -> None:
        """Tell where the foremost of the members stands."""
        for member in members:
            stage, done, total = member["stage"], member["done"], member["total"]
            if stage not in self._stages:
                continue
            at = self._stages.index(stage)
            key = (len(member["selections"]), at, done / max(total, 1))
            if key > self._key:
                self._key = key
                self._pass(at)
                self._run.watch(stage, done, total)

    def finish(self) -> None:
        """Tell that all is done that members do."""
        self._pass(len(self._stages))
        self._run.are_shared_told = True

    def _pass(self, at: int) -> None:
        """Tell of stages before `at` that were over before a member told of them."""
        for stage in self._stages[self._at + 1 : at]:
            self._run.watch(stage, 1, 1)
        self._at = max(self._at, at)
