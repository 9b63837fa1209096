"""A thousand malformed and odd inputs (tests/odd_inputs.py)."""

from odd_inputs import KINDS, tally


def test_every_odd_input_ends_in_a_right_pick_or_in_one_line():
    by_code, wrong = tally(count=1000, seed=0, jobs=2)
    assert not wrong, "\n".join(wrong)
    assert sum(by_code.values()) == 1000
    taken = {kind for kind, code in by_code if code == 0}
    refused = {kind for kind, code in by_code if code == 2}
    # What is made does reach both ends.
    assert {"valid", "odd values", "labels", "rows left out", "options"} <= taken
    assert {"odd header", "damaged", "odd archive", "odd shape", "labels", "options"} <= refused
    assert len(taken | refused) >= len(KINDS)
