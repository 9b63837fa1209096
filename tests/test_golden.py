"""A changed selection is announced: the changelog names the golden lists as they are."""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_changelog_names_the_golden_lists():
    digest = hashlib.sha256()
    lists = sorted((ROOT / "rust/core/tests/golden").glob("*.txt"))
    for path in lists:
        digest.update(path.read_bytes())
    assert len(lists) >= 18
    changelog = (ROOT / "CHANGELOG.md").read_text()
    entries = re.split(r"\n(?=\* )", changelog)
    announced = [entry for entry in entries if f"golden {digest.hexdigest()[:12]}" in entry]
    assert announced, "lists changed: say so in CHANGELOG.md, see .ci/renew-golden"
    assert any("*value-breaking*" in entry for entry in announced)
