"""The pictures of the docs, made anew: `python -m tests.flows.pictures` lives both stories and keeps some.

Needs a Chromium, a font with emoji, and Pillow (the extra `pictures`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "pictures"
STORIES = ("tests/flows/test_shift.py", "tests/flows/test_seen.py")
ONE = {"alert": "card-1280"}  # picture of the docs -> look
SIDE_BY_SIDE = {
    "shift": ("reminded-390", "paged-390", "handoff-390"),
    "reading": ("more-390", "why-390", "show-seller-s_1-390"),
}
WIDE, PHONE_WIDE, GAP = 1000, 520, 16  # px
COLOURS = 256


def main() -> None:
    with TemporaryDirectory() as folder:
        looks = Path(folder)
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *STORIES, "-m", "browser"],
            cwd=ROOT,
            env={**os.environ, "PICTURES": folder, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        if ran.returncode:
            sys.exit("The stories failed: no picture was changed.")
        for name, look in ONE.items():
            _keep(name, _as_wide(Image.open(looks / f"{look}.png"), WIDE))
        for name, several in SIDE_BY_SIDE.items():
            phones = [_as_wide(Image.open(looks / f"{look}.png"), PHONE_WIDE) for look in several]
            _keep(
                name, _strip(phones).quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            )


def _as_wide(picture: Image.Image, wide: int) -> Image.Image:
    high = round(picture.height * wide / picture.width)
    return picture.convert("RGB").resize((wide, high), Image.Resampling.LANCZOS)


def _strip(phones: Sequence[Image.Image]) -> Image.Image:
    """Phones beside each other, on grey."""
    wide = sum(phone.width for phone in phones) + GAP * (len(phones) + 1)
    strip = Image.new("RGB", (wide, max(phone.height for phone in phones) + 2 * GAP), "#d8d8d8")
    at = GAP
    for phone in phones:
        strip.paste(phone, (at, GAP))
        at += phone.width + GAP
    return strip


def _keep(name: str, picture: Image.Image) -> None:
    path = DOCS / f"{name}.png"
    picture.save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
