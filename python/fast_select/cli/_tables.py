"""Reports, comparisons and plans as people read them."""

from __future__ import annotations

import sys
from typing import IO, Any

from rich.text import Text

from .. import _core
from .._compared import MODELS
from .._text import counted, figure, shortened, visible
from ..report import METRICS, RIVALS
from ._columns import Column, Sheet, console_on, print_sheet

SHOWN_CLASSES = 12
"""Classes that the table lists; the JSON has them all."""


def show(
    report: dict[str, Any],
    written: list[str],
    *,
    stages: bool = True,
    stream: IO[str] | None = None,
) -> None:
    """Print the tables, the verdict and where things went, on stderr or another stream."""
    stream = sys.stderr if stream is None else stream
    console = console_on(stream)
    if stages:
        print_sheet(stream, stage_table(report))
        console.print(Text(resources_line(report)))
        if report.get("crew"):
            console.print(Text(f"Crew: {crew_line(report['crew'])}"))
    print_sheet(stream, quality_table(report["quality"]))
    if report["selection"].get("ranking"):
        print_sheet(stream, ranking_table(report["selection"]["ranking"]))
    if report.get("weights"):
        console.print(Text(weight_line(report["weights"])))
    lines = [*input_lines(report), *(report["selection"]["notes"] or [])]
    lines += idle_lines(report["selection"].get("without_effect") or [], report["options"])
    for line in lines:
        console.print(Text(visible(line)))
    console.print(Text(report["verdict"], style="bold"))
    for line in written:
        console.print(Text(visible(line)))


def input_lines(report: dict[str, Any]) -> list[str]:
    """How many rows each class gave, and what is odd about the input."""
    facts, classes = report["input"], report["selection"]["classes"]
    constant, bad = facts["n_constant_columns"], facts["n_nonfinite"]
    found = []
    if constant:
        found.append(counted(constant, "constant column"))
    if bad:
        found.append(f"{counted(bad, 'row')} with NaN or infinity left out")
    if facts["n_distinct"] < facts["n_kept"]:
        found.append(f"{facts['n_distinct']} distinct of {counted(facts['n_kept'], 'row')}")
    if facts["n_kept"] < 50:
        found.append("fewer than 50 rows: figures are rough")
    lines = [class_line(classes)] if classes else []
    return [*lines, *([f"Input: {'; '.join(found)}."] if found else [])]


def idle_lines(names: list[str], options: dict[str, Any]) -> list[str]:
    """A line on the options that were set and change nothing."""
    if not names:
        return []
    flags = {entry["name"]: entry["flag"] for entry in _core.option_table("select")}
    verb = "has" if len(names) == 1 else "have"
    listed = ", ".join(flags.get(name, name) for name in names)
    # Spectral components are of no use to a descent in the features alone.
    of = "--method" if options.get("method") != "paper" else "--space"
    return [f"{listed} {verb} no effect with {of} {options.get(of[2:])}."]


def show_comparison(result: dict[str, Any]) -> None:
    """Print a table for each ratio on stdout: it is what was asked for."""
    for ratio in dict.fromkeys(entry["ratio"] for entry in result["summary"]):
        rows = [entry for entry in result["summary"] if entry["ratio"] == ratio]
        print_sheet(sys.stdout, comparison_table(ratio, rows, result["models"]))
    for note in result["notes"]:
        console_on(sys.stdout).print(Text(note))


def comparison_table(ratio: float, rows: list[dict[str, Any]], models: list[str]) -> Sheet:
    """Accuracy by model, CF distance and time of each method; the best of each in bold."""

    def numbers(header: str, values: list[float], cells: list[str], best: float) -> Column:
        return Column(header, cells, bold=[value == best for value in values])

    columns = [Column("method", [visible(row["method"]) for row in rows], is_words=True)]
    for model in models:
        values = [row["accuracy"][model] for row in rows]
        cells = [f"{value:.1f}" for value in values]
        columns.append(numbers(MODELS[model], values, cells, max(values)))
    means = [row["mean_accuracy"] for row in rows]
    columns.append(numbers("mean", means, [f"{value:.2f}" for value in means], max(means)))
    errors = (row["standard_error"] for row in rows)
    columns.append(Column("±", ["" if error is None else f"{error:.2f}" for error in errors]))
    for key, header in (("cfd_m", "CF dist."), ("cell_cfd_m", "in cells")):
        values = [row[key] for row in rows]
        columns.append(numbers(header, values, list(map(figure, values)), min(values)))
    columns.append(Column("seconds", [figure(row["select_s"], 2) for row in rows]))
    caption = "Accuracy in %; ±: standard error over seeds; CF distance x m: smaller is better."
    return Sheet(f"Ratio {ratio}", columns, caption=caption)


def show_plan(result: dict[str, Any]) -> None:
    """Print the plan on stdout: it is what was asked for."""
    lines = idle_lines(result["without_effect"], result["options"])
    if "workers" in result:
        print_sheet(sys.stdout, crew_table(result))
        print_sheet(sys.stdout, formula_table(result))
        lines = [*crew_lines(result), *lines]
    else:
        print_sheet(sys.stdout, plan_table(result))
        if result["mapped_bytes"]:
            size = mebibytes(result["mapped_bytes"])
            lines.insert(0, f"{size} MiB of Z are written to files of --scratch.")
    for line in lines:
        console_on(sys.stdout).print(Text(line))


def plan_title(result: dict[str, Any]) -> str:
    """How many rows of how many, and on what."""
    rows, columns = result["input"]["shape"]
    shape = f"{counted(rows, 'row')} x {counted(columns, 'column')}"
    threads = counted(result["threads"], "thread")
    if "workers" in result:
        threads = f"{counted(result['workers'], 'worker')} of {threads}"
    return f"{result['count']} of {shape}, {threads}"


def plan_table(result: dict[str, Any]) -> Sheet:
    """Seconds and memory by stage, and in all."""
    in_all = {
        "name": "in all",
        "seconds": result["seconds"],
        "bytes": result["working_bytes"],
        "formula": "",
    }
    stages = [*result["stages"], in_all]
    before = mebibytes(result["process_bytes"])
    matrix = mebibytes(result["input"]["matrix_bytes"])
    return Sheet(
        plan_title(result),
        [
            Column("stage", [stage["name"] for stage in stages], is_words=True),
            Column("about s", [figure(stage["seconds"], 2) for stage in stages]),
            Column("MiB", [mebibytes(stage["bytes"]) for stage in stages]),
            Column("made of (bytes)", [stage["formula"] for stage in stages], is_words=True),
        ],
        has_total=True,
        caption=f"This process takes {before} MiB before, {matrix} of them the input; one that is "
        "mapped comes on top.",
    )


def crew_table(result: dict[str, Any]) -> Sheet:
    """Seconds and bytes of a run that several workers share in, by stage and in all."""
    stages = [*result["stages"], {**result, "name": "in all", "bytes": result["working_bytes"]}]
    moved = (("read", "read_bytes"), ("sent", "sent_bytes"), ("written", "written_bytes"))
    return Sheet(
        plan_title(result),
        [
            Column("stage", [stage["name"] for stage in stages], is_words=True),
            Column("about s", [figure(stage["seconds"], 2) for stage in stages]),
            Column("CPU s", [figure(stage["cpu_s"], 2) for stage in stages]),
            *(
                Column(f"MiB {name}", [mebibytes(stage[key]) for stage in stages])
                for name, key in moved
            ),
            Column("peak MiB", [mebibytes(stage["bytes"]) for stage in stages]),
        ],
        has_total=True,
        caption="CPU s, read, sent and written: of all workers. Sent: read by one, written by "
        "another. Peak: of one worker, beyond the "
        f"{mebibytes(result['process_bytes'])} MiB that a process takes before.",
    )


def formula_table(result: dict[str, Any]) -> Sheet:
    """How the figures follow from the sizes."""
    quantities = {
        "work": "CPU s x v",
        "seconds": "about s",
        "read_bytes": "read",
        "sent_bytes": "sent",
        "written_bytes": "written",
        "bytes": "peak",
    }
    entries = [
        (stage["name"], name, stage["formula"][key])
        for stage in result["stages"]
        for key, name in quantities.items()
        if stage["formula"][key] != "0"
    ]
    names, figures, formulas = zip(*entries, strict=True)
    rate, moved = result["multiply_adds_per_s"], result["bandwidth"]
    return Sheet(
        "Made of (bytes, seconds)",
        [
            Column("stage", names, is_words=True),
            Column("figure", figures, is_words=True),
            Column("formula", formulas, is_words=True),
        ],
        caption="n rows of d columns of e bytes, p columns of Z; W workers of T threads, each "
        f"thread with v = {rate:.3g} multiply-adds a second, as one has here, each worker with "
        f"u = {moved:.3g} bytes a second (--bandwidth); B blocks of b rows, k neighbours and m "
        "picks, held together at q frequencies.",
    )


def crew_lines(result: dict[str, Any]) -> list[str]:
    """What bounds the time, and how many workers are worth having."""
    least = {stage["name"]: stage["least_s"] for stage in result["stages"]}
    longest = sorted(least, key=lambda name: -least[name])[:3]
    shares = ", ".join(f"{name} {figure(least[name], 2)}" for name in longest)
    worth = counted(result["worthwhile_workers"], "worker")
    return [
        f"However many workers there are, it takes {figure(sum(least.values()), 2)} s, as blocks "
        f"are exchanged one after the other and some stages are one worker's: {shares} s.",
        f"Worth having: {worth}; twice as many take less than 10 % off.",
    ]


def mebibytes(size: int) -> str:
    """Bytes in MiB: whole ones, unless they are few."""
    return f"{size / 2**20:.0f}" if size >= 10 << 20 else f"{size / 2**20:.2g}"


def stage_table(report: dict[str, Any]) -> Sheet:
    """Seconds and joules by stage, and in all."""
    joules = "joules" if report["energy"]["source"] == "rapl" else "joules (estimated)"
    rows = [*report["stages"], {"name": "total", **report["totals"]}]
    numbers = (("wall s", "wall_s"), ("CPU s", "cpu_s"), (joules, "joules"))
    columns = [
        Column("stage", [row["name"] for row in rows], is_words=True),
        *(Column(name, [figure(row[key], 2) for row in rows]) for name, key in numbers),
    ]
    return Sheet("Time and energy", columns, has_total=True)


def resources_line(report: dict[str, Any]) -> str:
    """What the joules mean, and the largest memory beside what it was limited to."""
    energy, memory = report["energy"], report["memory"]
    line = f"Energy: {energy['note']}"
    if energy.get("joules_per_row") is not None:
        line += f"; {figure(energy['joules_per_row'], 2)} J a selected row"
    if not memory["peak_bytes"] or memory["above_bytes"] is None:
        return f"{line}. Peak memory is not known here."
    peak, above = (mebibytes(memory[key]) for key in ("peak_bytes", "above_bytes"))
    mapped = memory["mapped_input_bytes"] + (memory.get("mapped_scratch_bytes") or 0)
    line += f". Peak memory {peak} MiB, {above} above the start"
    if mapped:
        line += f", up to {mebibytes(mapped)} of them mapped files"
    if memory["max_bytes"]:
        line += f"; --max-memory {mebibytes(memory['max_bytes'])} MiB, mapped files aside"
    return f"{line}."


def crew_line(crew: dict[str, Any]) -> str:
    """What all processes took that have worked on a selection."""
    who = counted(crew["processes"], "process", "processes")
    machines = counted(crew["machines"], "machine")
    cpu_s, joules = figure(crew["cpu_s"], 2), figure(crew["joules"], 2)
    return f"{who} on {machines}, this one included: {cpu_s} CPU s, {joules} J in all."


def quality_table(quality: dict[str, Any]) -> Sheet:
    """Figures of the selection beside the means of random ones, and how many of these it beats."""
    own = quality["selection"]
    metrics = [metric for metric in METRICS if metric in own]
    columns = [
        Column("error", [METRICS[metric] for metric in metrics], is_words=True),
        Column("selection", [figure(own[metric]) for metric in metrics]),
    ]
    for kind, name in RIVALS.items():
        if not quality[kind]:
            continue
        drawn = [quality[kind].get(metric) for metric in metrics]
        means = [figure(each["mean"]) if each else "" for each in drawn]
        beaten = [f"{each['beaten']}/{len(each['values'])}" if each else "" for each in drawn]
        columns += [Column(name, means), Column("beaten", beaten)]
    draws = counted(quality["n_random"], "random selection")
    return Sheet(f"Quality, beside {draws} of the same size (0 is perfect)", columns)


def ranking_table(ranking: list[dict[str, Any]]) -> Sheet:
    """Figures of prefixes beside those of selections and random ones of their size."""
    columns = [
        Column("first", [f"{entry['share']:.0%}" for entry in ranking], is_words=True),
        Column("rows", [str(entry["count"]) for entry in ranking]),
    ]
    for metric, name in (("cfd_m", "CF"), ("coverage_mean", "dist.")):
        for kind in ("prefix", "selected", "random"):
            drawn = [entry[kind] for entry in ranking]
            cells = [figure(each[metric]) if each else "" for each in drawn]
            columns.append(Column(f"{name}, {kind}", cells))
    return Sheet("The first rows, beside selections and random ones of as many", columns)


def weight_line(weights: dict[str, Any]) -> str:
    """How uneven weights are, and what they do to the CF distance."""
    least, median, most = (f"{weights[key]:g}" for key in ("min", "median", "max"))
    size = f"{weights['effective_sample_size']:.4g}"
    weighted, alike = (figure(weights[key]["cfd_m"]) for key in ("weighted", "unweighted"))
    return (
        f"Weights: {least} to {most}, median {median}, effective sample size {size}; "
        f"CF distance x m {weighted} with them, {alike} without."
    )


def class_line(classes: list[dict[str, Any]]) -> str:
    """How many rows each class gave."""
    shown = ", ".join(
        f"{shortened(str(c['label']))}: {c['selected']}" for c in classes[:SHOWN_CLASSES]
    )
    more = len(classes) - SHOWN_CLASSES
    rest = f" and {counted(more, 'more class', 'more classes')}" if more > 0 else ""
    return f"Rows by class: {shown}{rest}"
