"""Energy and time: counters x a cost profile, as bands with their evidence."""

from __future__ import annotations

from hebbite.runtime.energy.accounts import Account, accounts, check_watts, ratio
from hebbite.runtime.energy.draws import Band, Draws, band_of
from hebbite.runtime.energy.gains import Gains
from hebbite.runtime.energy.measured import Measured, measure_cpu, measure_gpu
from hebbite.runtime.energy.price import price
from hebbite.runtime.energy.profile import (
    Constant,
    CostProfile,
    by_closeness,
    list_profiles,
    load_profile,
    parse_profile,
)
from hebbite.runtime.energy.time import RunTime, TimeEstimate, run_time, time_per_sample

__all__ = [
    "Account",
    "Band",
    "Constant",
    "CostProfile",
    "Draws",
    "Gains",
    "Measured",
    "RunTime",
    "TimeEstimate",
    "accounts",
    "band_of",
    "by_closeness",
    "check_watts",
    "list_profiles",
    "load_profile",
    "measure_cpu",
    "measure_gpu",
    "parse_profile",
    "price",
    "ratio",
    "run_time",
    "time_per_sample",
]
