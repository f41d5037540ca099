"""Engines, sessions, measurement and the command line."""
