"""Linear unit with a threshold that slides with the mean of its squared output.

    y = clip(floor((v + q) / 2^shift), -127, 127),  v = sum of inputs in the sample's last step
    theta = floor(mean / 2^tau),  mean += floor(y^2 / 2^goal) - theta
    phi = clip(floor((y (y - theta) + r) / 2^reduce), -127, 127)
    y2 = max(phi, 0), y3 = max(-phi, 0), s = y

``mean`` is 2^tau times a running mean over 2^tau samples; theta is the one before this sample.
Random q in 0..2^shift - 1 and r in 0..2^reduce - 1 round up with the chance that the fraction is.
So a unit with little activity learns too, and one that answers all patterns alike does not rest at
y = theta, where phi is 0 in whole numbers although the balance is unstable.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

BCM = parse_neuron("""
neuron bcm(shift, goal, tau, reduce) {
  state v, mean
  at 1
    v = reset
    y2 = mov 0
    y3 = mov 0
  at period
    v = max a, -8388607
    v = min v, 8388607
    jitter = random shift
    y = add v, jitter
    y = shr y, shift
    y = max y, -127
    y = min y, 127
    s = mov y
    theta = shr mean, tau
    square = mul y, y
    square = shr square, goal
    mean = sub mean, theta
    mean = add mean, square
    mean = max mean, 0
    mean = min mean, 8388607
    gap = sub y, theta
    phi = mul y, gap
    chance = random reduce
    phi = add phi, chance
    phi = shr phi, reduce
    phi = max phi, -127
    phi = min phi, 127
    y2 = max phi, 0
    y3 = neg phi
    y3 = max y3, 0
}
""")
