"""Energy: counters, their wrap-around, whose it is, and the estimate."""

import gc
import json
import os
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

import fast_select
from fast_select import InvalidInputError
from fast_select.energy import Meter, Rapl, current_rss, peak_rss
from fast_select.energy.counters import MOST_WATTS
from fast_select.energy.load import Load, busy_seconds


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


RANGE = 262_143_328_850
"""Microjoules after which a usual counter begins again."""


def zones(root, joules, **settings):
    """Zones by their folders, each with its name, at so many joules."""
    for name, (label, value) in joules.items():
        zone(root, name, round(value * 1e6), RANGE, label=label, **settings)


SERVER = {
    "intel-rapl:0": "package-0",
    "intel-rapl:0:0": "core",
    "intel-rapl:0:1": "dram",
    "intel-rapl:1": "package-1",
    "intel-rapl:1:0": "dram",
    "intel-rapl:2": "psys",
    "intel-rapl:2:0": "dram",
    "intel-rapl-mmio:0": "package-0",
    "intel-rapl-mmio:0:0": "dram",
    "dtpm:0": "package-0",
}


@pytest.mark.parametrize(
    "names,package,dram",
    [
        (SERVER, 6, 12),
        ({"intel-rapl:0": "package-0"}, 2, None),
        ({"intel-rapl:0": "package-0-die-0", "intel-rapl:1": "package-0-die-1"}, 6, None),
        ({"intel-rapl:0": "package-0", "intel-rapl:1": "dram"}, 2, 4),
        ({"intel-rapl:0": "package-0", "intel-rapl:1": "psys", "intel-rapl:1:0": "dram"}, 2, None),
        ({"intel-rapl-mmio:0": "package-0", "intel-rapl-mmio:0:0": "dram"}, 2, 4),
        ({"amd-rapl:0": "package-0", "amd-rapl:0:0": "core", "amd-rapl:1": "package-1"}, 8, None),
        ({"intel-rapl:1": "psys", "intel-rapl:1:0": "dram"}, None, None),
    ],
    ids=["server", "package", "dies", "DRAM beside", "psys", "mmio only", "AMD", "psys only"],
)
def test_packages_and_dram_are_told_apart(names, package, dram, tmp_path):
    """Each zone uses 2 J more than the one before it; parts of psys and second ways count not."""
    zones(tmp_path, {name: (label, 50) for name, label in names.items()})
    meter = Meter(powercap=tmp_path)
    meter.begin("a")
    used = {name: (label, 50 + 2 + 2 * k) for k, (name, label) in enumerate(names.items())}
    zones(tmp_path, used)
    summary = meter.summary()
    energy = summary["energy"]
    if names is SERVER:
        package, dram = 2 + 8, 6 + 10
    assert energy["package_joules"] == (package and pytest.approx(package))
    assert energy["dram_joules"] == (dram and pytest.approx(dram))
    assert energy["source"] == ("estimated" if package is None else "rapl")
    if package:
        total = pytest.approx(package + (dram or 0))
        assert summary["totals"]["joules"] == summary["stages"][0]["joules"] == total
        assert energy["high_joules"] == total
        assert ("DRAM is not measured" in energy["note"]) == (dram is None)


def test_the_zones_that_are_added_up_are_named(tmp_path):
    zones(tmp_path, {name: (label, 5) for name, label in SERVER.items()})
    named = Meter(powercap=tmp_path).summary()["energy"]["zones"]
    assert named == ["package-0", "package-1", "dram of package-0", "dram of package-1"]


def test_a_second_way_is_taken_where_the_first_is_closed(tmp_path):
    zones(tmp_path, {name: (label, 5) for name, label in SERVER.items()})
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    rapl = Rapl(tmp_path)
    zones(tmp_path, {"intel-rapl-mmio:0": ("package-0", 8)})
    assert rapl.by_domain() == {"package": pytest.approx(3), "dram": 0}


def test_zones_are_found_as_devices_lie_and_behind_links(tmp_path):
    """In the devices' folder zones lie in each other; the class's folder links to all of them."""
    devices, links = tmp_path / "devices", tmp_path / "class"
    whole = devices / "intel-rapl" / "intel-rapl:0"
    zone(whole.parent, whole.name, 0, RANGE)
    zone(whole, "intel-rapl:0:0", 0, RANGE, label="dram")
    links.mkdir()
    for folder in (whole.parent, whole, whole / "intel-rapl:0:0"):
        (links / folder.name).symlink_to(folder)
    both = Rapl(devices), Rapl(links)
    zone(whole.parent, whole.name, 3_000_000, RANGE)
    zone(whole, "intel-rapl:0:0", 2_000_000, RANGE, label="dram")
    for rapl in both:
        assert rapl.by_domain() == {"package": pytest.approx(3), "dram": pytest.approx(2)}


@pytest.mark.parametrize("file,text", [("energy_uj", None), ("energy_uj", "x"),
                                       ("max_energy_range_uj", "0"), ("name", None)])  # fmt: skip
def test_a_package_that_cannot_be_read_leaves_no_part_of_the_figure(file, text, tmp_path):
    """One of two sockets is not the machine."""
    zones(tmp_path, {name: (label, 5) for name, label in SERVER.items() if "mmio" not in name})
    closed = tmp_path / "intel-rapl:1" / file
    closed.unlink() if text is None else closed.write_text(text)
    if file == "name":  # a zone of which nothing is known is none of ours
        assert Rapl(tmp_path).parts == ["package-0", "dram of package-0"]
        return
    summary = Meter(powercap=tmp_path).summary()
    assert summary["energy"]["source"] == "estimated"
    assert "as the counters cannot be read" in summary["energy"]["note"]


def test_dram_that_cannot_be_read_is_left_out_whole(tmp_path):
    zones(tmp_path, {name: (label, 5) for name, label in SERVER.items() if "mmio" not in name})
    (tmp_path / "intel-rapl:1:0" / "energy_uj").unlink()
    energy = Meter(powercap=tmp_path).summary()["energy"]
    assert energy["source"] == "rapl"
    assert energy["dram_joules"] is None
    assert energy["zones"] == ["package-0", "package-1"]


def test_dram_that_is_lost_on_the_way_is_in_no_stage(tmp_path):
    names = {"intel-rapl:0": "package-0", "intel-rapl:0:0": "dram"}
    zones(tmp_path, {name: (label, 5) for name, label in names.items()})
    meter = Meter(powercap=tmp_path)
    meter.begin("a")
    zones(tmp_path, {name: (label, 8) for name, label in names.items()})
    meter.begin("b")
    (tmp_path / "intel-rapl:0:0" / "energy_uj").unlink()
    zones(tmp_path, {"intel-rapl:0": ("package-0", 10)})
    summary = meter.summary()
    assert [stage["joules"] for stage in summary["stages"]] == pytest.approx([3, 2])
    assert summary["energy"]["dram_joules"] is None
    assert meter.summary()["totals"]["joules"] == pytest.approx(5)


def work(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


@pytest.mark.parametrize("still", ["package", "dram"])
def test_a_counter_that_stands_still_is_no_measurement(still, tmp_path):
    names = {"intel-rapl:0": "package-0", "intel-rapl:0:0": "dram"}
    zones(tmp_path, {name: (label, 5) for name, label in names.items()})
    meter = Meter(powercap=tmp_path)
    meter.begin("a")
    work(0.11)
    zones(tmp_path, {n: (label, 7) for n, label in names.items() if still not in label})
    energy = meter.summary()["energy"]
    if still == "package":
        assert energy["source"] == "estimated"
        assert "as the counters stood still" in energy["note"]
    else:
        assert (energy["package_joules"], energy["dram_joules"]) == (pytest.approx(2), None)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_long_stage_misses_no_wrap_around(tmp_path, monkeypatch):
    """At 350 W for an hour, with no call but those of the thread."""
    monkeypatch.setattr("fast_select.energy.counters.keep_reading", lambda rapl, interval: None)
    zones(tmp_path, {"intel-rapl:0": ("package-0", 0)})
    clock = Clock()
    rapl = Rapl(tmp_path, clock)
    assert 10 < rapl.interval < RANGE * 1e-6 / MOST_WATTS / 2
    total = 0
    while clock.now < 4600:
        clock.now += rapl.interval
        total += 350 * rapl.interval
        zone(tmp_path, "intel-rapl:0", round(total * 1e6) % RANGE, RANGE)
        assert rapl.joules() == pytest.approx(total)
    assert total > 4 * RANGE * 1e-6


def test_a_thread_reads_while_nothing_else_does(tmp_path, monkeypatch):
    monkeypatch.setattr("fast_select.energy.counters.LEAST_S", 0.002)
    zone(tmp_path, "intel-rapl:0", 0)
    rapl = Rapl(tmp_path)
    rapl._counters["package"][0].safe_s = 9  # the clock is the machine's, which may be busy
    file = tmp_path / "intel-rapl:0" / "energy_uj"
    for k in range(1, 5):
        file.with_name("next").write_text(str(k * 600_000 % 1_000_000))
        file.with_name("next").replace(file)
        until = time.monotonic() + 20
        while rapl._counters["package"][0].joules < 0.6 * k - 1e-9 and time.monotonic() < until:
            time.sleep(0.002)
    assert rapl.joules() == pytest.approx(2.4)


@pytest.mark.parametrize("minutes", [3, 600])
def test_a_time_in_which_a_turn_may_be_missed_is_no_measurement(minutes, tmp_path):
    """As where no thread can be had, or a scheduler has stopped the process."""
    zones(tmp_path, {"intel-rapl:0": ("package-0", 0)})
    clock = Clock()
    rapl = Rapl(tmp_path, clock)
    clock.now += 60 * minutes
    zones(tmp_path, {"intel-rapl:0": ("package-0", 50)})
    rapl.joules()
    assert rapl.lost
    assert not rapl


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "fast-select-energy"]


def test_the_thread_ends_with_the_meter_and_there_is_none_without_counters(tmp_path):
    before = set(readers())  # of meters before, which may end meanwhile
    Meter(powercap=tmp_path / "none").begin("a")
    assert set(readers()) <= before
    zones(tmp_path, {"intel-rapl:0": ("package-0", 0)})
    meter = Meter(powercap=tmp_path)
    twin = meter.branch()
    [thread], gone = set(readers()) - before, weakref.ref(meter)
    assert thread.daemon
    del meter
    gc.collect()
    assert gone() is None
    assert thread.is_alive()  # the twin reads the same counters
    del twin
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()


def test_the_thread_ends_when_counters_are_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("fast_select.energy.counters.LEAST_S", 0.002)
    zone(tmp_path, "intel-rapl:0", 0)
    rapl = Rapl(tmp_path)
    thread = readers()[-1]
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    thread.join(10)
    assert not thread.is_alive()
    assert rapl.lost


def test_where_no_thread_can_be_had_the_run_reads(tmp_path, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    zones(tmp_path, {"intel-rapl:0": ("package-0", 0)})
    meter = Meter(powercap=tmp_path)
    meter.begin("a")
    zones(tmp_path, {"intel-rapl:0": ("package-0", 4)})
    assert meter.summary()["totals"]["joules"] == pytest.approx(4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_goes_on_even_if_the_thread_was_reading(tmp_path):
    zones(tmp_path, {"intel-rapl:0": ("package-0", 0)})
    meter = Meter(powercap=tmp_path)
    meter.begin("a")
    with meter._rapl._lock:  # as the thread has it while it reads
        child = os.fork()
        if child == 0:
            code = 1
            try:
                zones(tmp_path, {"intel-rapl:0": ("package-0", 4)})
                totals = meter.summary()["totals"]
                ok = totals["joules"] == pytest.approx(4) and totals["cpu_s"] >= 0
                code = 0 if ok and len(readers()) == 1 else 2
            finally:
                os._exit(code)
    until = time.monotonic() + 20
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < until:
        time.sleep(0.01)
    if ended[0] == 0:
        os.kill(child, 9)
    assert ended == (child, 0)


def account(root, busy, idle=0.0):
    """The machine's account of its CPUs, with so many seconds of work."""
    hertz = os.sysconf("SC_CLK_TCK")
    parts = [busy * hertz * share for share in (0.5, 0.1, 0.3)]
    ticks = [*parts, idle * hertz, 77, busy * hertz * 0.04, busy * hertz * 0.06, 55, 33, 22]
    file = root / "stat"
    file.write_text("cpu  " + " ".join(str(round(t)) for t in ticks) + "\ncpu0 1 2 3\n")
    return file


def test_busy_seconds_are_those_of_all_cpus_without_waiting_and_guests(tmp_path):
    assert busy_seconds(account(tmp_path, 50, idle=900)) == pytest.approx(50, abs=0.05)


@pytest.mark.parametrize(
    "text", ["", "cpu\n", "cpu  1 2 x 4 5 6 7\n", "intr 1 2 3 4 5 6 7 8\n", "cpu 1 2 3\n", None]
)
def test_an_account_that_does_not_tell_is_none(text, tmp_path):
    file = tmp_path / "stat"
    if text is not None:
        file.write_text(text)
    assert busy_seconds(file) is None
    load = Load(file)
    load.account()
    assert load.share is None


@pytest.mark.parametrize("others", [0.0, 3.0])
def test_the_share_of_other_processes_is_told(others, tmp_path):
    zones(tmp_path, {"intel-rapl:0": ("package-0", 0)})
    stat = account(tmp_path, 100)
    meter = Meter(powercap=tmp_path, stat=stat)
    meter.begin("a")
    begun = time.process_time()
    work(0.12)
    own = time.process_time() - begun
    account(tmp_path, 100 + 0.12 * (1 + others))
    zones(tmp_path, {"intel-rapl:0": ("package-0", 40)})
    energy = meter.summary()["energy"]
    share = min(own / (0.12 * (1 + others)), 1)
    assert energy["own_share"] == pytest.approx(share, rel=0.25)
    assert 0 < energy["own_share"] <= 1
    assert energy["own_joules"] == energy["low_joules"]
    assert energy["own_joules"] == pytest.approx(40 * energy["own_share"])
    assert energy["high_joules"] == pytest.approx(40)
    assert f"{energy['own_share']:.0%} of the machine's busy CPU time" in energy["note"]


def test_children_that_have_ended_are_this_process_s(tmp_path):
    load = Load(account(tmp_path, 100))
    code = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    account(tmp_path, 101)
    load.account()
    assert load.own_s > 0.25


@pytest.mark.parametrize("zeros", [True, False])
def test_a_share_that_is_not_known_is_said(zeros, tmp_path):
    stat = account(tmp_path, 0) if zeros else tmp_path / "none"
    zones(tmp_path, {"intel-rapl:0": ("package-0", 0)})
    meter = Meter(powercap=tmp_path, stat=stat)
    meter.begin("a")
    zones(tmp_path, {"intel-rapl:0": ("package-0", 40)})
    energy = meter.summary()["energy"]
    assert energy["own_share"] is energy["own_joules"] is energy["low_joules"] is None
    assert energy["high_joules"] == pytest.approx(40)
    assert "the share of these is not known" in energy["note"]
    json.dumps(energy, allow_nan=False)


def test_a_branch_has_the_share_of_its_own_time(tmp_path):
    zones(tmp_path, {"intel-rapl:0": ("package-0", 0)})
    meter = Meter(powercap=tmp_path, stat=account(tmp_path, 100))
    meter.begin("shared")
    account(tmp_path, 110)
    meter.tick()
    first = meter.branch()
    first.begin("own")
    account(tmp_path, 210)
    zones(tmp_path, {"intel-rapl:0": ("package-0", 30)})
    first.summary()
    second = meter.branch()
    second.begin("own")
    account(tmp_path, 240)
    zones(tmp_path, {"intel-rapl:0": ("package-0", 37)})
    joules = second.summary()["energy"]["package_joules"]
    assert first._load.machine_s == pytest.approx(110, abs=0.1)
    assert second._load.machine_s == pytest.approx(40, abs=0.1)
    assert meter._load.machine_s == pytest.approx(10, abs=0.1)
    assert joules == pytest.approx(7)


def test_an_estimate_has_a_range_unless_its_power_is_given(tmp_path):
    for watts, low, high in ((None, 1.5, 40), (20, 20, 20), (10, 10, 10)):
        meter = Meter(watts, powercap=tmp_path / "none")
        meter.begin("a")
        work(0.02)
        summary = meter.summary()
        cpu_s, energy = summary["totals"]["cpu_s"], summary["energy"]
        assert energy["low_joules"] == pytest.approx(low * cpu_s)
        assert energy["high_joules"] == pytest.approx(high * cpu_s)
        assert energy["low_joules"] <= summary["totals"]["joules"] <= energy["high_joules"]
        assert energy["own_joules"] == summary["totals"]["joules"]
        assert energy["package_joules"] is energy["dram_joules"] is None
        assert ("1.5 to 40 W" in energy["note"]) == (watts is None)


@pytest.mark.parametrize("options", [{}, {"watts_per_core": 10.0}, {"watts_per_core": 3}])
def test_reports_have_the_range_and_joules_a_row(options, rng, monkeypatch, tmp_path):
    monkeypatch.setenv("FAST_SELECT_POWERCAP", str(tmp_path))
    x = rng.normal(size=(200, 4))
    reports = [s.report for s in fast_select.select_nested(x, ratios=[0.1, 0.3], **options)]
    reports.append(fast_select.FastSelector(**options).fit(x).selection_.report)
    for report in reports:
        energy, total = report["energy"], report["totals"]["joules"]
        assert energy["joules_per_row"] == pytest.approx(total / report["selection"]["count"])
        assert report["options"]["watts_per_core"] == options.get("watts_per_core", 10)
    for report in reports[:2]:
        low, high = report["energy"]["low_joules"], report["energy"]["high_joules"]
        assert (low < high) == (not options)
    ends = reports[2]["energy"]
    # An estimator has all its parameters: the default is as good as not given.
    assert (ends["low_joules"] < ends["high_joules"]) == (options.get("watts_per_core") != 3)
    assert "joules_per_row" not in fast_select.evaluate(x, np.arange(9), n_random=2)["energy"]


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("command", ["demo", "select"])
def test_the_command_knows_whether_watts_were_given(command, given, call, features, monkeypatch):
    monkeypatch.setenv("FAST_SELECT_POWERCAP", str(call.folder))
    words = ["demo"] if command == "demo" else ["select", features, "--ratio", "0.1"]
    got = call(*words, *(["--watts-per-core", "10"] if given else []), "--report", "r.json")
    assert got.returncode == 0, got.stderr
    energy = json.loads((call.folder / "r.json").read_text())["energy"]
    assert (energy["low_joules"] == energy["high_joules"]) == given
    text = got.stderr.decode()
    assert ("1.5 to 40 W" in text) == (not given)
    assert "J a selected row. Peak memory" in text


def test_a_run_is_measured_with_the_counters_of_another_folder(rng, monkeypatch, tmp_path):
    """As where a container has them mounted."""
    zones(tmp_path, {"intel-rapl:0": ("package-0", 0), "intel-rapl:0:0": ("dram", 0)})
    monkeypatch.setenv("FAST_SELECT_POWERCAP", str(tmp_path))

    def progress(stage, done, total):
        if stage == "quality":
            zones(tmp_path, {"intel-rapl:0": ("package-0", 6), "intel-rapl:0:0": ("dram", 2)})

    report = fast_select.select(rng.normal(size=(200, 4)), ratio=0.1, progress=progress).report
    assert report["energy"]["source"] == "rapl"
    assert report["totals"]["joules"] == pytest.approx(8)
    assert report["energy"]["joules_per_row"] == pytest.approx(0.4)
    assert sum(stage["joules"] for stage in report["stages"]) == pytest.approx(8)


def test_a_run_that_is_stopped_leaves_no_thread(rng, monkeypatch, tmp_path):
    zones(tmp_path, {"intel-rapl:0": ("package-0", 0)})
    monkeypatch.setenv("FAST_SELECT_POWERCAP", str(tmp_path))
    before = set(readers())

    def stop(stage, done, total):
        raise KeyboardInterrupt

    try:
        fast_select.select(rng.normal(size=(200, 4)), ratio=0.1, progress=stop)
    except KeyboardInterrupt as err:
        err.__traceback__ = err.__context__ = None
    gc.collect()
    for thread in set(readers()) - before:
        thread.join(5)
        assert not thread.is_alive()
