"""Energy: counters, their wrap-around, and the estimate."""

import json
import subprocess
import sys
import time

import pytest

from fast_select import InvalidInputError
from fast_select.energy import Meter, Rapl, current_rss, peak_rss


def zone(root, name, energy, wrap=1_000_000, label="package-0"):
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(label + "\n")
    (folder / "max_energy_range_uj").write_text(str(wrap))
    (folder / "energy_uj").write_text(str(energy))


def test_packages_are_added_and_parts_left_out(tmp_path):
    zone(tmp_path, "intel-rapl:0", 100)
    zone(tmp_path, "intel-rapl:1", 500, label="package-1")
    zone(tmp_path, "intel-rapl:0:0", 100, label="core")
    zone(tmp_path, "intel-rapl:2", 100, label="psys")
    rapl = Rapl(tmp_path)
    assert rapl.joules() == 0
    zone(tmp_path, "intel-rapl:0", 200_100)
    zone(tmp_path, "intel-rapl:1", 300_500, label="package-1")
    zone(tmp_path, "intel-rapl:0:0", 999_999, label="core")
    assert rapl.joules() == pytest.approx(0.5)


def test_wrap_around(tmp_path):
    zone(tmp_path, "amd-rapl:0", 900_000)
    rapl = Rapl(tmp_path)
    zone(tmp_path, "amd-rapl:0", 100_000)
    assert rapl.joules() == pytest.approx(0.2)
    zone(tmp_path, "amd-rapl:0", 50_000)
    assert rapl.joules() == pytest.approx(1.15)


def test_measured_by_stage(tmp_path):
    zone(tmp_path, "intel-rapl:0", 0)
    meter = Meter(powercap=tmp_path)
    meter.begin("a")
    zone(tmp_path, "intel-rapl:0", 300_000)
    meter.begin("b")
    zone(tmp_path, "intel-rapl:0", 400_000)
    summary = meter.summary()
    assert [s["joules"] for s in summary["stages"]] == pytest.approx([0.3, 0.1])
    assert summary["energy"]["source"] == "rapl"
    assert "watts_per_core" not in summary["energy"]


def test_estimated_where_there_are_no_counters(tmp_path):
    meter = Meter(watts_per_core=20, powercap=tmp_path / "none")
    meter.begin("a")
    sum(i * i for i in range(300_000))
    summary = meter.summary()
    [stage] = summary["stages"]
    assert stage["cpu_s"] > 0
    assert stage["joules"] == pytest.approx(20 * stage["cpu_s"])
    assert summary["energy"]["source"] == "estimated"
    assert "20 W per core" in summary["energy"]["note"]
    json.dumps(summary, allow_nan=False)


def test_unreadable_counters_are_not_zero_joules(tmp_path):
    zone(tmp_path, "intel-rapl:0", 0)
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    assert not Rapl(tmp_path)
    assert Meter(powercap=tmp_path).source == "estimated"


def test_memory_is_in_bytes():
    assert 10 * 2**20 < current_rss() <= peak_rss() * 1.01 < 100 * 2**30


def test_a_branch_is_not_charged_with_what_another_did():
    meter = Meter()
    meter.begin("shared")
    meter.tick()
    shared = meter.stages[0].wall_s
    first = meter.branch()
    first.begin("own")
    time.sleep(0.05)
    first.tick()
    second = meter.branch()
    second.begin("own")
    assert first.stages[1].wall_s >= 0.05
    assert second.stages[0].wall_s - shared < 0.05
    assert meter.stages[0].wall_s == shared


@pytest.fixture
def broken(tmp_path):
    """A counter near the middle of a range of 262 kJ, and what may become of it."""
    wrap = 262_143_328_850
    zone(tmp_path, "intel-rapl:0", 150_000_000_000, wrap)
    file = tmp_path / "intel-rapl:0" / "energy_uj"
    ways = {
        "goes back": lambda: file.write_text("149999999999"),
        "is set back": lambda: file.write_text("0"),
        "jumps": lambda: file.write_text("250000000000"),
        "overflows": lambda: file.write_text(str(2**64)),
        "vanishes": file.unlink,
        "is empty": lambda: file.write_text(""),
        "is no number": lambda: file.write_bytes(b"\xff\xfe"),
        "becomes a folder": lambda: (file.unlink(), file.mkdir()),
    }
    return tmp_path, ways


@pytest.mark.parametrize(
    "way",
    ["goes back", "is set back", "jumps", "overflows", "vanishes", "is empty", "is no number",
     "becomes a folder"],
)  # fmt: skip
def test_a_counter_that_fails_in_the_middle_gives_no_figure(broken, way):
    root, ways = broken
    meter = Meter(watts_per_core=20, powercap=root)
    meter.begin("a")
    zone(root, "intel-rapl:0", 150_000_300_000, 262_143_328_850)
    meter.begin("b")
    assert meter.source == "rapl"
    ways[way]()
    sum(i * i for i in range(100_000))
    meter.begin("c")
    summary = meter.summary()
    for stage in summary["stages"]:
        assert stage["joules"] == pytest.approx(20 * stage["cpu_s"])
    assert summary["energy"]["source"] == "estimated"
    assert "counters failed" in summary["energy"]["note"]


def test_a_counter_that_wraps_around_a_real_range(tmp_path):
    zone(tmp_path, "intel-rapl:0", 262_143_000_000, 262_143_328_850)
    rapl = Rapl(tmp_path)
    zone(tmp_path, "intel-rapl:0", 1_000_000, 262_143_328_850)
    assert rapl.joules() == pytest.approx(1.32885)


@pytest.mark.parametrize("watts", [float("nan"), float("inf"), 0, -1, "10", [10]])
def test_watts_that_are_no_power_are_refused(watts):
    with pytest.raises(InvalidInputError, match="watts_per_core"):
        Meter(watts)


@pytest.mark.parametrize("missing", [True, False])
def test_it_works_where_there_is_no_module_of_resources(missing):
    code = f"""
import sys
if {missing}:
    sys.modules["resource"] = None
import numpy as np, fast_select
found = fast_select.select(np.eye(60), ratio=0.5, n_random=2)
peak, before = (found.report["memory"][key] for key in ("peak_bytes", "before_bytes"))
assert 0 < before <= peak * 1.01, (before, peak)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
