"""Declarations of known systems that ship with us (预设): connectors/channels/presets/*.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "presets"


def names() -> tuple[str, ...]:
    """Name them all."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))


@cache
def declaration(name: str) -> dict[str, Any]:
    """Read one; its name was checked."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
