"""The chip program: neuron programs, synapses, plasticity, time table; text and its law."""
