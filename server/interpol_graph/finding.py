"""What a check found: the rule, the place, the sentence, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from interpol_graph import paths


@dataclass(frozen=True, order=True)
class Finding:
    """One finding. line and column count from 1; 0 means that the place is not known more closely."""

    path: Path
    line: int
    column: int
    rule: str
    focus: str
    message: str
    mend: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (paths.shown(self.path), self.line, self.column) if part)
        mend = f"\n    {self.mend}" if self.mend else ""
        return f"{place}: {self.severity}: {self.focus}: {self.message} [{self.rule}]{mend}"
