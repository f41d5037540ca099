"""Measured joules: a folder like powercap's whose counters advance under a clock of our own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from hebbite.rules.errors import UsageError
from hebbite.runtime.energy import Measured, measure_cpu, measure_gpu
from hebbite.runtime.energy.measured import Watch

SPAN = 262_143_328_850
Watts = Mapping[str, float]
IDLE: Watts = {"package-0": 20.0, "core": 12.0, "dram": 3.0, "psys": 40.0}


@dataclass
class Machine:
    """Counters in files. Power is what ``watts`` says, read in steps of ``tick`` seconds."""

    root: Path
    zones: Mapping[str, str]
    watts: dict[str, float] = field(default_factory=lambda: dict(IDLE))
    tick: float = 0.001
    span: int = SPAN
    now: float = 0.0
    joules: dict[str, float] = field(default_factory=dict)
    shown_at: float = 0.0

    def __post_init__(self) -> None:
        for zone, name in self.zones.items():
            (self.root / zone).mkdir(parents=True)
            (self.root / zone / "name").write_text(f"{name}\n")
            (self.root / zone / "max_energy_range_uj").write_text(f"{self.span}\n")
            self.joules.setdefault(zone, 0.0)
        self.show()

    def show(self) -> None:
        for zone in self.zones:
            count = round(self.joules[zone] * 1e6) % self.span
            (self.root / zone / "energy_uj").write_text(f"{count}\n")

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        while self.shown_at + self.tick <= self.now + 1e-12:
            ticks = max(int((self.now + 1e-12 - self.shown_at) / self.tick), 1)
            for zone, name in self.zones.items():
                self.joules[zone] += self.watts[name] * self.tick * ticks
            self.shown_at += ticks * self.tick
            self.show()

    def run(self, seconds: float, **watts: float) -> Callable[[], None]:
        def do() -> None:
            before = dict(self.watts)
            self.watts |= {name.replace("_", "-"): value for name, value in watts.items()}
            self.pass_time(seconds)
            self.watts = before

        return do

    @property
    def watch(self) -> Watch:
        return Watch(clock=lambda: self.now, sleep=self.pass_time)

    def measure(
        self, run: Callable[[], object], *, repeats: int = 5, idle_s: float = 10.0, seed: int = 0
    ) -> Measured:
        return measure_cpu(
            run, repeats=repeats, idle_s=idle_s, root=self.root, seed=seed, watch=self.watch
        )


INTEL = {
    "intel-rapl:0": "package-0",
    "intel-rapl:0:0": "core",
    "intel-rapl:0:1": "dram",
    "intel-rapl:1": "psys",
    "intel-rapl-mmio:0": "package-0",
}


def test_a_run_uses_what_packages_and_memory_use_and_dynamic_is_what_idling_would_not(
    tmp_path: Path,
) -> None:
    machine = Machine(tmp_path, INTEL)
    found = machine.measure(machine.run(20.0, package_0=50.0, dram=5.0))
    assert found.domains == ("package-0", "package-0 dram")
    assert found.reason == ""
    assert found.total is not None
    assert found.dynamic is not None
    assert found.total.median == pytest.approx(20 * 55.0, rel=1e-4)
    assert found.dynamic.median == pytest.approx(20 * (55.0 - 23.0), rel=1e-3)
    assert found.idle_w == pytest.approx(23.0, rel=1e-3)
    assert found.seconds == pytest.approx(20.0)
    assert found.written_s == pytest.approx(0.001, rel=0.3)
    assert found.separable


def test_cores_platform_and_a_second_view_of_a_package_are_never_added(tmp_path: Path) -> None:
    whole = Machine(tmp_path / "all", INTEL)
    alone = Machine(tmp_path / "one", {"intel-rapl:0": "package-0", "intel-rapl:0:1": "dram"})
    runs = [machine.measure(machine.run(20.0, package_0=50.0)) for machine in (whole, alone)]
    assert runs[0] == runs[1]


def test_two_packages_are_added(tmp_path: Path) -> None:
    machine = Machine(
        tmp_path,
        {"intel-rapl:0": "package-0", "intel-rapl:1": "package-1"},
        watts={"package-0": 20.0, "package-1": 10.0},
    )
    found = machine.measure(machine.run(20.0, package_0=50.0))
    assert found.total is not None
    assert found.total.median == pytest.approx(20 * 60.0, rel=1e-4)


def test_a_counter_that_starts_anew_in_a_run_is_read_on(tmp_path: Path) -> None:
    # 30 s at 50 W and 10 s at 20 W use 1,700 J; the counter starts anew every 40,000 J
    machine = Machine(
        tmp_path,
        {"intel-rapl:0": "package-0"},
        span=40_000_000_000,
        joules={"intel-rapl:0": 39_000.0},
    )
    found = machine.measure(machine.run(30.0, package_0=50.0), repeats=3)
    assert machine.joules["intel-rapl:0"] > 40_000
    assert found.total is not None
    assert found.total.low == pytest.approx(1500.0, rel=1e-4)
    assert found.total.high == pytest.approx(1500.0, rel=1e-4)


def test_a_run_in_which_a_counter_could_start_anew_twice_is_not_measured(tmp_path: Path) -> None:
    machine = Machine(tmp_path, {"intel-rapl:0": "package-0"}, span=20_000_000_000)
    found = machine.measure(machine.run(21.0, package_0=50.0))
    assert found.total is None
    assert found.reason.startswith("not measured: the counter of package-0 may have started anew")


def test_the_interval_holds_the_mean_of_runs_that_differ_and_a_seed_fixes_it(
    tmp_path: Path,
) -> None:
    def measured(seed: int) -> Measured:
        machine = Machine(tmp_path / str(len(list(tmp_path.iterdir()))), INTEL)
        watts = iter((45.0, 50.0, 55.0, 48.0, 52.0, 50.0))
        return machine.measure(
            lambda: machine.run(20.0, package_0=next(watts))(), repeats=6, seed=seed
        )

    one, same, other = measured(0), measured(0), measured(1)
    assert one == same
    assert one.total is not None
    assert other.total is not None
    mean = 20 * (np.mean((45.0, 50.0, 55.0, 48.0, 52.0, 50.0)) + 3.0)
    assert one.total.low < mean < one.total.high
    assert one.total != other.total
    spread = 20 * np.std((45.0, 50.0, 55.0, 48.0, 52.0, 50.0)) / np.sqrt(6)
    assert one.total.high - one.total.low == pytest.approx(2 * 1.645 * spread, rel=0.15)


def test_a_run_that_the_idle_machine_hides_is_measured_and_said_to_be_inseparable(
    tmp_path: Path,
) -> None:
    machine = Machine(tmp_path, INTEL)
    powers = iter((18.0, 22.0, 19.0, 21.0, 20.0))

    def run() -> None:
        machine.run(20.0, package_0=next(powers))()

    found = machine.measure(run)
    assert found.dynamic is not None
    assert found.dynamic.low < 0 < found.dynamic.high
    assert not found.separable
    assert found.to_json()["separable"] is False


@pytest.mark.parametrize(
    ("zones", "reason"),
    [
        ({"intel-rapl:0": "psys"}, "shows no processor package"),
        ({"intel-rapl:0": "package-0", "intel-rapl:1": "package-0"}, "a domain is shown twice"),
    ],
)
def test_a_folder_without_packages_or_with_one_twice_is_not_measured(
    tmp_path: Path, zones: dict[str, str], reason: str
) -> None:
    machine = Machine(tmp_path, zones)
    found = machine.measure(machine.run(20.0))
    assert (found.total, found.dynamic) == (None, None)
    assert found.reason.startswith("not measured: ")
    assert reason in found.reason


def test_a_system_without_counters_is_not_measured(tmp_path: Path) -> None:
    found = measure_cpu(lambda: None, root=tmp_path / "powercap")
    assert found.total is None
    assert found.reason == (
        f"not measured: there is no {tmp_path / 'powercap'}: this system shows no energy counters"
    )
    assert found.to_json()["total"] is None


def test_a_counter_that_only_root_may_read_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path, INTEL)
    read_text = Path.read_text

    def refuse(path: Path) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied", str(path))
        return read_text(path)

    monkeypatch.setattr(Path, "read_text", refuse)
    found = machine.measure(machine.run(20.0))
    assert found.reason.endswith("intel-rapl:0/energy_uj may be read by root only")


@pytest.mark.parametrize(
    ("file", "reason"),
    [("name", "cannot be read: No such file"), ("max_energy_range_uj", "cannot be read: No such")],
)
def test_a_domain_that_lacks_a_file_is_not_measured(tmp_path: Path, file: str, reason: str) -> None:
    machine = Machine(tmp_path, INTEL)
    (tmp_path / "intel-rapl:0" / file).unlink()
    assert reason in machine.measure(machine.run(20.0)).reason


def test_a_counter_that_holds_no_number_is_not_measured(tmp_path: Path) -> None:
    machine = Machine(tmp_path, INTEL)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("<not supported>\n")
    assert "holds no number" in machine.measure(machine.run(20.0)).reason


def test_a_counter_that_fails_during_a_run_is_not_measured(tmp_path: Path) -> None:
    machine = Machine(tmp_path, INTEL)

    def run() -> None:
        (tmp_path / "intel-rapl:0" / "energy_uj").unlink()

    assert "could no longer be read" in machine.measure(run).reason


def test_a_counter_that_stands_still_is_not_measured(tmp_path: Path) -> None:
    machine = Machine(tmp_path, INTEL, watts={**IDLE, "dram": 0.0})
    found = machine.measure(machine.run(20.0))
    assert found.reason == "not measured: the counter of package-0 dram stands still"


def test_a_run_too_short_for_the_resolution_is_not_measured(tmp_path: Path) -> None:
    machine = Machine(tmp_path, INTEL)
    found = machine.measure(machine.run(0.05, package_0=50.0))
    assert found.total is None
    assert found.reason.startswith("not measured: the resolution is too coarse for 0.05 s")
    assert machine.measure(machine.run(0.2, package_0=50.0)).total is not None


@pytest.mark.parametrize(("repeats", "idle_s"), [(1, 10.0), (5, 0.0), (5, float("nan"))])
def test_an_interval_needs_two_runs_and_an_idle_time(
    tmp_path: Path, repeats: int, idle_s: float
) -> None:
    with pytest.raises(UsageError, match="HB0530"):
        measure_cpu(lambda: None, repeats=repeats, idle_s=idle_s, root=tmp_path)


def test_an_error_of_the_run_is_the_callers_own(tmp_path: Path) -> None:
    machine = Machine(tmp_path, INTEL)
    with pytest.raises(ZeroDivisionError):
        machine.measure(lambda: 1 // 0)


class NVMLError(Exception):
    """What pynvml raises."""


def a_device(machine: Machine, *, works: bool = True) -> ModuleType:
    def energy(handle: int) -> int:
        if not works:
            raise NVMLError("Not Supported")
        return int(machine.joules["intel-rapl:0"] * 1e3)

    return SimpleNamespace(  # type: ignore[return-value]
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetName=lambda handle: b"card",
        nvmlDeviceGetTotalEnergyConsumption=energy,
    )


def with_device(monkeypatch: pytest.MonkeyPatch, device: ModuleType) -> None:
    monkeypatch.setattr("hebbite.runtime.energy.nvml.find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "pynvml", device)


def test_a_device_is_measured_by_its_own_counter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path, {"intel-rapl:0": "package-0"}, tick=0.02)
    with_device(monkeypatch, a_device(machine))
    found = measure_gpu(machine.run(20.0, package_0=200.0), watch=machine.watch)
    assert found.domains == ("device 0 card",)
    assert found.dynamic is not None
    assert found.dynamic.median == pytest.approx(20 * 180.0, rel=2e-3)


def test_a_device_without_a_counter_or_without_its_package_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hebbite.runtime.energy.nvml.find_spec", lambda name: None)
    missing = measure_gpu(lambda: None)
    assert missing.reason == "not measured: the package pynvml is not installed"
    machine = Machine(tmp_path, {"intel-rapl:0": "package-0"})
    with_device(monkeypatch, a_device(machine, works=False))
    assert measure_gpu(lambda: None).reason.endswith("device 0 shows no energy: Not Supported")
