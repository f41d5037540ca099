"""e-prop in real numbers: credit through time from what a synapse can know.

    eps_t  = k_v eps_(t-1) + x_t,  x_t = k_u x_(t-1) + g s_(t-1)     trace of the line
    e_ji,t = psi_j,t eps_i,t                                        eligibility
    dW_ji  = sum_t L_j,t F(e_ji)_t,  F(e)_t = e_t + k_r F(e)_(t-1)  k_r: decay of the readout
    L_t    = B e_t                                                  learning signal

With B = R^T, one population before the readout and a reset that is taken as constant, this is the
gradient through time itself; fixed random B makes it local. Without the filter F (k_r = 0) the
eligibility needs no memory at the synapse.

Source: G. Bellec et al., "A solution to the learning dilemma for recurrent networks of spiking
neurons", Nature Communications 11, 3625 (2020), doi 10.1038/s41467-020-17236-y.
"""

from __future__ import annotations

import numpy as np

from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.moments import Moments, Part, Stream
from hebbite.runtime.credit.spiking.twin import SpikingActivity, SpikingTwin, forwards


def eprop(
    twin: SpikingTwin, activity: SpikingActivity, target: Real, feedback: Real, *, keep: float
) -> Moments:
    """Return the moments of e-prop's update of the last population before the readout.

    ``feedback`` B (neurons, outputs); ``keep``: k_r of the filter of eligibilities, 0 for none.
    Tags are streamed: one matrix (out, in) at a time.
    """
    layer = twin.layers[-1]
    signal = twin.errors(activity, target) @ feedback.T
    arrived = np.zeros_like(activity.spikes[-2])
    arrived[1:] = layer.gain * activity.spikes[-2][:-1]
    trace = forwards(forwards(arrived, layer.keep_u), layer.keep_v)
    psi = twin.surrogate.slope(activity.v[-1], layer.threshold)
    stream = Stream(layer.weight.shape)
    for sample in range(len(target)):
        tag, update = np.zeros(layer.weight.shape), np.zeros(layer.weight.shape)
        for step in range(len(signal)):
            tag = keep * tag + np.outer(psi[step, sample], trace[step, sample])
            update += signal[step, sample][:, None] * tag
        stream.add(Part(update, float(np.vdot(update, update)), 0.0))
    return stream.moments()
