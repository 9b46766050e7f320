"""The browser that tests/test_browser.py drives: Chrome or Chromium of the system, or the one that this script brings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Ways to bring one, tried in order; the second as root alone.
WAYS = (f"{sys.executable} -m playwright install chromium", "apt-get update && apt-get install --yes chromium")


def program() -> str | None:
    """Return where the system has a browser; None if playwright's own is to be used."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def found() -> bool:
    with sync_playwright() as playwright:
        return bool(program()) or Path(playwright.chromium.executable_path).exists()


def main() -> str | None:
    """Bring a browser if there is none; return why not."""
    for way in WAYS[: 1 + (os.geteuid() == 0)]:
        if found():
            return None
        subprocess.run(way, shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S602  ours
    return (
        None
        if found()
        else f"The tests drive Chrome or Chromium, and there is none; neither worked: {' / '.join(WAYS)}"
    )


if __name__ == "__main__":
    sys.exit(main())
