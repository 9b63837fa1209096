"""What `select` and `demo` share: from arrays to files, tables and an exit."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._errors import InvalidInputError
from .._lent import Lent
from .._text import counted
from ..energy import Meter
from ..io import Features
from ._commit import Outcome, Writer, write_all
from ._output import (
    assignment_columns,
    has_columns,
    json_printer,
    json_writer,
    page_writer,
    table_writer,
)
from ._progress import StageProgress
from ._sources import Sources
from ._subset import check_subset, subset_writer
from ._targets import Target, Targets, check_distinct

if TYPE_CHECKING:
    from ..page import Told


class Hash(threading.Thread):
    """SHA-256 of the input, taken while the core computes."""

    def __init__(self, features: Features) -> None:
        super().__init__(daemon=True)
        self._features = features
        self._digest: str | None = None
        # Where the system has no thread left, the digest is taken when it is asked for.
        with contextlib.suppress(RuntimeError):
            self.start()

    def run(self) -> None:
        """Hash; a file that has gone meanwhile has no digest, nor one without memory to read it."""
        with contextlib.suppress(OSError, MemoryError):
            self._digest = self._features.sha256()

    def digest(self) -> str | None:
        """Wait for the digest, open to Ctrl-C."""
        if self.ident is None:
            self.run()
        while self.is_alive():
            self.join(0.1)
        return self._digest


def places(
    stem: str,
    output: str | None,
    report: str | None,
    assign: str | None = None,
    subset: str | None = None,
    *,
    page: Target | None = None,
    ratios: Sequence[float],
    as_json: bool,
    force: bool,
) -> list[Targets]:
    """Where the results of each of `ratios`, or of a count, go; checked before any work.

    `page`: where that on all of them goes.
    """
    if output == "-" and as_json:
        fact = "both print on stdout"
        raise InvalidInputError("-o - and --json", fact, "Give one of them a file")
    several = ratios if len(ratios) > 1 else (None,)
    targets = [
        Targets.of(stem, output, report, assign=assign, subset=subset, force=force, ratio=ratio)
        for ratio in several
    ]
    check_distinct([*files_of(targets, page), *([Target.stdout()] if as_json else [])])
    return targets


def files_of(targets: Sequence[Targets], page: Target | None = None) -> list[Target]:
    """All places, one after the other."""
    places = ((each.indices, each.report, each.assignment, each.subset) for each in targets)
    return [place for each in (*places, (page,)) for place in each if place is not None]


def select_and_write(
    features: Features,
    matrix: Lent,
    named: dict[str, Any],
    targets: Sequence[Targets],
    meter: Meter,
    sources: Sources,
    outcome: Outcome,
    *,
    page: Target | None,
    balance_file: str | None = None,
    ratios: Sequence[float],
    quiet: bool,
    progress_kind: str,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Select at each of `ratios`, or a count, write what the targets name, show the reports.

    `matrix`: that of the features, let go of once it is prepared; `named`: how the input was named,
    by which `verify` finds it again; `balance_file`: of the rows of each class.
    """
    from .._select import select, select_nested

    sources.read(features.files)
    sources.check_apart(files_of(targets, page))
    # Lists of rows are passed over when a folder is read.
    sources.check_no_shard(place for each in targets for place in each.copies)
    for target in targets:
        if target.subset is not None:
            check_subset(target.subset, features)
    digest = Hash(features)
    with StageProgress(progress_kind, quiet=quiet) as progress:
        given = {"ids": features.ids, "assign": targets[0].assignment is not None, **parameters}
        shared: dict[str, Any] = {"progress": progress, "meter": meter, **given}
        if len(ratios) > 1:
            results = select_nested(matrix, ratios=ratios, **shared)
        else:
            results = [select(matrix, ratio=next(iter(ratios), None), **shared)]
    origin: dict[str, Any] = {"files": [str(path) for path in features.files] or ["-"]}
    if features.dataset is not None:
        origin["columns"] = list(features.columns)
    if balance_file is not None:
        origin["balance_file"] = balance_file
    outputs: list[tuple[Target, Writer]] = []
    for result, target in zip(results, targets, strict=True):
        origin["sha256"] = digest.digest()
        result.report["selection"]["notes"] += features.notes
        result.report["input"] = {**origin, **result.report["input"], "named": named}
        if not target.indices.is_stream:
            result.report["selection"]["file"] = target.indices.name
        outputs.append((target.indices, table_writer(target.indices, result.columns())))
        if target.report is not None:
            outputs.append((target.report, json_writer(result.report)))
        if target.assignment is not None:
            columns = assignment_columns(result, features.ids)
            outputs.append((target.assignment, table_writer(target.assignment, columns)))
        if target.subset is not None:
            writer = subset_writer(target.subset, features, result.indices, sources)
            outputs.append((target.subset, writer))
    reports = [result.report for result in results]
    if page is not None:
        outputs.append((page, page_writer(_told(reports, targets))))
    if as_json:
        printer = json_printer(reports[0] if len(reports) == 1 else reports)
        outputs.append((Target.stdout(), printer))
    sources.check_unchanged()
    write_all(outputs, outcome)
    if not quiet and progress_kind != "json":
        from ._tables import show

        for result, target in zip(results, targets, strict=True):
            many = counted(result.indices.size, "index", "indices")
            many += f" of {counted(features.x.shape[0], 'row')}"
            written = [f"Wrote {many} to {target.indices.name}"]
            if result.weights is not None and not has_columns(target.indices):
                written.append("Weights have a place in tables and .npz only: -o rows.csv")
            if target.assignment is not None:
                written.append(f"Wrote the pick of each row to {target.assignment.name}")
            if target.report is not None:
                written.append(f"Wrote the report to {target.report.name}")
            if target.subset is not None:
                written.append(f"Wrote the rows to {target.subset.name}")
            if page is not None and target is targets[-1]:
                written.append(f"Wrote the page to {page.name}")
            show(result.report, written)


def _told(reports: Sequence[dict[str, Any]], targets: Sequence[Targets]) -> list[Told]:
    """The reports as a page shows them, named after their files."""
    from ..page import Told

    names = ["report" if target.report is None else target.report.name for target in targets]
    several = len(reports) > 1
    return [
        Told.of(report, name, of_several=several)
        for report, name in zip(reports, names, strict=True)
    ]
