"""What `select` and `demo` share: from arrays to files, tables and an exit."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from .._errors import InvalidInputError
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
    ) -> Targets:
        """The paths that the options mean, checked before any work."""
        if output == "-" and as_json:
            fact = "both print on stdout"
            raise InvalidInputError("-o - and --json", fact, "Give one of them a file")
        indices = None if output == "-" else Path(output or f"{stem}.selected.npy")
        if report is None and indices is not None:
            report = f"{stem}.report.json"
        targets = cls(indices, None if report is None else Path(report))
        if indices is not None:
            check_index_suffix(indices)
            if targets.report == indices:
                raise InvalidInputError(str(indices), "is named for both indices and report")
        for path in (targets.indices, targets.report):
            if path is not None:
                check_target(path, force=force)
        return targets


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
    targets: Targets,
    meter: Meter,
    *,
    quiet: bool,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Select, write what the targets name, and show the report."""
    from .._api import select

    digest = Hash(features)
    with StageProgress(quiet=quiet) as progress:
        result = select(features.x, labels=labels, progress=progress, meter=meter, **parameters)
    names = [str(path) for path in features.files] or ["-"]
    result.report["input"] = {
        "files": names,
        "sha256": digest.digest(),
        **result.report["input"],
    }
    writers = {}
    if targets.indices is not None:
        chosen = None if labels is None else np.asarray(labels)[result.indices]
        writers[targets.indices] = index_writer(targets.indices, result.indices, chosen)
    if targets.report is not None:
        writers[targets.report] = json_writer(result.report)
    write_all(writers)
    if not quiet:
        from ._tables import show

        many = f"{result.indices.size} indices of {features.x.shape[0]} rows"
        where = targets.indices or "stdout"
        written = [f"Wrote {many} to {where}"]
        if targets.report is not None:
            written.append(f"Wrote the report to {targets.report}")
        show(result.report, written)
    if targets.indices is None:
        print_lines(result.indices)
    elif as_json:
        click.echo(to_json(result.report), nl=False)
