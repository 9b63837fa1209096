"""The verdict says what the figures say."""

import json

import numpy as np
import pytest

import fast_select
from fast_select import _core
from fast_select.cli._tables import quality_table
from fast_select.report import (
    METRICS,
    class_counts,
    empty_classes,
    mapped_bytes,
    notes,
    ranked,
    verdict,
)


def quality(own, values, stratified=None, by_blocks=None):
    def drawn(values):
        return values and {
            "cfd_m": {"mean": float(np.mean(values)), "std": 0.0, "values": list(values)},
        }

    return ranked(
        {
            "selection": {"cfd_m": own},
            "random": drawn(values),
            "stratified": drawn(stratified),
            "stratified_by_blocks": drawn(by_blocks),
            "n_blocks": 7,
            "n_random": len(values),
        }
    )


TWENTY = [1 + k / 100 for k in range(20)]


@pytest.mark.parametrize(
    "own,start",
    [
        (0.5, "Better than random: CF distance on unseen frequencies is 0.46 of a random pick's"),
        (1.005, "No better than random here"),  # ahead of 19 of 20: one draw in 20 is
        (1.1, "No better than random here"),
        (1.185, "No better than random here"),
        (2.0, "Worse than random"),
    ],
)
def test_verdicts(own, start):
    assert verdict(quality(own, TWENTY)).startswith(start)


def test_stratified_picks_are_the_harder_rival():
    sentence = verdict(quality(0.9, TWENTY, [0.5 + k / 100 for k in range(20)]))
    assert sentence.startswith("Worse than random")
    assert "stratified" in sentence


def test_a_verdict_names_what_is_worse_than_every_draw():
    figures = {"mean": 1.0, "std": 0.0}
    judged = {
        "selection": {"cfd_m": 0.5, "moment_2": 9.0, "moment_3": 1.0, "coverage_max": 9.0},
        "random": {
            name: {**figures, "values": TWENTY}
            for name in ("cfd_m", "moment_2", "moment_3", "coverage_max")
        },
        "stratified": None,
        "stratified_by_blocks": None,
        "n_random": 20,
    }
    sentence = verdict(ranked(judged))
    assert sentence.startswith("Better than random")
    assert sentence.endswith(" But worse than all 20 draws in covariance and coverage radius.")


@pytest.mark.parametrize(
    "own,words",
    [
        (0.45, None),
        (0.505, " But no better than random rows of each of 7 blocks: 0.85 of their CF distance, "
                "less than in 19 of 20 draws."),
        (0.8, " But worse than random rows of each of 7 blocks: 1.34 of their CF distance, "
              "more than in all 20 draws."),
    ],
)  # fmt: skip
def test_a_pick_has_to_beat_random_rows_of_each_block(own, words):
    by_blocks = [0.5 + k / 100 for k in range(20)]
    sentence = verdict(quality(own, TWENTY, by_blocks=by_blocks))
    assert sentence.startswith("Better than random")
    assert sentence.endswith(words or "less than in all 20 draws.")
    assert "block" not in verdict(quality(own, TWENTY, by_blocks=by_blocks[:19]))
    # Where it is no better than random rows of all, there is nothing to add.
    assert "block" not in verdict(quality(own + 1, TWENTY, by_blocks=by_blocks))


def test_what_is_worse_comes_after_the_blocks():
    judged = quality(0.8, TWENTY, by_blocks=[0.5] * 20)
    judged["selection"]["moment_4"] = 9.0
    judged["random"]["moment_4"] = {"mean": 1.0, "std": 0.0, "values": TWENTY}
    sentence = verdict(ranked(judged))
    assert sentence.endswith(" draws. And worse than all 20 draws in fourth moment.")


@pytest.mark.parametrize(
    "own,values,start,words",
    [
        (1.0, [1.0] * 20, "No better than random here", "1.00 of a random pick's"),
        (1.0, [1.0] * 19 + [2.0], "No better than random here", "in 1 of 20, equal in 19"),
        (0.0, [0.0] * 20, "No better than random here", "as good as 0 where a random pick's is as"),
        (1e-12, [3e-12] * 20, "No better than random here", "less than in 0 of 20, equal in 20"),
        (3e-12, [1e-12] * 20, "No better than random here", "less than in 0 of 20, equal in 20"),
        (1 - 1e-7, [1.0] * 20, "No better than random here", "equal in 20 draws."),
        (0.02, [0.0] * 20, "Worse than random", "is 0.0200 where a random pick's is as good as 0"),
        (1e-7, [1.0] * 20, "Better than random", "is 1e-07 of a random pick's, less than in all"),
        (3e5, [1.0] * 20, "Worse than random", "is 3e+05 of a random pick's, more than in all"),
        (0.9, [1.0] * 10 + [0.9] * 10, "No better than random here", "in 10 of 20, equal in 10"),
    ],
)  # fmt: skip
def test_ties_are_neither_better_nor_worse(own, values, start, words):
    sentence = verdict(quality(own, values))
    assert sentence.startswith(f"{start}: ")
    assert words in sentence
    assert "nan" not in sentence
    assert "0.00 of" not in sentence


@pytest.mark.parametrize("own,words", [(0.0, " But no better than"), (0.3, " But worse than")])
def test_blocks_whose_draws_are_perfect(own, words):
    sentence = verdict(quality(own, TWENTY, by_blocks=[0.0] * 20))
    assert words in sentence
    assert sentence.endswith(" draws.")


@pytest.mark.parametrize(
    "own,values,beaten,lost",
    [
        (-0.01, [-0.02, -0.005, 0.0, 0.01], 1, 0),
        (0.0, [-0.02, -0.005, 0.0, 0.01], 1, 0),
        (0.005, [-0.02, -0.005, 0.0, 0.01], 1, 3),
    ],
)
def test_an_estimate_below_zero_beats_no_other(own, values, beaten, lost):
    judged = quality(0.5, TWENTY)
    judged["selection"]["mmd2"] = own
    judged["random"]["mmd2"] = {"mean": 0.0, "std": 0.0, "values": values}
    drawn = ranked(judged)["random"]["mmd2"]
    assert (drawn["beaten"], drawn["lost"]) == (beaten, lost)
    assert judged["selection"]["mmd2"] == own


def copies(rng):
    """Forty copies of each of five rows, and a pick and draws of as many of each."""
    x = rng.normal(size=(5, 30)).repeat(40, axis=0)
    return x, np.arange(200) // 40


@pytest.mark.parametrize("kind", ["copies", "all rows", "equal rows", "one row"])
def test_as_good_as_random_beats_no_draw(rng, kind):
    x, labels = copies(rng)
    if kind == "copies":
        # Stratified draws take as many copies of each row: they are the same selection.
        report = fast_select.evaluate(x, np.arange(0, 200, 10), labels=labels)
        drawn = report["quality"]["stratified"]
    else:
        x = {"all rows": x, "equal rows": np.ones((90, 3)), "one row": x[:1]}[kind]
        rows = np.arange(9) if kind == "equal rows" else np.arange(len(x))
        report = fast_select.evaluate(x, rows)
        drawn = report["quality"]["random"]
    assert report["verdict"].startswith("No better than random here: ")
    assert "equal in 100 draws" in report["verdict"]
    assert "worse" not in report["verdict"]
    for name, each in drawn.items():
        assert (each["beaten"], each["lost"]) == (0, 0), name


def test_few_draws_give_no_verdict():
    for own in (0.5, 1.0, 2.0):
        assert verdict(quality(own, TWENTY[:19])).startswith("Too few draws to tell")


def test_a_single_draw_is_one_draw():
    told = [verdict(quality(own, [1.0])) for own in (0.5, 1.0, 2.0)]
    assert [sentence.split(", ", 1)[1] for sentence in told] == [
        "less than in the only one.",
        "less than in 0 of 1, equal in 1.",
        "more than in the only one.",
    ]


def test_all_rows_are_no_worse_than_random(rng):
    report = fast_select.select(rng.normal(size=(60, 3)), ratio=1.0).report
    assert report["verdict"].startswith("No better than random here")
    assert "worse" not in report["verdict"]


def test_nothing_to_compare_with():
    assert verdict(quality(0.9, [])) == "Not compared with random selections."


def test_notes_say_where_a_descent_did_not_help_and_what_residual_was_left():
    def group(start, picked, residual=None):
        return {
            "held_out_cfd_m_start": start,
            "held_out_cfd_m_picked": picked,
            "eigen_residual": residual,
        }

    assert notes([]) == []
    assert notes([group(None, None), group(1.0, 0.5, 1e-5)]) == []
    (alone,) = notes([group(1.0, 1.0)])
    assert alone == "The descent did not help and left the rows that it began with."
    (one,) = notes([group(1.0, 1.0), group(1.0, 0.9), group(None, None)])
    assert one.startswith("The descent did not help in 1 of 2 groups")
    (rough,) = notes([group(1.0, 0.9, 0.03)])
    assert "residual of 3e-02 only, not 1e-04" in rough


def test_class_counts():
    got = class_counts(np.array([0, 2]), np.array([1, 0, 1]), np.array(["a", "b"]))
    assert got == [
        {"label": "a", "n_rows": 1, "selected": 0},
        {"label": "b", "n_rows": 2, "selected": 2},
    ]


def test_class_counts_of_the_rows_that_are_kept():
    codes, classes = np.array([1, 0, 1, 2]), np.array(["a", "b", "c"])
    got = class_counts(np.array([2]), codes, classes, kept=np.array([1, 2]))
    assert [(c["n_rows"], c["selected"]) for c in got] == [(1, 0), (1, 1), (0, 0)]
    (note,) = empty_classes(got)
    assert note == "All rows of 1 class hold NaN or infinity: left out."
    assert empty_classes(got[:2]) == empty_classes(None) == []


def test_only_what_is_mapped_counts_as_mapped(tmp_path, rng):
    x = rng.normal(size=(50, 4))
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert mapped_bytes(np.asarray(mapped)) == mapped_bytes(mapped) == x.nbytes
    assert mapped_bytes(np.asarray(mapped[::2].T)) == x.nbytes // 2
    assert mapped_bytes(mapped.reshape(25, 8)) == x.nbytes
    assert mapped_bytes(x) == mapped_bytes(x[::2]) == mapped_bytes(np.array(mapped)) == 0


def test_report_is_strict_json_and_complete(rng):
    x = rng.normal(size=(200, 5)).astype(np.float32)
    labels = rng.integers(0, 2, size=200)
    report = fast_select.select(x, ratio=0.1, labels=labels).report
    again = json.loads(json.dumps(report, allow_nan=False))
    assert again["schema"] == 1
    assert again["input"]["shape"] == [200, 5]
    assert again["options"]["seed"] == 0
    assert again["selection"]["count"] == 20
    names = [s["name"] for s in again["stages"]]
    assert names[0] == "prepare"
    assert names[-1] == "quality"
    total = sum(s["wall_s"] for s in again["stages"])
    assert again["totals"]["wall_s"] == pytest.approx(total)
    assert again["memory"]["peak_bytes"] > 0
    assert again["quality"]["n_blocks"] == 2
    assert again["quality"]["stratified_by_blocks"] is None
    for kind in ("random", "stratified"):
        for drawn in again["quality"][kind].values():
            assert len(drawn["values"]) == 20
            assert 0 <= drawn["beaten"] <= 20


RADII = ("0.25", "0.5", "1", "2", "4")


def test_the_distance_is_told_by_radius_and_beside_picks_stratified_by_blocks(rng):
    x = rng.normal(size=(3000, 4)) + 3 * rng.integers(0, 4, size=(3000, 1))
    report = fast_select.select(x, count=384, block_rows=500).report
    quality = report["quality"]
    names = ["cfd_m", *(f"cfd_m_radius_{radius}" for radius in RADII)]
    assert quality["n_blocks"] == 6
    assert list(quality["stratified_by_blocks"]) == names
    own = quality["selection"]
    assert own["cfd_m"] == pytest.approx(np.mean([own[name] for name in names[2:5]]), rel=2e-3)
    for name in names:
        kinds = [quality[kind][name] for kind in ("random", "stratified_by_blocks")]
        assert [len(drawn["values"]) for drawn in kinds] == [20, 20]
    # The coarser the radius, the more of the distance such a pick has settled.
    random, by_blocks = quality["random"], quality["stratified_by_blocks"]
    shares = [by_blocks[name]["mean"] / random[name]["mean"] for name in names[1:]]
    assert shares == sorted(shares)
    assert shares[0] < 0.5 < shares[-1]


def test_every_figure_has_a_row_of_the_table(rng):
    report = fast_select.select(rng.normal(size=(600, 3)), count=128, block_rows=300).report
    table = quality_table(report["quality"])
    columns = {column.header: list(column.cells) for column in table.columns}
    assert columns["error"] == [METRICS[name] for name in report["quality"]["selection"]]
    of_blocks = [cell for cell in columns["by blocks"] if cell]
    assert len(of_blocks) == 6
    drawn = report["quality"]["stratified_by_blocks"]["cfd_m_radius_4"]
    assert of_blocks[-1] == f"{drawn['mean']:.4f}"


def test_worse_at_one_radius_is_named():
    judged = quality(0.5, TWENTY)
    judged["selection"]["cfd_m_radius_4"] = 9.0
    judged["random"]["cfd_m_radius_4"] = {"mean": 1.0, "std": 0.0, "values": TWENTY}
    sentence = verdict(ranked(judged))
    assert sentence.endswith(" But worse than all 20 draws in CF distance at radius 4.")


def test_a_pick_made_by_blocks_at_random_is_no_better_than_one(rng):
    # Rows on a line in order, so that each run of 250 is a block.
    x = np.sort(rng.random((6000, 1)), axis=0)
    rows = [250 * block + rng.choice(250, 64, replace=False) for block in range(24)]
    params = _core.Params("select", block_rows=250)
    quality = _core.evaluate(_core.prepare(x, params), np.concatenate(rows), params)
    sentence = verdict(ranked(quality))
    assert sentence.startswith("Better than random")
    assert " But no better than random rows of each of 24 blocks" in sentence
