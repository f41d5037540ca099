"""From counters to priced terms: which event is paid by which constant, and what no table covers.

In: `Counters` of a run and its program. Out: `Term`, whose sum of count x constant is the energy.

constant          count
message           spikes_in: what reaches a core, the host's lines too
axon_out          axon_out: of these, what neurons send, one a destination core
spike_out         spikes_out: what neurons send, whoever hears it
hop_ew, hop_ns    tile hops
neuron_active     neuron_active; neuron_inactive: neuron_steps - neuron_active
neuron_step       neuron_steps
synaptic_op       syn_ops; _sparse, _conv: those of lists and convolutions, where they have a price;
                  graded_payload: those of graded groups, on top
synaptic_update   updates_visited; traces and rounding of pairwise STDP are inside
trace_update      trace_updates of every other rule
random_draw       rng_draws of neuron programs; reset: resets; interchip: interchip
weight_write      host_words of mirrors; other host_words are input and output: the board's share

axon_out, spike_out, neuron_step, synaptic_op_sparse and synaptic_op_conv are finer cuts of the same
work: a profile that does not price them has them in the others. What a profile says is inside
another constant is no term.

The one published price of learning, e, is for pairwise STDP (two products). Another rule that
evaluates n products a visited synapse is taken to cost e f, f log-uniform in [1, 2 max(1, n / 2)].
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from hebbite.compiler.program.connectivity import Conv2d, Dense, Sparse
from hebbite.compiler.program.types import Plasticity, Program
from hebbite.runtime.counters import INDEX, Counters
from hebbite.runtime.energy.profile import FINER, CostProfile

Phases = tuple[int, int]


@dataclass(frozen=True)
class Term:
    """``counts`` events (inference, learning) at the price ``constant`` x a factor in ``factor``.

    ``beyond`` says why the published meaning of the constant does not cover it; '' if it does.
    """

    counter: str
    constant: str
    counts: Phases
    factor: tuple[float, float] = (1.0, 1.0)
    beyond: str = ""

    @property
    def label(self) -> str:
        """What is counted, and why it has no published price."""
        return f"{self.counter} ({self.beyond})" if self.beyond else self.counter


def counted(counters: Counters, counter: str, components: Iterable[str]) -> Phases:
    """Return (inference, learning) counts of some components."""
    rows = [counters.components.index(name) for name in components]
    sums = counters.values[rows, :, INDEX[counter]].sum(axis=0)
    return int(sums[0]), int(sums[1])


def is_pairwise(rule: Plasticity) -> bool:
    """Whether a rule is pairwise STDP: one product at x0 with y1, one at y0 with x1.

    Form only: signs and sizes of the two products are free, further factors and a tag are not.
    """
    parts = {
        (product.dependency, *(factor.variable for factor in product.factors))
        for product in rule.dw.products
    }
    two = len(rule.dw.products) == 2 and rule.factors == 2 and rule.dt is None
    return two and parts == {("x0", "y1"), ("y0", "x1")}


def update_factor(terms: int, visited: int) -> tuple[float, float]:
    """Return the range of the price of one visit, in visits of pairwise STDP."""
    return 1.0, 2.0 * max(1.0, terms / visited / 2.0)


def terms_of(counters: Counters, program: Program, profile: CostProfile) -> tuple[Term, ...]:
    """Return every term with a count that is not zero, cut as the profile cuts them."""
    return tuple(
        term
        for term in _all_terms(counters, program, profile.energy)
        if any(term.counts)
        and term.constant not in profile.inside
        and (term.constant in profile.energy or term.constant not in FINER)
    )


def _all_terms(counters: Counters, program: Program, energy: Collection[str]) -> Iterator[Term]:
    groups = [group.name for group in program.synapses]
    neurons = [population.name for population in program.populations]
    graded = [group.name for group in program.synapses if group.graded]
    mirrors = [group.name for group in program.synapses if group.mirror]
    active = counted(counters, "neuron_active", neurons)
    steps = counted(counters, "neuron_steps", neurons)
    inactive = (steps[0] - active[0], steps[1] - active[1])

    def of(counter: str, constant: str, names: list[str], beyond: str = "") -> Term:
        return Term(counter, constant, counted(counters, counter, names), beyond=beyond)

    yield from (
        of("spikes_in", "message", groups),
        of("axon_out", "axon_out", groups),
        of("spikes_out", "spike_out", neurons),
        of("hops_ew", "hop_ew", groups),
        of("hops_ns", "hop_ns", groups),
        of("interchip", "interchip", groups, "path off the chip"),
        Term("neuron_active", "neuron_active", active),
        Term("neuron_steps", "neuron_inactive", inactive),
        of("neuron_steps", "neuron_step", neurons),
        *(of("syn_ops", name, names) for name, names in _operations(program, energy).items()),
        of("syn_ops", "graded_payload", graded, "graded payload"),
        of("rng_draws", "random_draw", neurons, "neuron program"),
        of("resets", "reset", neurons, "neuron program"),
        of("host_words", "weight_write", mirrors, "weights copied by the host"),
        *learning_terms(counters, program),
    )


def _operations(program: Program, energy: Collection[str]) -> dict[str, list[str]]:
    """Return the groups whose synaptic operations a constant pays."""
    kinds = {Dense: "synaptic_op", Sparse: "synaptic_op_sparse", Conv2d: "synaptic_op_conv"}
    found: dict[str, list[str]] = {}
    for group in program.synapses:
        name = kinds[type(group.connect)]
        found.setdefault(name if name in energy else "synaptic_op", []).append(group.name)
    return found


def learning_terms(counters: Counters, program: Program) -> list[Term]:
    """Return what visiting synapses and writing traces costs, group by group."""
    found = []
    for rule in program.plasticity:
        name = [rule.synapses]
        visits = counted(counters, "updates_visited", name)
        if is_pairwise(rule):
            found.append(Term("updates_visited", "synaptic_update", visits))
            continue
        traces = counted(counters, "trace_updates", name)
        found.append(Term("trace_updates", "trace_update", traces, beyond="not pairwise STDP"))
        if any(visits):
            factor = update_factor(sum(counted(counters, "rule_terms", name)), sum(visits))
            text = "not pairwise STDP"
            found.append(Term("updates_visited", "synaptic_update", visits, factor, text))
    return found
