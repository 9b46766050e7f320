"""The INTERPOL graph: its data, its validation and its endpoint."""

__version__: str


def __getattr__(name: str) -> str:
    """Look the version up when it is asked for: reading the installed package takes a while."""
    if name != "__version__":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from importlib.metadata import version

    return version("interpol-graph")
