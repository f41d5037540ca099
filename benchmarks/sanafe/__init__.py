"""Energy and time beside SANA-FE, the same spikes: `python -m benchmarks.sanafe --help`."""
