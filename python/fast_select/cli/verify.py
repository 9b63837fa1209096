"""``fast-select verify REPORT [INPUT...]``: the same rows once more, or what differs."""

from __future__ import annotations

from typing import Any

import click

from ._options import (
    StrictCommand,
    feature_options,
    file_names,
    group_options,
    parted,
    progress_options,
    table_options,
)


@click.command(cls=StrictCommand, short_help="Make a selection again from its report.")
@click.argument("report")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@feature_options
@group_options
@table_options("verify")
@progress_options
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def verify(
    report: str,
    inputs: tuple[str, ...],
    threads: int | None,
    quiet: bool,
    progress_kind: str,
    as_json: bool,
    **parameters: Any,
) -> int:
    """Select again what REPORT tells of, and say "The same rows", or what differs.

    Input, labels and lists of rows are found as they were named, here or beside REPORT; what is
    named on the command line takes their place, in any format. They are compared by what they
    hold, then the rows are selected again: exit code 0 where nothing differs, else 1.

    \b
    fast-select verify x.report.json
    fast-select verify x.report.json moved/x.npz --key x
    """  # fmt: skip
    from dataclasses import asdict

    from .._checks import as_rows
    from .._verify import Replay, prefer_instruction_set
    from ._inputs import read_arrays, read_matrix
    from ._output import check_stdout, print_json
    from ._progress import StageProgress
    from ._recorded import located, read_records, recorded_rows
    from ._sources import Sources

    check_stdout()
    found = read_records(report)
    prefer_instruction_set(found[0])
    own, _ = parted({"inputs": list(inputs) or None, **parameters})
    named = located(found[0], own)
    sources = Sources([report, *file_names(named)])
    features = read_matrix(named)
    sources.read(features.files)
    outcomes = []
    with StageProgress(progress_kind, quiet=quiet) as progress:
        replay = Replay(as_rows(features.x), threads, progress)
        arrays = read_arrays(named, features) if replay.has_shape(found[0]) else {}
        for record in found:
            sha256 = features.sha256() if "values" not in record.hashes else None
            rows = recorded_rows(record, features.ids)
            outcomes.append(replay.outcome(record, arrays, rows=rows, files_sha256=sha256))
    sources.check_unchanged()
    if as_json:
        told = [asdict(outcome) for outcome in outcomes]
        print_json(told[0] if len(told) == 1 else told)
    else:
        click.echo("\n".join(map(str, outcomes)))
    return 0 if all(outcome.same for outcome in outcomes) else 1
