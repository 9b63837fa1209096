"""``fast-select report`` and ``--html``: pages and tables from reports."""

import json
import sys

import numpy as np
import pytest

from test_page import NAMES, Page, check
from told_reports import told_report


@pytest.fixture
def reports(call):
    """A folder with reports of several kinds."""
    made = {
        "a.json": told_report(),
        "b.json": told_report(n_classes=0, whole=False, seed=1),
        "odd.json": told_report(names=NAMES),
        "none.json": told_report(n_random=0),
        "ranked.json": told_report(
            weights="nearest", rank=True, groups=True, max_per_group=1, whole=False
        ),
        "list.json": [told_report(n_classes=0, whole=False, ratio=ratio) for ratio in (0.2, 0.1)],
    }
    for name, report in made.items():
        (call.folder / name).write_text(json.dumps(report))
    return made


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("files", [["a.json"], ["none.json"], ["list.json"], ["a.json", "b.json"]])
def test_a_page_is_written(reports, call, files):
    before = names(call.folder)
    got = call("report", *files, "-o", "page.html", "--title", "<My> selection")
    assert (got.returncode, got.stdout) == (0, b"")
    assert got.stderr == b"Wrote the page to page.html\n"
    assert names(call.folder) == sorted([*before, "page.html"])
    found = check((call.folder / "page.html").read_text(encoding="utf-8"))
    assert "<My> selection" in found.text
    if files == ["list.json"]:
        assert "1: list.json, ratio 0.2" in found.text


def test_a_page_goes_to_stdout_and_a_report_comes_from_stdin(reports, run):
    data = json.dumps(reports["a.json"]).encode()
    got = run("report", "-", "-o", "-", stdin=data)
    assert (got.returncode, got.stderr) == (0, b"")
    assert "30 of 300 rows" in check(got.stdout.decode()).text.replace("\xa0", " ")


def lacking(report, **memory):
    """A report of `evaluate`, and what a system that does not tell leaves out."""
    report["memory"] |= memory
    del report["energy"]["joules_per_row"]
    report["selection"]["notes"] = None
    return report


@pytest.mark.parametrize("memory", [{}, {"peak_bytes": None}, {"above_bytes": None}])
def test_what_a_report_does_not_tell_is_left_out(call, memory):
    (call.folder / "r.json").write_text(json.dumps(lacking(told_report(), **memory)))
    got = call("report", "r.json")
    assert (got.returncode, got.stderr) == (0, b"")
    assert "a selected row" not in got.stdout.decode()
    assert ("Peak memory is not known here" in got.stdout.decode()) == bool(memory)
    assert call("report", "r.json", "-o", "r.html").returncode == 0


def test_tables_and_bars_are_printed(reports, call):
    got = call("report", "a.json")
    text = got.stdout.decode()
    assert (got.returncode, got.stderr) == (0, b"")
    told = reports["a.json"]
    assert text.startswith("30 of 300 rows (10 %)\n")
    for words in ("CF distance x m", "Time and energy", "Seconds by stage", "Rows by class",
                  told["verdict"],
                  "Made by: fast_select.select(X, labels=labels, ratio=0.1)"):  # fmt: skip
        assert words in text
    mark = next(line for line in text.splitlines() if "◆" in line)
    assert f"{told['quality']['selection']['cfd_m']:.4f}" in mark
    # The marks of the draws are as far to the right as they are large.
    drawn = next(line for line in text.splitlines() if line.startswith("  stratified"))
    first = min(k for k, sign in enumerate(drawn) if sign in "▁▂▃▄▅▆▇█")
    assert mark.index("◆") < first


@pytest.mark.parametrize("name", ["none.json", "odd.json", "ranked.json", "b.json"])
def test_reports_of_every_kind_are_printed(reports, call, name):
    got = call("report", name)
    assert got.returncode == 0, got.stderr
    text = got.stdout.decode()
    assert reports[name]["verdict"] in text
    assert "\x1b" not in text and "\u202e" not in text


def test_streams_of_few_characters_get_plain_bars(reports, run, tmp_path):
    (run.folder / "a.json").write_text(json.dumps(reports["odd.json"]))
    got = run("report", "a.json", PYTHONIOENCODING="ascii")
    assert got.returncode == 0, got.stderr
    text = got.stdout.decode("ascii")
    assert " O " in text and "##" in text


def test_bars_are_as_long_as_there_is_room(reports, run):
    (run.folder / "a.json").write_text(json.dumps(reports["a.json"]))
    for columns in ("40", "60", "200"):
        lines = run("report", "a.json", COLUMNS=columns).stdout.decode().splitlines()
        bars = [line for line in lines if "█" in line]
        assert len(bars) > 4
        assert all(line[-1].isdigit() and len(line) <= int(columns) for line in bars)


def test_several_are_printed_side_by_side(reports, call):
    got = call("report", "a.json", "list.json")
    text = got.stdout.decode()
    assert got.returncode == 0, got.stderr
    for words in ("3 selections side by side", "1: a.json", "2: list.json, ratio 0.2",
                  "option ratio", "draws that it beats"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize(
    "content,fact",
    [
        ("[]", "is a list without reports"),
        ("{}", "is no report of fast-select"),
        ("3", "is no report of fast-select"),
        ('{"schema": 1}', "has no 'tool': it is not whole, or no report"),
        ('[{"schema": 2}]', "newer than this version"),
        ("{", "is no JSON"),
        ("", "is empty"),
    ],
)
@pytest.mark.parametrize("output", [[], ["-o", "page.html"]])
def test_what_is_no_report_is_refused(call, content, fact, output):
    (call.folder / "x.json").write_text(content)
    got = call("report", "x.json", *output)
    assert (got.returncode, got.stdout) == (2, b"")
    assert got.stderr.startswith(b"Error: x.json: ") and got.stderr.count(b"\n") == 1
    assert fact in got.stderr.decode()
    assert names(call.folder) == ["x.json"]


@pytest.mark.parametrize(
    "arguments,fact",
    [
        (["gone.json"], "gone.json: does not exist"),
        (["a.json", "-o", "a.json"], "a.json: exists"),
        (["a.json", "-o", "a.json", "--force"], "has the suffix '.json', not .html or .htm"),
        (["a.json", "-o", "page.pdf"], "has the suffix '.pdf'"),
        (["a.json", "-o", "page"], "has the suffix ''"),
        (["a.json", "-o", ""], "is an empty name"),
        (["a.json", "-o", "no/page.html"], "does not exist"),
        (["a.json", "--title", "x"], "--title: has no effect without a page"),
        (["a.json", "--images", "x"], "--images: has no effect without a page"),
        (["a.json", "--force"], "--force: has no effect without a page"),
        ([], "Missing argument 'REPORT...'"),
    ],
)
def test_wrong_usage_is_refused(reports, call, arguments, fact):
    before = names(call.folder)
    got = call("report", *arguments)
    assert (got.returncode, got.stdout) == (2, b"")
    assert fact in got.stderr.decode() and got.stderr.count(b"\n") == 1
    assert names(call.folder) == before


def test_a_report_is_not_written_over(reports, call):
    (call.folder / "a.json").rename(call.folder / "a.html")
    before = (call.folder / "a.html").read_bytes()
    got = call("report", "a.html", "-o", "a.html", "--force")
    assert got.returncode == 2 and b"a.html: is an input" in got.stderr
    assert (call.folder / "a.html").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [["report", "a.json", "-o", "page.html"], ["demo", "--html", "page.html"]],
)
def test_without_matplotlib_the_fix_is_said_before_any_work(reports, call, monkeypatch, arguments):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    before = names(call.folder)
    got = call(*arguments)
    assert got.returncode == 2
    assert (
        b"needs matplotlib for its pictures. Install it with pip install 'fast-select[report]'"
        in (got.stderr)
    )
    assert names(call.folder) == before


# --html of select and demo.


def test_a_selection_writes_its_page(features, call):
    got = call(features, "--ratio", "0.1", "--html", "page.html")
    assert got.returncode == 0, got.stderr
    assert b"Wrote the page to page.html" in got.stderr
    found = check((call.folder / "page.html").read_text(encoding="utf-8"))
    report = json.loads((call.folder / "features.report.json").read_text())
    assert report["verdict"].partition(":")[2] in found.text
    assert f"fast-select select {features} --ratio 0.1" in found.text
    # The page that is made of the report later is the same.
    assert call("report", "features.report.json", "-o", "later.html").returncode == 0
    assert (call.folder / "later.html").read_bytes() == (call.folder / "page.html").read_bytes()


def test_several_ratios_have_one_page(features, call):
    got = call(features, "--ratio", "0.2", "--ratio", "0.1", "--html", "page.html", "--quiet")
    assert got.returncode == 0, got.stderr
    assert [n for n in names(call.folder) if n.endswith("html")] == ["page.html"]
    text = Page((call.folder / "page.html").read_text(encoding="utf-8")).text
    assert "2 selections side by side" in text
    for k, ratio in enumerate((0.2, 0.1)):
        assert f"{k + 1}: features.report-{ratio}.json, ratio {ratio}" in text


@pytest.mark.parametrize("more", [["-o", "-"], ["--json"]])
def test_a_page_goes_with_what_is_printed(features, call, more):
    got = call(features, "--ratio", "0.1", "--html", "page.html", "--quiet", *more)
    assert got.returncode == 0, got.stderr
    check((call.folder / "page.html").read_text(encoding="utf-8"))
    assert got.stdout


@pytest.mark.parametrize(
    "html,fact",
    [
        ("-", "'-' is no file"),
        ("page.txt", "has the suffix '.txt'"),
        ("there.html", "exists"),
        ("no/page.html", "does not exist"),
        ("features.report.json", "has the suffix"),
    ],
)
def test_a_page_that_cannot_be_written_is_refused_before_any_work(features, call, html, fact):
    (call.folder / "there.html").write_text("mine")
    got = call(features, "--ratio", "0.1", "--html", html)
    assert got.returncode == 2
    assert fact in got.stderr.decode()
    assert names(call.folder) == ["there.html"]


def test_all_is_written_or_nothing(features, call, monkeypatch):
    """A page for which there is no room leaves none of the other files."""
    from fast_select.cli import _run

    def no_room(*_):
        def write(_):
            raise OSError(28, "No space left on device")

        return write

    monkeypatch.setattr(_run, "page_writer", no_room)
    got = call(features, "--ratio", "0.1", "--html", "page.html")
    assert got.returncode == 1
    assert b"page.html: cannot be written (No space left on device)" in got.stderr
    assert names(call.folder) == []


@pytest.mark.slow
def test_a_page_of_a_large_real_selection_is_small(shared_data, run):
    """Fashion-MNIST: 60,000 rows of 784 columns, of which 10 % are selected by class."""
    got = run(
        shared_data / "fashion_mnist.npz", "--key", "x", "--label-key", "y", "--ratio", "0.1",
        "--html", "page.html", "--random", "2",
    )  # fmt: skip
    assert got.returncode == 0, got.stderr
    text = (run.folder / "page.html").read_text(encoding="utf-8")
    check(text)
    assert len(text.encode()) < 2 << 20


def test_most_points_that_a_map_has_stay_small(call):
    rng = np.random.default_rng(0)
    report = told_report(n_classes=10)
    for part, n in (("rows", 2000), ("selected", 1000)):
        report["map"][part] = {
            "row": list(range(n)),
            "x": rng.normal(size=n).tolist(),
            "y": rng.normal(size=n).tolist(),
            "class": rng.integers(0, 10, size=n).tolist(),
        }
    (call.folder / "r.json").write_text(json.dumps(report))
    assert call("report", "r.json", "-o", "page.html").returncode == 0
    assert (call.folder / "page.html").stat().st_size < 400_000
