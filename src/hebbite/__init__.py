"""hebbite: networks and local learning rules, compiled to Loihi-class chip programs."""

__version__ = "0.1.0"
