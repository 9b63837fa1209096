"""Reports as pages: one file that is sound HTML, needs nothing else and obeys no label."""

import html
import itertools
import re
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import fast_select
from fast_select import InvalidInputError
from fast_select.page import Told, document
from told_reports import told_report

VOID = {"meta", "img", "br"}
NAMES = [
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "\"quoted\" & 'so'",
    "数据集的一个非常长的标签名称",
    "שלום עולם",
    "a label that goes on and on and does not end before long",
    "$x_1$ \\frac{",
    "_hidden",
    "two\nlines\x1b[31m",
    "\u202eturned",
]


class Page(HTMLParser):
    """Elements and texts of a page that is well formed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def of(self, tag):
        return [attributes for found, attributes in self.elements if found == tag]


def page(*reports, title="", names=None):
    names = names or [f"{k}.json" for k in range(len(reports))]
    tolds = [Told.of(report, name) for report, name in zip(reports, names, strict=True)]
    return document(tolds, title)


def without_draws():
    return told_report(n_random=0)


def of_evaluate():
    x = np.random.default_rng(2).normal(size=(200, 3))
    return fast_select.evaluate(x, np.arange(20), n_random=20)


def with_energy():
    report = told_report()
    report["energy"] = {
        "source": "rapl", "note": "packages", "low_joules": 1.0, "high_joules": 4.0,
        "joules_per_row": 0.25, "package_joules": 2.0, "dram_joules": 0.5,
    }  # fmt: skip
    return report


CASES = {
    "plain": told_report,
    "no labels": lambda: told_report(n_classes=0),
    "an old report": lambda: told_report(whole=False),
    "evaluate": of_evaluate,
    "1 class": lambda: told_report(n_classes=1),
    "10 classes": lambda: told_report(n_classes=10),
    "1,000 classes": lambda: told_report(n=1500, n_classes=1000, ratio=0.8, n_random=2),
    "odd names": lambda: told_report(names=NAMES),
    "no draws": without_draws,
    "1 draw": lambda: told_report(n_random=1),
    "many draws": lambda: told_report(n=60, d=2, n_random=300),
    "all rows": lambda: told_report(ratio=1.0),
    "1 row": lambda: told_report(n=1, n_classes=0, ratio=1.0),
    "1 column": lambda: told_report(d=1),
    "weights, ranks, groups": lambda: told_report(
        weights="nearest", rank=True, groups=True, max_per_group=1
    ),
    "a rival": lambda: told_report(method="herding", n_classes=0),
    "energy": with_energy,
}


@pytest.fixture(scope="module", params=CASES)
def drawn(request):
    """A report, its page, and the figures of that."""
    found, save = [], Figure.savefig

    def savefig(figure, *args, **how):
        found.append(figure)
        save(figure, *args, **how)

    report = CASES[request.param]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", savefig)
        return SimpleNamespace(report=report, text=page(report), figures=found)


def check(text):
    """What holds for every page."""
    found = Page(text)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in found.elements}
    names = [a["id"] for _, a in found.elements if "id" in a]
    assert len(names) == len(set(names))
    used = re.findall(r"url\(([^)]*)\)", text)
    for _, attributes in found.elements:
        assert not [key for key in attributes if key.startswith("on")]
        used += [attributes[key] for key in ("href", "src", "xlink:href") if key in attributes]
        used += [f"#{name}" for name in attributes.get("aria-labelledby", "").split()]
    for target in used:
        assert target.startswith("data:image/") or target[1:] in names
    assert "http" not in text and "@import" not in text
    for picture in found.of("svg"):
        assert picture["role"] == "img"
        assert len(picture["aria-labelledby"].split()) == 2
    # Each has a title and words, as the list of names has shown that they are there.
    drawings = text.split("<svg")[1:]
    words = [re.search(r"<desc[^>]*>(.*?)</desc>", each)[1] for each in drawings]
    assert all(len(each) > 10 for each in words)
    stand_ins = re.findall(r"#0000[0-9a-f]{2}", "".join(drawings))
    assert stand_ins == []
    return found


def test_pages_are_whole_and_need_nothing(drawn):
    found = check(drawn.text)
    assert drawn.report["verdict"] in found.text.replace(" :", ":")
    assert len(found.of("html")) == 1
    assert len(found.of("svg")) == len(drawn.figures)
    assert len(drawn.text) < 500_000


def test_every_axis_is_named_with_its_unit(drawn):
    for axes in (axes for figure in drawn.figures for axes in figure.axes):
        assert re.search(r"\(.+\)|in units of", axes.get_xlabel())
        ticks = [tick.get_text() for tick in axes.get_yticklabels()]
        in_words = bool(axes.containers) or any(re.search("[a-z]{3}", tick) for tick in ticks)
        assert in_words or re.search(r"\(.+\)", axes.get_ylabel())


@pytest.mark.filterwarnings("ignore:Glyph")
def test_no_text_lies_on_another_or_outside(drawn):
    for figure in drawn.figures:
        renderer = FigureCanvasAgg(figure).get_renderer()
        boxes = [
            text.get_window_extent(renderer)
            for axes in figure.axes
            for axis in (axes.xaxis, axes.yaxis)
            for text in (axis.label, *visible_labels(axis))
        ]
        boxes = [box for box in boxes if box.width > 0]
        width, height = figure.bbox.width, figure.bbox.height
        for box in boxes:
            assert box.x0 > -2 and box.y0 > -2 and box.x1 < width + 2 and box.y1 < height + 2
        for one, other in itertools.combinations(boxes, 2):
            assert not one.padded(-1).overlaps(other.padded(-1))


def visible_labels(axis):
    low, high = sorted(axis.get_view_interval())
    ticks = axis.get_major_ticks()
    return [tick.label1 for tick in ticks if low <= tick.get_loc() <= high and label_shown(tick)]


def label_shown(tick):
    return tick.label1.get_visible() and tick.label1.get_text()


def test_order_of_a_page():
    text = page(told_report(rank=True))
    order = [
        "30 of 300 rows", "CF distance beside random picks", "Error by frequency",
        "Characteristic function", "Moments and coverage", "Map of rows and picks",
        "Rows of each class", "How far rows are from their pick", "Time and energy by stage",
        "Weights, ranks and groups", "Figures", "How it was made", "From what",
    ]  # fmt: skip
    places = [text.index(f">{title}") for title in order]
    assert places == sorted(places)


def test_words_of_the_verdict_say_what_the_picture_shows():
    report = told_report(n_classes=0)
    found = re.search(r'<desc id="verdict-desc">(.*?)</desc>', page(report))[1]
    values = report["quality"]["random"]["cfd_m"]["values"]
    assert f"20 random picks {min(values):.4f} to {max(values):.4f}" in found


@pytest.mark.parametrize(
    "made,absent",
    [
        (without_draws, ["no random selections were made", "set them beside"]),
        (lambda: told_report(n_classes=0), ["no labels were given"]),
        (
            lambda: told_report(whole=False),
            ["has no 'characteristic_function'", "has no 'map'", "has no 'distances'"],
        ),
        (of_evaluate, ["does not say how the rows were selected"]),
    ],
)
def test_what_is_left_out_is_said(made, absent):
    text = Page(page(made())).text
    for words in absent:
        assert words in text


def test_of_many_classes_those_that_differ_most_are_shown():
    report = told_report(n=1500, n_classes=1000, ratio=0.8, n_random=2)
    odd = report["selection"]["classes"][437]
    odd["selected"] = odd["n_rows"] + 5
    found = Page(page(report)).text
    assert "12 of 1,000 classes: those whose rows differ most" in found
    assert f"437: {odd['selected']} of {odd['n_rows']}" in found
    assert "Of more than 10 classes none has a colour" in found


@pytest.mark.parametrize("where", ["label", "verdict", "note", "file", "stage", "title", "name"])
def test_nothing_of_the_users_is_obeyed(where):
    evil = '<script>alert("1")</script>\x1b[31m\u202e'
    report = told_report(whole=where == "label")
    if where == "label":
        report["selection"]["classes"][1]["label"] = evil
    elif where == "verdict":
        report["verdict"] = evil
    elif where == "note":
        report["selection"]["notes"] = [evil]
    elif where == "file":
        report["input"] |= {"files": [evil], "named": {"inputs": [evil], "key": evil}}
    elif where == "stage":
        report["stages"][0]["name"] = evil
    text = page(
        report,
        title=evil if where == "title" else "",
        names=[evil if where == "name" else "x.json"],
    )
    check(text)
    assert "<script" not in text and "\x1b" not in text and "\u202e" not in text
    if where != "name":  # of one report, which is not called by it
        assert html.escape("<script>", quote=False) in text


def test_styles_of_the_user_change_nothing():
    matplotlib = pytest.importorskip("matplotlib")
    before = {key: value for key, value in matplotlib.rcParams.items() if key != "backend"}
    plain = page(told_report())
    assert before.items() <= matplotlib.rcParams.items()
    with matplotlib.rc_context({"text.usetex": True, "font.size": 30, "axes.facecolor": "red"}):
        assert page(told_report()) == plain


# Several side by side.


def several(number):
    made = [told_report(n_classes=0, whole=number < 3, seed=seed) for seed in range(number)]
    made[-1] = told_report(n_random=0) if number > 2 else made[-1]
    return made


@pytest.mark.parametrize("number", [2, 7])
def test_several_stand_side_by_side(number):
    names = [f"<run {k}>.json" for k in range(number)]
    found = check(page(*several(number), names=names))
    for k, name in enumerate(names):
        assert f"{k + 1}: {name}" in found.text
    assert len([a for a in found.of("th") if a.get("scope") == "col"]) >= number
    assert "option seed" in found.text


def test_several_of_different_kinds():
    reports = [CASES[name]() for name in ("plain", "evaluate", "no draws", "an old report")]
    found = check(page(*reports))
    assert "4: 3.json: Map of rows and picks: the report has no 'map'." in found.text
    assert len(found.of("svg")) == 5 + 3 + 3 + 4


# What is refused.


def broken(path, value):
    report = told_report()
    *parents, last = path.split(".")
    at = report
    for key in parents:
        at = at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return report


@pytest.mark.parametrize(
    "made,fact",
    [
        (lambda: [], "is no report"),
        (lambda: "text", "is no report"),
        (lambda: {}, "is no report"),
        (lambda: {"schema": 1}, "has no 'tool'"),
        (lambda: {"schema": True}, "has schema True"),
        (lambda: {"schema": 99}, "newer than this version"),
        (lambda: broken("quality", ...), "has no 'quality'"),
        (lambda: broken("quality.selection.cfd_m", ...), "has no 'quality.selection.cfd_m'"),
        (lambda: broken("quality.random.cfd_m.values", []), "'quality.random'"),
        (lambda: broken("quality.random.cfd_m.values", [1.0]), "'quality.random'"),
        (
            lambda: broken("quality.random.cfd_m.mean", "high"),
            "has str in 'quality.random",
        ),
        (lambda: broken("quality.selection.cfd_m", float("nan")), "has nan in"),
        (lambda: broken("quality.selection.cfd_m", 10**400), "in 'quality.selection.cfd_m'"),
        (lambda: broken("quality.distances.levels", [0.0]), "lists of several lengths"),
        (lambda: broken("map.rows.x", [0.0]), "lists of several lengths"),
        (lambda: broken("map.selected.class", [99] * 30), "classes in 'map'"),
        (lambda: broken("map.explained", [0.5]), "'map.explained'"),
        (lambda: broken("map.rows", None), "has NoneType in 'map.rows'"),
        (lambda: broken("input.shape", [3]), "no shape of a matrix"),
        (lambda: broken("selection.classes", {"a": 1}), "has dict in 'selection.classes'"),
        (lambda: broken("stages", [{"name": "read", "wall_s": "long"}]), "'stages"),
        (lambda: broken("verdict", 3), "has 3 in 'verdict'"),
        (lambda: broken("options", []), "has list in 'options'"),
    ],
)
def test_what_is_no_report_is_refused(made, fact):
    with pytest.raises(InvalidInputError, match=r"^x\.json: ") as raised:
        Told.of(made(), "x.json")
    assert fact in str(raised.value)


# Notebooks.


def test_a_notebook_shows_the_top():
    selection = fast_select.select(np.random.default_rng(1).normal(size=(200, 3)), ratio=0.1)
    text = selection._repr_html_()
    found = check(text)
    assert "20 of 200 rows (10 %)" in found.text.replace("\xa0", " ")
    assert len(found.of("svg")) == 1
    assert len(text) < 40_000


def test_a_notebook_without_matplotlib_shows_a_table(monkeypatch):
    selection = fast_select.select(np.random.default_rng(1).normal(size=(200, 3)), ratio=0.1)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    found = check(selection._repr_html_())
    assert found.of("svg") == []
    assert len(found.of("table")) == 1
    assert "CF distance x m" in found.text


def test_a_notebook_shows_a_selection_beside_nothing():
    x = np.random.default_rng(1).normal(size=(200, 3))
    found = check(fast_select.select(x, ratio=0.1, n_random=0)._repr_html_())
    assert "no random selections were made" in found.text
