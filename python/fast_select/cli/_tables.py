"""The report as tables on stderr."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from .._compare import MODELS
from ..report import METRICS, RIVALS

SHOWN_CLASSES = 12
"""Classes that the table lists; the JSON has them all."""


def show(report: dict[str, Any], written: list[str], *, stages: bool = True) -> None:
    """Print the tables, the verdict and where things went."""
    console = Console(stderr=True, soft_wrap=not Console(stderr=True).is_terminal)
    if stages:
        console.print(stage_table(report))
        console.print(resources_line(report), highlight=False)
    console.print(quality_table(report["quality"]))
    if report["selection"]["classes"]:
        line = class_line(report["selection"]["classes"])
        console.print(line, highlight=False, markup=False)
    facts = report["input"]
    notes = [
        f"{facts[key]} {text}"
        for key, text in (
            ("n_constant_columns", "constant columns"),
            ("n_nonfinite", "rows with NaN or infinity left out"),
        )
        if facts[key]
    ]
    if facts["n_distinct"] < facts["n_kept"]:
        notes.append(f"{facts['n_distinct']} distinct of {facts['n_kept']} rows")
    if facts["n_kept"] < 50:
        notes.append("fewer than 50 rows: figures are rough")
    if notes:
        console.print("Input: " + "; ".join(notes) + ".", highlight=False)
    for note in report["selection"]["notes"]:
        console.print(note, highlight=False)
    console.print(report["verdict"], style="bold", highlight=False)
    for line in written:
        console.print(line, highlight=False, markup=False)


def show_comparison(result: dict[str, Any]) -> None:
    """Print a table for each ratio on stdout: it is what was asked for."""
    console = Console(soft_wrap=not Console().is_terminal)
    for ratio in dict.fromkeys(entry["ratio"] for entry in result["summary"]):
        rows = [entry for entry in result["summary"] if entry["ratio"] == ratio]
        console.print(comparison_table(ratio, rows, result["models"]))


def comparison_table(ratio: float, rows: list[dict[str, Any]], models: list[str]) -> Table:
    """Accuracy by model, CF distance and time of each method; the best of each in bold."""
    caption = "Accuracy in %; ±: standard error over seeds; CF distance x m: smaller is better."
    table = Table(title=f"Ratio {ratio:g}", title_justify="left", caption=caption)
    table.add_column("method", no_wrap=True)
    names = [MODELS[model] for model in models]
    for name in [*names, "mean", "±", "CF dist.", "in cells", "seconds"]:
        table.add_column(name, justify="right", no_wrap=True)
    columns = [[row["accuracy"][model] for row in rows] for model in models]
    best = [max(values) for values in [*columns, [row["mean_accuracy"] for row in rows]]]
    least = {key: min(row[key] for row in rows) for key in ("cfd_m", "cell_cfd_m")}
    for row in rows:
        error = row["standard_error"]
        cells = [f"{row['accuracy'][model]:.1f}" for model in models]
        cells.append(f"{row['mean_accuracy']:.2f}")
        values = [*(row["accuracy"][model] for model in models), row["mean_accuracy"]]
        bold = [value == top for value, top in zip(values, best, strict=True)]
        cells = [f"[bold]{c}[/bold]" if b else c for c, b in zip(cells, bold, strict=True)]
        cells.append("" if error is None else f"{error:.2f}")
        for key, best_distance in least.items():
            distance = f"{row[key]:.4f}"
            cells.append(f"[bold]{distance}[/bold]" if row[key] == best_distance else distance)
        table.add_row(row["method"], *cells, f"{row['select_s']:.2f}")
    return table


def show_plan(result: dict[str, Any]) -> None:
    """Print the plan on stdout: it is what was asked for."""
    console = Console(soft_wrap=not Console().is_terminal)
    rows, columns = result["input"]["shape"]
    title = f"{result['count']} of {rows} rows x {columns}, {result['threads']} threads"
    before = result["process_bytes"] / 2**20
    caption = f"This process takes {before:.0f} MiB before; a mapped input comes on top."
    table = Table(title=title, title_justify="left", caption=caption)
    table.add_column("stage")
    table.add_column("about s", justify="right")
    table.add_column("MiB", justify="right")
    table.add_column("made of (bytes)")
    for stage in result["stages"]:
        size = f"{stage['bytes'] / 2**20:.0f}"
        table.add_row(stage["name"], f"{stage['seconds']:.2f}", size, stage["formula"])
    table.add_section()
    table.add_row("in all", f"{result['seconds']:.1f}", f"{result['working_bytes'] / 2**20:.0f}")
    console.print(table)


def stage_table(report: dict[str, Any]) -> Table:
    """Seconds and joules by stage."""
    joules = "joules" if report["energy"]["source"] == "rapl" else "joules (estimated)"
    table = Table(title="Time and energy", title_justify="left")
    table.add_column("stage")
    for name in ("wall s", "CPU s", joules):
        table.add_column(name, justify="right")
    rows = [*report["stages"], {"name": "total", **report["totals"]}]
    for row in rows:
        if row["name"] == "total":
            table.add_section()
        cells = (f"{row[key]:.2f}" for key in ("wall_s", "cpu_s", "joules"))
        table.add_row(row["name"], *cells)
    return table


def resources_line(report: dict[str, Any]) -> str:
    """What the joules mean, and the largest memory."""
    peak, above = (report["memory"][key] / 2**20 for key in ("peak_bytes", "above_bytes"))
    note = report["energy"]["note"]
    return f"Energy: {note}. Peak memory {peak:.0f} MiB, {above:.0f} above the start."


def quality_table(quality: dict[str, Any]) -> Table:
    """Figures of the selection beside the means of random ones."""
    draws = quality["n_random"]
    title = f"Quality, beside {draws} random selections of the same size (0 is perfect)"
    table = Table(title=title, title_justify="left")
    table.add_column("error")
    table.add_column("selection", justify="right")
    kinds = [kind for kind in RIVALS if quality[kind]]
    for kind in kinds:
        table.add_column(RIVALS[kind], justify="right")
        table.add_column("beaten", justify="right")
    for metric in filter(quality["selection"].__contains__, METRICS):
        name = METRICS[metric]
        cells = [f"{quality['selection'][metric]:.4f}"]
        for kind in kinds:
            drawn = quality[kind].get(metric)
            cells += shown(drawn) if drawn else ["", ""]
        table.add_row(name, *cells)
    return table


def shown(drawn: dict[str, Any]) -> list[str]:
    """The mean of random selections in a figure, and how many of them are beaten."""
    return [f"{drawn['mean']:.4f}", f"{drawn['beaten']}/{len(drawn['values'])}"]


def class_line(classes: list[dict[str, Any]]) -> str:
    """How many rows each class gave."""
    shown = ", ".join(f"{c['label']}: {c['selected']}" for c in classes[:SHOWN_CLASSES])
    more = len(classes) - SHOWN_CLASSES
    return f"Rows by class: {shown}" + (f" and {more} more classes" if more > 0 else "")
