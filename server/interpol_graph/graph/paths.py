"""Where the ontology, data, shapes and queries lie, in a checkout and in an installed package alike."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_BUNDLE = _PACKAGE / "bundle"

#: The folder that holds ontology/, data/, shapes/ and queries/.
ROOT = _BUNDLE if _BUNDLE.is_dir() else _PACKAGE.parents[1]

ONTOLOGY = ROOT / "ontology"
RULES = ONTOLOGY / "rules"
DATA = ROOT / "data"
SHAPES = ROOT / "shapes"
QUERIES = ROOT / "queries"
CHECKS = QUERIES / "checks"


def shown(path: Path) -> str:
    """Return how a path is shown to people: relative to the working directory, or to the bundle, if it lies there."""
    base = next((base for base in (Path.cwd(), ROOT) if path.is_relative_to(base)), None)
    return legible(path.relative_to(base) if base else path)


def legible(path: Path) -> str:
    """Return a path as text that can be written, whatever bytes are in its name."""
    return os.fsencode(path).decode("utf-8", "replace")
