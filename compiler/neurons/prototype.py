"""Units that compete: one wins a sample, and the winner or a unit not yet used learns from it.

Time table of a sample; lateral synapses carry e to ``third`` of every unit of the population, a
step later, and arrive as their sum:

    2       v = w . x arrives.
    3       The bias line arrives: above 0 in a unit that is in use. Such units send 1. The level is
            clip(floor(v / 2^shift), 0, highest), and key = level 2^places + number of the unit.
    4..     The sum of the first message is ``count``, the number of units in use; the unit with
            that number is the ``next`` one. Bit by bit, the highest first, those still running send
            the bits of key; one whose last bit was 0 while a 1 arrived drops out. To be in use is
            the bit above all others.
    decide  One unit is left: it won, and sends 1, whose half is 0 in the trace of its line.
    period  Whoever learns sends the learning payload 128, so that this trace is 64, and has y1.

`WINNER`     as long as a unit is unused, the next one takes the sample (y1 = 64); from then on the
             winner moves to it (y1 = alpha).
`PROTOTYPE`  at ``decide`` a winner of a level below ``novelty`` says so, unless all units are used.
             At ``period`` the readout's verdict arrives, 1 for right, 2 for wrong, 0 without a
             teacher. Right and no novelty: the winner moves (y1 = entry n of table ``rate``, n the
             samples that it has learnt, up to 127); else the next unit takes the sample. A unit in
             use with n = 0 learnt before its registers began: it counts as n = 127 from then on.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import NeuronProgram, parse_neuron

COMPETE = """
  at 1
    v = reset
    y1 = mov 0
  at 2
    v = mov a
  at 3
    bit = gt a, 0
    running = mov 1
    e = mov bit
    level = shr v, shift
    level = max level, 0
    level = min level, highest
    id = each number
    key = shl level, places
    key = add key, id
  at 4
    count = mov third
    id = each number
    next = eq id, count
  at 4..decide
    heard = gt third, 0
    beaten = gt heard, bit
    running = gt running, beaten
    bit = shr key, top
    key = and key, mask
    key = shl key, 1
    bit = mul bit, running
    e = mov bit
"""
LEARN = """
    take = shl take, 6
    y1 = max y1, take
    s = shl learner, 7
    bap = mov learner
"""
STATES = "v, running, bit, level, key, count, next"


def _program(name: str, own: str, tables: str, states: str, code: str) -> NeuronProgram:
    parameters = f"shift, highest, places, top, mask, size, decide, {own}"
    head = f"neuron {name}({parameters}) {{\n  table {tables}\n  state {STATES}, {states}"
    return parse_neuron(f"{head}\n{COMPETE.strip()}\n{code.strip()}\n{LEARN.strip()}\n}}")


WINNER = _program(
    "winner",
    "alpha",
    "number",
    "won",
    """
  at decide
    won = mov running
    s = mov won
  at period
    full = ge count, size
    move = mul won, full
    y1 = mul move, alpha
    take = mov next
    learner = max move, take
""",
)
PROTOTYPE = _program(
    "prototype",
    "novelty, judged",
    "number, rate",
    "won, strange, learnt",
    """
  at decide
    won = mov running
    s = mov won
    free = lt count, size
    far = lt level, novelty
    far = mul far, free
    e = mul far, won
  at judged
    strange = gt third, 0
  at period
    right = eq third, 1
    wrong = gt third, 1
    known = gt right, strange
    move = mul known, won
    pace = table rate, learnt
    y1 = mul move, pace
    fresh = mul right, strange
    fresh = max fresh, wrong
    take = mul fresh, next
    learner = max move, take
    first = eq learnt, 0
    old = mul move, first
    old = shl old, 7
    learnt = add learnt, learner
    learnt = add learnt, old
    learnt = min learnt, 127
""",
)
