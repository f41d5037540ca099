"""The energy counter of an NVIDIA processor, where the package pynvml is installed.

In: the number of a device. Out: its domain, or the reason why there is none. The counter (devices
from Volta on) holds millijoules since the driver was loaded, the memory on the board included.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from hebbite.runtime.energy.powercap import Domain, Found

MILLIJOULE = 1e-3


def device_of(number: int) -> Found:
    """Return the counter of one device."""
    if find_spec("pynvml") is None:
        return (), "the package pynvml is not installed"
    nvml: Any = import_module("pynvml")
    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByIndex(number)
        name = nvml.nvmlDeviceGetName(handle)
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except nvml.NVMLError as error:
        return (), f"device {number} shows no energy: {error}"

    def read() -> int:
        try:
            return int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        except nvml.NVMLError as error:
            raise ValueError(str(error)) from error

    text = name.decode() if isinstance(name, bytes) else str(name)
    return (Domain(f"device {number} {text}", read, MILLIJOULE),), ""
