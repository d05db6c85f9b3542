"""Holdfast: a report of abuse is never ignored. Start reading at ``flow.py``."""

__version__ = "0.1.0"
