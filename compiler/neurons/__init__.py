"""The library of neuron programs, one a file. A new one needs its file and a line here."""

from __future__ import annotations

from hebbite.compiler.neurons.bcm import BCM
from hebbite.compiler.neurons.cuba_lif import CUBA_LIF
from hebbite.compiler.neurons.error import ERROR
from hebbite.compiler.neurons.label import LABEL, VERDICT
from hebbite.compiler.neurons.li_error import LI_ERROR
from hebbite.compiler.neurons.lif import LIF
from hebbite.compiler.neurons.lif_adaptive import LIF_ADAPTIVE
from hebbite.compiler.neurons.lif_eligible import LIF_ELIGIBLE
from hebbite.compiler.neurons.lif_error import LIF_ERROR
from hebbite.compiler.neurons.lif_two_phase import LIF_COUNTED, LIF_TWO_PHASE
from hebbite.compiler.neurons.oja import OJA
from hebbite.compiler.neurons.prototype import PROTOTYPE, WINNER
from hebbite.compiler.neurons.relu import RELU
from hebbite.compiler.neurons.sigmoid import SIGMOID
from hebbite.compiler.neurons.tanh import TANH
from hebbite.compiler.program.neuron import NeuronProgram

NEURONS: dict[str, NeuronProgram] = {
    neuron.name: neuron
    for neuron in (
        BCM,
        CUBA_LIF,
        ERROR,
        LABEL,
        LI_ERROR,
        LIF,
        LIF_ADAPTIVE,
        LIF_COUNTED,
        LIF_ELIGIBLE,
        LIF_ERROR,
        LIF_TWO_PHASE,
        OJA,
        PROTOTYPE,
        RELU,
        SIGMOID,
        TANH,
        VERDICT,
        WINNER,
    )
}
