"""The parts of a page in words: what a run took, notes, figures, how it was made and from what."""

from __future__ import annotations

from .._text import counted, figure
from ..cli._tables import (
    crew_line,
    idle_lines,
    input_lines,
    quality_table,
    ranking_table,
    weight_line,
)
from .command import COUNTS, command
from .markup import bullets, entries, paragraph, remark, shell_line, table
from .told import Told


def took(told: Told) -> str:
    """What a run took in all, and what its joules mean."""
    report = told.report
    totals, energy, memory = report["totals"], report["energy"], report["memory"]
    low, high = energy["low_joules"], energy["high_joules"]
    pairs = [
        ("wall time", f"{figure(totals['wall_s'], 2)} s"),
        ("CPU time", f"{figure(totals['cpu_s'], 2)} s"),
        ("energy", f"{figure(totals['joules'], 2)} J, {energy['source']}"),
        ("between", None if low is None or high is None
         else f"{figure(low, 2)} and {figure(high, 2)} J"),
        *((name, None if energy[key] is None else f"{figure(energy[key], 3)} J")
          for name, key in (("a selected row", "joules_per_row"),
                            ("processor packages", "package_joules"),
                            ("memory (DRAM)", "dram_joules"))),
        ("joules are", energy["note"]),
        ("peak memory", None if memory["peak_bytes"] is None or memory["above_bytes"] is None
         else f"{memory['peak_bytes'] / 2**20:,.0f} MiB, "
              f"{memory['above_bytes'] / 2**20:,.0f} above the start"),
    ]  # fmt: skip
    if report["crew"]:
        pairs.append(("crew", crew_line(report["crew"])))
    return entries(pairs)


def notes(told: Told) -> str:
    """What is odd about the input, or did not go as it should."""
    report, selection = told.report, told.report["selection"]
    # The first line is of the classes, which have a picture.
    lines = input_lines(report)[1 if selection["classes"] else 0 :]
    lines += selection["notes"] or []
    return bullets([*lines, *idle_lines(selection["without_effect"] or [], report["options"])])


def figures(told: Told) -> str:
    """All figures of quality."""
    return table(quality_table(told.report["quality"]))


def weights_and_groups(told: Told) -> str:
    """How uneven weights are, what the first rows are worth, and how many groups there are."""
    options, ranking = told.report["options"], told.report["selection"]["ranking"]
    parts = []
    if told.report["weights"]:
        parts.append(paragraph(weight_line(told.report["weights"])))
    if options.get("n_groups"):
        cap = options.get("max_per_group")
        limit = f", at most {counted(cap, 'row')} of each" if cap else ""
        parts.append(paragraph(f"Groups: {options['n_groups']}{limit}."))
    if ranking:
        parts.append(table(ranking_table(ranking)))
    return "".join(parts)


def how_made(told: Told) -> str:
    """The command, the options, and what carried it out."""
    options, tool = told.report["options"], told.report["tool"]
    words = command(told)
    if words:
        made = shell_line(words)
    else:
        made = remark("The report does not say how the rows were selected: it only judges them.")
    if COUNTS in words and isinstance(options.get("balance"), dict):
        made += remark(f"{COUNTS}: lines label,count with the rows of each class.")
    pairs = [
        ("version", tool["version"]),
        ("instruction set", tool["instruction_set"]),
        ("created", told.report["created"]),
        *((name, value) for name, value in options.items() if not isinstance(value, dict)),
    ]
    return made + entries(pairs, "many")


def from_what(told: Told) -> str:
    """The input, and the hashes by which it is known again."""
    facts = told.report["input"]
    n_rows, n_columns = facts["shape"]
    return entries(
        [
            ("shape", f"{n_rows:,} rows x {n_columns:,} columns of {facts['dtype']}"),
            ("files", ", ".join(facts["files"] or [])),
            ("columns", ", ".join(facts["columns"] or [])),
            ("SHA-256", facts["sha256"]),
            *((f"hash of {name}", value) for name, value in (facts["hashes"] or {}).items()),
        ]
    )
