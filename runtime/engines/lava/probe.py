"""The smallest network of stock Lava processes, to see whether Lava runs here at all.

In: a number of steps. Out: ``v.npy``, the potential of the last neuron after them. Two LIF neurons
and one weight: the first fires in every step, each spike adds 2 * 64 to the potential of the second
one step later, so v = 128 (steps - 1) as long as it stays below the threshold.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hebbite.runtime.engines.lava.arrays import write_array

NO_MEMORY = 4095
"""The decay constant ``du`` that keeps nothing of the current."""


def run_probe(folder: Path, *, steps: int) -> object:
    """Run the network, write ``v.npy``, return the last process."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.dense.process import Dense
    from lava.proc.lif.process import LIF
    from lava.utils.weightutils import SignMode

    first = LIF(shape=(1,), du=NO_MEMORY, dv=0, bias_mant=128, vth=1)
    weight = Dense(weights=np.full((1, 1), 2), sign_mode=SignMode.MIXED)
    second = LIF(shape=(1,), du=NO_MEMORY, dv=0, vth=2**17 - 1)
    first.s_out.connect(weight.s_in)
    weight.a_out.connect(second.a_in)
    second.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    write_array(folder, "v", np.asarray(second.v.get(), np.int64))
    return second
