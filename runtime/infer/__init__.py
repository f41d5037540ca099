"""Inference: which objective and which learning rule explain recorded changes of weights.

An objective cannot be read off an anatomy; it shows in how weights change. A recording holds
weights, and the samples that changed them. Every pair of an objective and a rule predicts these
changes; what predicts best, on steps that nothing was fitted to, is the answer, or there is none.

Source: B. A. Richards et al., "A deep learning framework for neuroscience", Nature Neuroscience 22,
1761-1770 (2019), doi 10.1038/s41593-019-0520-2.
"""
