"""Addresses as a hotline's desk notes them (事发地): in full, in part, or not at all."""

from __future__ import annotations

import random
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from demo.library import Text

PLACES = Path(__file__).parent / "city" / "places.toml"
FULL, PART, NONE = "full", "part", "none"
HABITS = {FULL: 65, PART: 20, NONE: 15}  #: of a hundred


def address(text: Text, rng: random.Random) -> str:
    """Tell where it happened; a text that names a street but no place stands without an address of its own."""
    habit = rng.choices(list(HABITS), list(HABITS.values()))[0]
    told = text.title + text.body
    spots = places()
    known = [name for name in spots if name in told]
    if habit == NONE or (not known and any(name in told for name in streets())):
        return ""
    name = max(known, key=len) if known else rng.choice(sorted(spots))
    if habit == PART:
        return f"{name}附近"
    return f"云泽市{spots[name].replace('/', '')}{name}"


@cache
def places() -> dict[str, str]:
    """Map each point of interest to its area, `望湖区/柳荫街道`."""
    return {poi["name"]: poi["area"] for poi in _table()["poi"]}


@cache
def streets() -> frozenset[str]:
    """List what people call the streets and towns: 柳荫 for 柳荫街道."""
    return frozenset(
        alias for district in _table()["district"] for street in district["street"] for alias in street["aliases"]
    )


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(PLACES.read_text("utf-8"))
