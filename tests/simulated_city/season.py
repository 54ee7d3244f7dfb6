"""The appeals of one season, as the street would have them: written, normalized, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

import demo
from connectors.raw_appeal import RawAppeal, appeal_id
from demo.library import Text, load
from intake.settings import TableFiles
from intake.tables import Tables, load_files
from normalizer.appeal import Appeal
from normalizer.flow import normalize
from router.dispatch import Context, Outcome
from router.dispatching.decide import decide, ruled
from tests.simulated_city import duties
from tests.simulated_city.duties import Duties, Matter
from tests.simulated_city.texts import Letter, write

KEY = b"k" * 32
CITY = Path(demo.__file__).parent / "city"
_DISPATCHED = {"help", "complain", "suggest", "consult"}


class Told(NamedTuple):
    """One case of the season."""

    appeal: Appeal
    matter: Matter


class Season(NamedTuple):
    """What happens, whatever is learned from it."""

    seed: int
    cases: Sequence[Told]
    duties: Duties
    near: Mapping[str, Sequence[str]]  #: of each category, who else might be thought of
    tables: Tables


@cache
def tables() -> Tables:
    files = TableFiles(directory=CITY / "directory.toml", places=CITY / "places.toml")
    return load_files(files, city="云泽市", ref_key=KEY)


@cache
def _bases() -> dict[str, list[Text]]:
    found: dict[str, list[Text]] = {}
    for text in load().appeals:
        if text.type in _DISPATCHED and not text.urgency and text.category in tables().router.rules.categories:
            found.setdefault(text.category, []).append(text)
    return {category: texts for category, texts in found.items() if len(texts) > 1}


def make(seed: int, cases: int) -> Season:
    """Make a season: the same seed makes the same one."""
    chance, read = Random(seed), tables()
    places = sorted({spot.district for spots in read.normalizer.places.spots for spot in spots})
    categories = chance.sample(sorted(_bases()), duties.CATEGORIES)
    near = {category: _near(category, read) for category in categories}
    everybody = sorted(unit.code for unit in read.router.directory.units.values() if _serves_the_city(unit))
    hidden = Duties(chance, near, everybody, places)
    streets = sorted(
        {(spot.district, spot.street) for spots in read.normalizer.places.spots for spot in spots if spot.street}
    )
    weights = [1 / (rank + 3) for rank in range(len(categories))]
    told: list[Told] = []
    while len(told) < cases:
        (category,) = chance.choices(categories, weights)
        letter = write(f"{seed}-{len(told)}", chance.choice(_bases()[category]), chance.choice(streets), chance)
        case = _told(letter, read)
        if case is not None:
            told.append(case)
    return Season(seed, told, hidden, near, read)


def _told(letter: Letter, read: Tables) -> Told | None:
    line = {"title": letter.title, "text": letter.text, "native_id": letter.id}
    raw = RawAppeal(
        id=appeal_id("season", letter.id),
        source="season",
        kind="line",
        channel="hotline",
        native_id=letter.id,
        payload=msgspec.json.encode(line),
        transport="import",
    )
    appeal = normalize(raw, read.normalizer, KEY).appeal
    if not appeal.quality.is_appeal or appeal.signals.referral:
        return None
    understood = msgspec.structs.replace(
        appeal,
        category=msgspec.structs.replace(appeal.category, code=letter.category, confidence=1.0),
        signals=msgspec.structs.replace(appeal.signals, runners_up=[]),
    )
    usual = ruled(understood, read.router)
    if usual is None or decide(appeal, Context(), read.router).outcome is not Outcome.DISPATCH:
        return None  # our rules leave it to a person: nothing is sent to and fro by them
    return Told(appeal, Matter(letter.category, usual[1].code, letter.district, letter.detail))


def _near(category: str, read: Tables) -> list[str]:
    directory = read.router.directory
    found = [directory.responsible(role, ()) for role in read.router.rules.categories[category].assist]
    return [units[0].code for units in found if len(units) == 1 and units[0].kind != "na"]


def _serves_the_city(unit: object) -> bool:
    return getattr(unit, "area", "") == "" and getattr(unit, "kind", "") in {"gov", "vert", "util"}
