"""How fast the engines run, beside other simulators: `python -m benchmarks.speed --help`."""
