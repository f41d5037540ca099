"""Credit in networks of spiking units: a twin in time, its gradient by surrogate, what rules do."""
