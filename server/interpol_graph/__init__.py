"""The INTERPOL graph: its data, its validation and its endpoint."""

from importlib.metadata import version

__version__ = version("interpol-graph")
