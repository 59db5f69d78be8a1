"""A card as a picture: a page of its own, or a PNG that a browser on this machine takes of that page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.process.errors import PatrolError
from bot.slack.blocks import Face

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = ("--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--virtual-time-budget=3000")
PHONE, WIDE = 390, 760  # px
SHARP = 2  # pixels of the picture for one of the page
TALLEST = 8_000  # px
PATIENCE_S = 60.0
HEIGHT = re.compile(r'<html[^>]*\bdata-height="(\d+)"')


def picture(
    face: Face, names: Mapping[str, str], now: datetime, path: Path, *, title: str, wide: bool = False
) -> None:
    """Writes the card to `path`, whose name ends in .html or .png. PatrolError where that cannot be."""
    from bot.sandbox.still import still

    width = WIDE if wide else PHONE
    message = {"text": face.text, "blocks": face.blocks}
    page = still(message, now.timestamp(), names, title=title, width=width).encode("utf-8", "replace")
    try:
        path.write_bytes(page if path.suffix.lower() == ".html" else _photograph(page, width))
    except OSError as error:
        raise PatrolError(f"{path} cannot be written: {error.strerror}.") from error


def checked(path: Path) -> Path:
    """The same path, if a picture can be made under that name."""
    if path.suffix.lower() not in (".html", ".png"):
        raise PatrolError(f"{path} is neither .png nor .html: name the picture so.")
    if not path.absolute().parent.is_dir():
        raise PatrolError(f"There is no folder {path.absolute().parent} to write {path.name} into.")
    if path.suffix.lower() == ".png":
        browser()
    return path


def browser() -> str:
    """A Chromium on this machine. CHROMIUM may name one."""
    found = (shutil.which(name) for name in filter(None, (os.environ.get("CHROMIUM"), *BROWSERS)))
    if path := next(filter(None, found), None):
        return path
    raise PatrolError(
        "A .png needs a browser, and there is none on this machine: install Chromium (Debian: apt install"
        " chromium; macOS: brew install --cask chromium), or name one in CHROMIUM. An .html needs none."
    )


def _photograph(page: bytes, width: int) -> bytes:
    """The page as a PNG, as high as it is: drawn once to know how high, and once more for the picture."""
    with TemporaryDirectory() as folder:
        file, shot = Path(folder) / "card.html", Path(folder) / "card.png"
        file.write_bytes(page)
        here = [f"--user-data-dir={folder}/profile", file.as_uri()]
        drawn = _run(f"--window-size={width},800", "--dump-dom", *here)
        high = HEIGHT.search(drawn)
        if high is None:
            raise PatrolError(f"{browser()} did not draw the card: name another browser in CHROMIUM.")
        size = f"--window-size={width},{min(int(high[1]), TALLEST)}"
        _run(size, f"--force-device-scale-factor={SHARP}", f"--screenshot={shot}", *here)
        if not shot.exists():
            raise PatrolError(f"{browser()} took no picture: name another browser in CHROMIUM.")
        return shot.read_bytes()


def _run(*words: str) -> str:
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [browser(), *FLAGS, *root, *words]
    try:
        ran = subprocess.run(  # our own page, and a browser that was looked for by name
            command,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
            env={**os.environ, "TZ": "UTC"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PatrolError(f"{command[0]} did not draw the card: {type(error).__name__}.") from error
    return ran.stdout.decode("utf-8", "replace")
