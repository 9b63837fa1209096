"""The verdict says what the figures say."""

import json

import numpy as np
import pytest

import fast_select
from fast_select.report import class_counts, notes, ranked, verdict


def quality(own, values, stratified=None):
    def drawn(values):
        return values and {
            "cfd_m": {"mean": float(np.mean(values)), "std": 0.0, "values": list(values)},
        }

    return ranked(
        {
            "selection": {"cfd_m": own},
            "random": drawn(values),
            "stratified": drawn(stratified),
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
        "n_random": 20,
    }
    sentence = verdict(ranked(judged))
    assert sentence.startswith("Better than random")
    assert sentence.endswith(" But worse than all 20 draws in covariance and coverage radius.")


def test_ties_are_neither_better_nor_worse():
    assert verdict(quality(1.0, [1.0] * 20)).startswith("No better than random here")
    equal = verdict(quality(0.0, [0.0] * 20))
    assert equal.endswith("1.00 of a random pick's, less than in 0 of 20 draws.")


def test_few_draws_give_no_verdict():
    for own in (0.5, 1.0, 2.0):
        assert verdict(quality(own, TWENTY[:19])).startswith("Too few draws to tell")


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
    for kind in ("random", "stratified"):
        for drawn in again["quality"][kind].values():
            assert len(drawn["values"]) == 20
            assert 0 <= drawn["beaten"] <= 20
