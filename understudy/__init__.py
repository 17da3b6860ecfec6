"""The front door: command line, study, demo. Nothing imports it."""

__version__ = "0.1.0"
