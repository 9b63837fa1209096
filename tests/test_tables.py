"""What people read: no number is cut, and nothing that a user wrote moves the terminal."""

import io
import os
import pty
import re
import subprocess
import sys

import numpy as np
import pytest

from fast_select.cli._columns import Column, Sheet, print_sheet
from fast_select.cli._tables import (
    class_line,
    comparison_table,
    idle_lines,
    mebibytes,
    plan_table,
    quality_table,
    ranking_table,
    resources_line,
    stage_table,
)
from fast_select.report import METRICS, ranked

NUMBERS = {
    "cfd_m": 1.234567e-9,
    "coverage_max": 123456.789,
    "moment_4": 4.4e30,
    "mmd2": -0.0000712,
    "moment_1": 0.0,
}


def quality():
    drawn = {
        name: {"mean": value * 2, "std": 0.0, "values": [value * 2] * 10_000}
        for name, value in NUMBERS.items()
    }
    return ranked(
        {
            "selection": NUMBERS,
            "random": drawn,
            "stratified": drawn,
            "stratified_by_blocks": drawn,
            "n_blocks": 3,
            "n_random": 10_000,
        }
    )


def comparison():
    models = ["1nn", "logreg", "svm", "forest"]
    row = {
        "method": "my-own-method-with-a-long-name",
        "accuracy": dict.fromkeys(models, 87.65),
        "mean_accuracy": 87.654,
        "standard_error": 12.345,
        "cfd_m": 0.0000321,
        "cell_cfd_m": 8123.4567,
        "select_s": 12345.6,
    }
    return comparison_table(0.1, [row, {**row, "method": "[red]x", "standard_error": None}], models)


def plan():
    stage = {"name": "exchange", "seconds": 98765.4, "bytes": 123 << 40, "formula": "Z, 8 n k " * 9}
    return plan_table(
        {
            "input": {"shape": [10**9, 12345], "matrix_bytes": 10**13},
            "count": 10**8,
            "threads": 1,
            "process_bytes": 1,
            "stages": [stage],
            "seconds": 98765.4,
            "working_bytes": 123 << 40,
        }
    )


def stages():
    stage = {"wall_s": 0.00012, "cpu_s": 123456.7, "joules": 1e9}
    return stage_table(
        {"energy": {"source": "estimated"}, "stages": [{"name": "read", **stage}], "totals": stage}
    )


def printed(sheet, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns)) if columns else monkeypatch.delenv("COLUMNS", False)
    stream = io.StringIO()
    print_sheet(stream, sheet)
    return stream.getvalue()


def ranking():
    figures = {"cfd_m": 0.0012, "coverage_mean": 123456.7}
    entry = {"share": 0.1, "count": 1234567, "prefix": figures, "random": figures}
    return ranking_table([{**entry, "selected": figures}, {**entry, "selected": None}])


@pytest.mark.parametrize("columns", [20, 30, 40, 60, 80, 120, None])
@pytest.mark.parametrize(
    "sheet", [quality_table(quality()), comparison(), plan(), stages(), ranking()],
    ids=["quality", "comparison", "plan", "stages", "ranking"],
)  # fmt: skip
def test_no_number_is_cut_at_any_width(sheet, columns, monkeypatch):
    text = printed(sheet, monkeypatch, columns)
    assert "…" not in text
    shown = re.findall(r"[^\s│┃]+", text)
    for column in sheet.columns:
        for cell in column.cells:
            if not column.is_words and cell:
                assert shown.count(cell) >= list(column.cells).count(cell)
    # The first column tells in every part what the numbers are of.
    words = "".join(re.findall(r"\w", sheet.columns[0].header))
    assert text.count(words) >= 1
    if columns and columns >= 40:
        assert max(map(len, text.splitlines())) <= columns
    if columns is None:
        assert text.count("┏") == 1  # one table, as wide as it must be


def test_words_wrap_and_lose_nothing(monkeypatch):
    sheet = Sheet("t", [Column("name", ["abcdefgh" * 10], is_words=True), Column("n", ["1234567"])])
    text = printed(sheet, monkeypatch, 30)
    cells = "".join(line.split("│")[1].strip() for line in text.splitlines() if "│" in line)
    assert cells == "abcdefgh" * 10
    assert "1234567" in text


def test_markup_is_no_markup(monkeypatch):
    sheet = Sheet("[b]t", [Column("[red]", ["[/x]"], is_words=True), Column("n", ["[bold]"])])
    text = printed(sheet, monkeypatch, 80)
    assert all(word in text for word in ("[b]t", "[red]", "[/x]", "[bold]"))


def test_columns_that_are_no_number_do_not_matter(monkeypatch):
    for columns in ("0", "-3", "wide"):
        assert "1e-09" not in printed(plan(), monkeypatch, columns)


def test_labels_are_shown_escaped_and_short():
    classes = [
        {"label": label, "n_rows": 9, "selected": k}
        for k, label in enumerate(["\x1b[31mred", "a\nb", "[bold]", "\u202eabc", "x" * 999, 1.5])
    ]
    line = class_line(classes)
    assert line.isprintable()
    assert r"\x1b[31mred: 0, a\nb: 1, [bold]: 2, \u202eabc: 3, xxx" in line
    assert len(line) < 160
    assert class_line(classes[:1] * 13).endswith("and 1 more class")


def test_memory_is_shown_beside_its_limit():
    memory = {
        "peak_bytes": 300 << 20,
        "above_bytes": 250 << 20,
        "mapped_input_bytes": 190 << 20,
        "max_bytes": 150 << 20,
    }
    line = resources_line({"memory": memory, "energy": {"note": "none"}})
    assert line.endswith(
        "Peak memory 300 MiB, 250 above the start, up to 190 of them mapped files; "
        "--max-memory 150 MiB, mapped files aside."
    )
    memory |= {"mapped_input_bytes": 0, "max_bytes": None}
    line = resources_line({"memory": memory, "energy": {"note": "none"}})
    assert line.endswith("Peak memory 300 MiB, 250 above the start.")
    assert (mebibytes(1), mebibytes(5 << 20), mebibytes(1 << 50)) == ("9.5e-07", "5", "1073741824")


def test_options_without_effect_are_named_by_their_flags():
    assert idle_lines([], {}) == []
    options = {"method": "random", "space": "spectral"}
    assert idle_lines(["max_sweeps"], options) == ["--sweeps has no effect with --method random."]
    options = {"method": "paper", "space": "features"}
    (line,) = idle_lines(["n_components"], options)
    assert line == "--components has no effect with --space features."


@pytest.mark.parametrize("columns", ["40", "80", None])
def test_the_command_shows_whole_numbers(run, features, columns):
    environment = {"COLUMNS": columns} if columns else {"COLUMNS": ""}
    got = run("evaluate", features, features_rows(run), "--random", "20", **environment)
    text = got.stderr.decode()
    assert got.returncode == 0, text
    assert "…" not in text
    for name in ("covariance", "coverage radius"):
        assert name in " ".join(text.split())
    assert len(re.findall(r"\d+/20", text)) == len(METRICS)


def features_rows(run):
    path = run.folder / "rows.txt"
    path.write_text("".join(f"{i}\n" for i in range(0, 400, 9)))
    return path


def test_on_a_terminal_of_forty_columns(run, features):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "fast_select", "plan", str(features), "--ratio", "0.1"]
    size = f"stty cols 40 rows 50; exec {' '.join(command)}"
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    with subprocess.Popen(
        ["sh", "-c", size], stdin=theirs, stdout=theirs, cwd=run.folder, env=environment
    ) as process:
        os.close(theirs)
        text = b""
        try:
            while block := os.read(ours, 4096):
                text += block
        except OSError:  # the end of a terminal
            pass
        assert process.wait(60) == 0
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text.decode()).splitlines()
    assert max(map(len, lines)) <= 40
    assert "…" not in text.decode()
    assert sum("quality" in line for line in lines) == 2


def test_names_of_files_are_shown_escaped(run, features, tmp_path):
    name = "a\x1b[31m[red]\nb\u202e.npy"
    (run.folder / name).write_bytes(features.read_bytes())
    got = run(name, "--ratio", "0.1")
    text = got.stderr.decode()
    assert got.returncode == 0, text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"Wrote 40 indices of 400 rows to a\x1b[31m[red]\nb\u202e.selected.npy" in text
    refused = run(f"{name}.missing.npy", "--ratio", "0.1")
    assert refused.returncode == 2
    assert refused.stderr.decode() == (
        "Error: a\\x1b[31m[red]\\nb\\u202e.npy.missing.npy: does not exist. Check the path.\n"
    )
    unknown = run(features, "--ratio", "\x1b[31m", "--nope\x1b[2J")
    assert unknown.returncode == 2
    assert b"\x1b" not in unknown.stderr


def test_labels_with_escapes_stay_data_in_files(run, features):
    labels = run.folder / "labels.npy"
    np.save(labels, np.array(["\x1b[31mred", "[red]"] * 200))
    got = run(features, "--ratio", "0.1", "--labels", labels, "-o", "rows.csv")
    assert got.returncode == 0, got.stderr.decode()
    assert b"\x1b" not in got.stderr
    assert r"\x1b[31mred: 20" in got.stderr.decode()
    assert "\x1b[31mred" in (run.folder / "rows.csv").read_text()
