"""The INTERPOL graph: its data, its validation and its endpoint; `interpol_graph.query(name, …)` answers a saved question."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interpol_graph.engine.client import query as query

__version__: str


def __getattr__(name: str) -> Any:
    """Look up what is asked for: reading the installed package, or what answers a question, takes a while."""
    if name == "query":
        return import_module("interpol_graph.engine.client").query
    if name != "__version__":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from importlib.metadata import version

    return version("interpol-graph")
