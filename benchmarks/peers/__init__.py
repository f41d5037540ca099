"""Simulators to compare with, each a process of its own that runs one workload when it is told to.

Modules here are started with ``python -m`` by whatever interpreter has the simulator; only those of
this project's own engines and of Lava import hebbite.
"""
