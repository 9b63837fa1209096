"""What `select` and `demo` share: from arrays to files, tables and an exit."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from .._errors import InvalidInputError
from .._text import counted
from ..energy import Meter
from ..io import Features
from ._output import (
    check_index_suffix,
    check_target,
    index_writer,
    json_writer,
    print_lines,
    to_json,
    write_all,
)
from ._progress import StageProgress


@dataclass(frozen=True)
class Targets:
    """Where results go. None: nowhere; `indices` None: stdout."""

    indices: Path | None
    report: Path | None

    @classmethod
    def of(
        cls,
        stem: str,
        output: str | None,
        report: str | None,
        *,
        as_json: bool,
        force: bool,
        ratio: float | None = None,
    ) -> Targets:
        """The paths that the options mean, checked before any work.

        `ratio`: one of several, which becomes part of the names.
        """
        mark = "" if ratio is None else f"-{ratio}"
        if output == "-" and mark:
            raise InvalidInputError("-o -", "has no place for several ratios", "Name a file")
        if output == "-" and as_json:
            fact = "both print on stdout"
            raise InvalidInputError("-o - and --json", fact, "Give one of them a file")
        indices = None if output == "-" else marked(output or f"{stem}.selected.npy", mark)
        if report is None and indices is not None:
            report = f"{stem}.report.json"
        targets = cls(indices, None if report is None else marked(report, mark))
        if indices is not None:
            check_index_suffix(indices)
            if targets.report == indices:
                raise InvalidInputError(str(indices), "is named for both indices and report")
        for path in (targets.indices, targets.report):
            if path is not None:
                check_target(path, force=force)
        return targets


def marked(name: str, mark: str) -> Path:
    """A path with a mark before its suffix."""
    path = Path(name)
    return path.with_name(f"{path.stem}{mark}{path.suffix}")


class Hash(threading.Thread):
    """SHA-256 of the input, taken while the core computes."""

    def __init__(self, features: Features) -> None:
        super().__init__(daemon=True)
        self._features = features
        self._digest: str | None = None
        self.start()

    def run(self) -> None:
        """Hash; a file that has gone meanwhile has no digest."""
        try:
            self._digest = self._features.sha256()
        except OSError:
            self._digest = None

    def digest(self) -> str | None:
        """Wait for the digest, open to Ctrl-C."""
        while self.is_alive():
            self.join(0.1)
        return self._digest


def select_and_write(
    features: Features,
    labels: NDArray[Any] | None,
    targets: Sequence[Targets],
    meter: Meter,
    *,
    ratios: Sequence[float],
    quiet: bool,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Select at each of `ratios`, or a count, write what the targets name, show the reports."""
    from .._select import select, select_nested

    digest = Hash(features)
    with StageProgress(quiet=quiet) as progress:
        shared = {"labels": labels, "progress": progress, "meter": meter, **parameters}
        if len(ratios) > 1:
            results = select_nested(features.x, ratios=ratios, **shared)
        else:
            results = [select(features.x, ratio=next(iter(ratios), None), **shared)]
    names = [str(path) for path in features.files] or ["-"]
    writers = {}
    for result, target in zip(results, targets, strict=True):
        facts = {"files": names, "sha256": digest.digest(), **result.report["input"]}
        result.report["input"] = facts
        if target.indices is not None:
            chosen = None if labels is None else np.asarray(labels)[result.indices]
            writers[target.indices] = index_writer(target.indices, result.indices, chosen)
        if target.report is not None:
            writers[target.report] = json_writer(result.report)
    write_all(writers)
    for result, target in zip(results, targets, strict=True):
        if not quiet:
            from ._tables import show

            many = counted(result.indices.size, "index", "indices")
            many += f" of {counted(features.x.shape[0], 'row')}"
            written = [f"Wrote {many} to {target.indices or 'stdout'}"]
            if target.report is not None:
                written.append(f"Wrote the report to {target.report}")
            show(result.report, written)
        if target.indices is None:
            print_lines(result.indices)
    if as_json:
        reports = [result.report for result in results]
        click.echo(to_json(reports[0] if len(reports) == 1 else reports), nl=False)
