"""Execution engines: the same program, the same bits."""
