"""What a placed program fills on the chip, and the refusal of one that is too large.

In: a `Program` whose populations have cores. Out: a `Footprint`, or `CapacityError`. What is
counted on a core is said in `core_use`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hebbite.compiler.core_use import LIMITS, SHRINKS, CoreUse, core_uses, shrinks
from hebbite.compiler.placement import cores_of
from hebbite.compiler.program.types import Population, Program
from hebbite.compiler.targets import Target, load_target
from hebbite.rules.errors import CapacityError, Problem, UsageError

__all__ = [
    "LIMITS",
    "SHRINKS",
    "CoreUse",
    "Footprint",
    "check_capacity",
    "check_chips",
    "core_uses",
    "footprint",
    "shrinks",
]
FULL = 0.9
"""The share of a limit above which a footprint says how to mend it."""


@dataclass(frozen=True)
class Footprint:
    """What a program takes: chips, cores, bytes by kind, and the share of each limit (1 = full).

    ``shares`` are those of the fullest core, and of the cores of the chips; None where there is no
    limit. ``bottleneck`` names the largest; '' if nothing is limited. ``mend`` says what to do
    about all that is over its limit, else about a bottleneck that is more than 90 % full; '' if
    there is room.
    """

    chips: int
    cores: int
    weights: int
    axons: int
    neuron_state: int
    traces: int
    rules: int
    shares: tuple[tuple[str, float | None], ...]
    bottleneck: str
    mend: str = ""

    @property
    def fits(self) -> bool:
        """Whether nothing is over its limit."""
        return all(share is None or share <= 1 for _, share in self.shares)

    @property
    def bytes(self) -> int:
        """All bytes."""
        return self.weights + self.axons + self.neuron_state + self.traces + self.rules

    def to_json(self) -> dict[str, object]:
        """Return chips, cores and bytes, then the parts."""
        kinds = ("weights", "axons", "neuron_state", "traces", "rules")
        return {
            "chips": self.chips,
            "cores": self.cores,
            "bytes": self.bytes,
            "bytes_by_kind": {kind: getattr(self, kind) for kind in kinds},
            "percent_of_limit": {
                name: None if share is None else 100 * share for name, share in self.shares
            },
            "bottleneck": self.bottleneck,
            "fits": self.fits,
            "mend": self.mend,
        }


def footprint(program: Program, *, chips: int | None = None) -> Footprint:
    """Return what a program takes of its chip, whether it fits or not.

    ``chips`` is how many there are; None: as many as it stands on.

    Raises:
        UsageError: HB0503, fewer than one chip.
    """
    target = load_target(program.target)
    if chips is not None:
        check_chips(chips)
    uses = core_uses(program)
    taken = len({use.core // int(target.cores_per_chip) for use in uses})
    there = taken if chips is None else chips
    shares: dict[str, float | None] = {}
    for name, (field, _) in LIMITS.items():
        limit = target.numbers[field].value
        shares[name] = None if limit is None else max(use.of(name) for use in uses) / limit
    free = target.chips.value is None
    shares["cores"] = None if free else len(uses) / (there * int(target.cores_per_chip))
    known = {name: share for name, share in shares.items() if share is not None}
    bottleneck = max(known, key=lambda name: known[name], default="")
    mends = [f"{problem.what}: {problem.hint}" for problem in _over(program, uses)]
    if known.get("cores", 0) > 1 or (bottleneck == "cores" and known["cores"] > FULL):
        mends.append(_more_chips(program, target, there, len(uses)))
    if not mends and known.get(bottleneck, 0) > FULL:
        mends.append(_tight(program, uses, bottleneck, there))
    return Footprint(
        chips=taken,
        cores=len(uses),
        weights=_bytes(use.weights for use in uses),
        axons=_bytes(use.axons for use in uses),
        neuron_state=_bytes(use.neuron_state for use in uses),
        traces=_bytes(use.pre_traces + use.post_traces for use in uses),
        rules=_bytes(use.rules for use in uses),
        shares=tuple(shares.items()),
        bottleneck=bottleneck,
        mend="; ".join(mends),
    )


def _tight(program: Program, uses: tuple[CoreUse, ...], name: str, chips: int) -> str:
    """Return what nearly fills a limit of a core, and what room is left."""
    target = load_target(program.target)
    field, words = LIMITS[name]
    use = max(uses, key=lambda use: use.of(name))
    here = next(p for p in program.populations if use.core in cores_of(p))
    what = (
        f"'{here.name}' takes {use.of(name)} of {target.numbers[field].value} {words} "
        f"on core {use.core}"
    )
    if not _splits(program, here, name):
        return f"{what}: {_mend(splits=False)}"
    left = chips * int(target.cores_per_chip) - len(uses)
    room = f"{left} cores are free" if left > 0 else f"no core is free: add --chips {chips + 1}"
    return f"{what}: shrink it; it is split further if it grows, and {room}"


def _more_chips(program: Program, target: Target, chips: int, cores: int) -> str:
    each, most = int(target.cores_per_chip), int(target.chips)
    largest = max(program.populations, key=lambda p: len(cores_of(p)))
    need = max(-(-cores // each), chips + 1)
    more = f"add --chips {need}" if need <= most else "add --target ideal"
    return (
        f"{cores} of {chips * each} cores are taken, {len(cores_of(largest))} of them by "
        f"'{largest.name}': shrink it, or {more}"
    )


def _bytes(bits: Iterable[int]) -> int:
    return -(-sum(bits) // 8)


def check_chips(chips: int) -> None:
    """Refuse to place on fewer than one chip.

    Raises:
        UsageError: HB0503.
    """
    if chips < 1:
        what = f"a program needs a chip, not {chips}"
        raise UsageError(Problem("HB0503", what, hint="add --chips 1"))


def check_capacity(program: Program, *, chips: int | None = None) -> None:
    """Refuse a placed program that does not fit on ``chips`` chips (None: the largest system).

    Raises:
        CapacityError: HB0520, a core holds more than it can; HB0521, there are too few chips.
    """
    problems = _over(program, core_uses(program))
    problems += _too_few_chips(program, load_target(program.target), chips)
    if problems:
        raise CapacityError(*problems)


def _over(program: Program, uses: tuple[CoreUse, ...]) -> list[Problem]:
    """Return every limit that the fullest core of a population exceeds."""
    target, known = load_target(program.target), {use.core: use for use in uses}
    return [
        problem
        for population in program.populations
        for name in LIMITS
        for problem in _overfull(program, target, population, known, name)
    ]


def _overfull(
    program: Program, target: Target, population: Population, uses: Mapping[int, CoreUse], name: str
) -> list[Problem]:
    field, words = LIMITS[name]
    number = target.numbers[field]
    cores = cores_of(population)
    use = max((uses[core] for core in cores), key=lambda use: use.of(name))
    if number.value is None or use.of(name) <= number.value:
        return []
    where = f" on core {use.core}" if len(cores) > 1 else ""
    sure = " (assumed)" if number.kind == "assumed" else ""
    return [
        Problem(
            "HB0520",
            f"'{population.name}' needs {use.of(name)} {words}{where}, "
            f"a {target.name} core holds {number.value}{sure}",
            at=_printed(population),
            origin=population.origin,
            hint=_mend(splits=_splits(program, population, name)),
        )
    ]


def _splits(program: Program, population: Population, name: str) -> bool:
    """Whether more cores leave less of a limit on each."""
    share = -(-population.size // len(cores_of(population)))
    return share > 1 and name in shrinks(program, population)


def _mend(*, splits: bool) -> str:
    if splits:
        return "let the placement split it: remove --no-split"
    return "use fewer inputs a neuron, or a chip without this limit: add --target ideal"


def _printed(population: Population) -> str:
    return f"%{population.name} = neurons[{population.size}] {population.neuron.name}"


def _too_few_chips(program: Program, target: Target, chips: int | None) -> list[Problem]:
    if target.chips.value is None:
        return []
    most = target.chips.value if chips is None else chips
    each = int(target.cores_per_chip)
    last = max(program.populations, key=lambda population: max(cores_of(population)))
    cores = max(cores_of(last)) + 1
    need = -(-cores // each)
    if need <= most:
        return []
    return [
        Problem(
            "HB0521",
            f"the program needs {cores} cores, {most} {target.name} "
            f"chip{'s' if most > 1 else ''} hold{'' if most > 1 else 's'} {most * each}",
            at=_printed(last),
            origin=last.origin,
            hint=f"add --chips {need}" if need <= target.chips.value else "add --target ideal",
        )
    ]
