"""Energy: counters, their wrap-around, and the estimate."""

import json
import time

import pytest

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
