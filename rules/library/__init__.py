"""The rules, one a file. A new one needs its file and a line in `hebbite.rules.registry`."""
