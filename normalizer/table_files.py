"""What the TOML files of this room look like, and every mistake that they can hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from normalizer.appeal import RequestType

PACKAGED = Path(__file__).parent / "data"
LEVELS = ("P0", "P1")
EMERGENCIES = ("110", "119", "120", "122")
REFERRALS = ("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "N9", "petition", "praise")
KINDS = {kind.value for kind in RequestType}

Words = list[Annotated[str, Meta(min_length=1)]]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table: a name that nobody knows is a mistake."""


class SubSheet(File, frozen=True, kw_only=True):
    """`[[class.sub]]`: one second-level class and the words that speak for it."""

    code: str
    name: str
    teddy: str | None = None
    given: Words = []
    legal: bool = False
    reports: bool = False
    referral: str | None = None
    strong: Words = []
    keywords: Words = []
    weak: Words = []


class ClassSheet(File, frozen=True, kw_only=True):
    """`[[class]]`: one first-level class."""

    code: str
    name: str
    labels: Words = []
    teddy: str | None = None
    sub: list[SubSheet]


class PatternSheet(File, frozen=True, kw_only=True):
    """`[[pattern]]`: groups of words that speak for a class when they follow one another."""

    category: str
    words: list[Words]
    gap: int = 0
    weight: float
    why: str = ""
    unless: Words = []


class TaxonomyFile(File, frozen=True, kw_only=True):
    """taxonomy.toml."""

    version: str
    class_: list[ClassSheet] = msgspec.field(name="class")
    pattern: list[PatternSheet] = []


class TypeSheet(File, frozen=True, kw_only=True):
    """`[[type]]`: words for a request type; `none` takes words out of play."""

    name: str
    weight: int
    words: Words


class UrgencySheet(File, frozen=True, kw_only=True):
    """`[urgency]`: what calms a danger, and the source's own lights."""

    within: int
    short: int = 130
    long: int = 300
    near: int = 30
    now: Words = []
    at_once: Words = []
    story: Words = []
    calm_before: Words
    calm_after: Words
    given: dict[str, str] = {}


class UrgentSheet(File, frozen=True, kw_only=True):
    """`[[urgent]]`: groups of words that mean danger when they follow one another."""

    level: str
    why: str
    words: list[Words]
    gap: int = 0
    refer: str | None = None
    unless: Words = []


class CueSheet(File, frozen=True, kw_only=True):
    """`[[judge.cue]]`: words for or against being an appeal."""

    points: float
    words: Words


class JudgeSheet(File, frozen=True, kw_only=True):
    """`[judge]`."""

    threshold: float
    bias: float
    cue: list[CueSheet]


class AccusedSheet(File, frozen=True, kw_only=True):
    """`[accused]`: units, and what they are accused of."""

    within: int
    faults: Words
    charges: Words
    addressed: Words
    units: Words


class ElsewhereSheet(File, frozen=True, kw_only=True):
    """`[elsewhere]`: other cities."""

    cities: Words


class WordsFile(File, frozen=True, kw_only=True):
    """words.toml."""

    version: str
    given_types: dict[str, str]
    type: list[TypeSheet]
    urgency: UrgencySheet
    urgent: list[UrgentSheet]
    judge: JudgeSheet
    referral: dict[str, Words]
    accused: AccusedSheet
    elsewhere: ElsewhereSheet


class StreetSheet(File, frozen=True, kw_only=True):
    """`[[district.street]]`: 街道 or 镇 with its communities."""

    name: str
    aliases: Words = []
    communities: Words = []


class DistrictSheet(File, frozen=True, kw_only=True):
    """`[[district]]`."""

    name: str
    aliases: Words = []
    street: list[StreetSheet] = []


class PoiSheet(File, frozen=True, kw_only=True):
    """`[[poi]]`: a well-known place, in `area` = district or district/street."""

    name: str
    aliases: Words = []
    area: str
    community: str | None = None


class PlacesFile(File, frozen=True, kw_only=True):
    """places.toml."""

    version: str
    city: str | None = None
    district: list[DistrictSheet] = []
    poi: list[PoiSheet] = []


def line_of(path: Path, words: str) -> str:
    """Say where in a file something stands: `taxonomy.toml:12`."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if words in line:
            return f"{path.name}:{number}"
    return path.name


def problems_of_taxonomy(file: TaxonomyFile, path: Path) -> list[str]:
    """Name every mistake of a taxonomy."""
    return [f"{line_of(path, words)}: {problem}" for words, problem in _taxonomy(file)]


def _taxonomy(file: TaxonomyFile) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    names: dict[str, str] = {}
    for top in file.class_:
        if not re.fullmatch(r"\d{2}", top.code):
            yield f'"{top.code}"', f"class code {top.code!r} must be two digits"
        for sub in top.sub:
            yield from _sub(top, sub, seen, names)
            seen.add(sub.code)
    if "1309" not in seen:
        yield "[[class]]", "class 1309 (其他与待研判) is missing; what nobody can classify goes there"
    for pattern in file.pattern:
        where = f'category = "{pattern.category}"'
        if pattern.category not in seen:
            yield where, f"a pattern speaks for {pattern.category}, which is no class"
        if not pattern.words or not all(pattern.words):
            yield where, f"a pattern of {pattern.category} has an empty group of words"


def _sub(top: ClassSheet, sub: SubSheet, seen: set[str], names: dict[str, str]) -> Iterator[tuple[str, str]]:
    where = f'code = "{sub.code}"'
    if not re.fullmatch(r"\d{4}", sub.code) or sub.code[:2] != top.code:
        yield where, f"class code {sub.code!r} must be four digits that begin with {top.code}"
    if sub.code in seen:
        yield where, f"class code {sub.code} stands twice; give each class its own"
    if sub.referral is not None and sub.referral not in REFERRALS:
        yield where, f"{sub.code}: referral {sub.referral!r} is not one of {', '.join(REFERRALS)}"
    for given in (sub.name, *sub.given):
        if names.setdefault(given, sub.code) != sub.code:
            yield f'"{given}"', f"{given!r} names both {names[given]} and {sub.code}; leave it to one of them"


def problems_of_words(file: WordsFile, path: Path) -> list[str]:
    """Name every mistake of the word table."""
    return [f"{line_of(path, words)}: {problem}" for words, problem in _words(file)]


def _words(file: WordsFile) -> Iterator[tuple[str, str]]:
    for name, kind in file.given_types.items():
        if kind not in KINDS:
            yield f'"{name}"', f"given_types {name!r}: {kind!r} is not one of {', '.join(sorted(KINDS))}"
    for sheet in file.type:
        if sheet.name not in KINDS | {"none"}:
            yield f'name = "{sheet.name}"', f"type {sheet.name!r} is not one of {', '.join(sorted(KINDS))}, none"
    for light, level in file.urgency.given.items():
        if level not in LEVELS:
            yield f'"{light}"', f"urgency.given {light!r}: {level!r} is not P0 or P1"
    for urgent in file.urgent:
        yield from _urgent(urgent)
    for code in file.referral:
        if code not in REFERRALS:
            yield code, f"referral {code!r} is not one of {', '.join(REFERRALS)}"


def _urgent(urgent: UrgentSheet) -> Iterator[tuple[str, str]]:
    where = f'why = "{urgent.why}"'
    if urgent.level not in LEVELS:
        yield where, f"urgent {urgent.why!r}: level {urgent.level!r} is not P0 or P1"
    if urgent.refer is not None and urgent.refer not in EMERGENCIES:
        yield where, f"urgent {urgent.why!r}: refer {urgent.refer!r} is not one of {', '.join(EMERGENCIES)}"
    if not urgent.words or not all(urgent.words):
        yield where, f"urgent {urgent.why!r} has an empty group of words"


def problems_of_places(file: PlacesFile, path: Path) -> list[str]:
    """Name every mistake of a table of places."""
    return [f"{line_of(path, words)}: {problem}" for words, problem in _places(file)]


def _places(file: PlacesFile) -> Iterator[tuple[str, str]]:
    areas: set[str] = set()
    for district in file.district:
        if district.name in areas:
            yield f'"{district.name}"', f"district {district.name} stands twice"
        areas.add(district.name)
        for street in district.street:
            area = f"{district.name}/{street.name}"
            if area in areas:
                yield f'"{street.name}"', f"street {area} stands twice"
            areas.add(area)
    for poi in file.poi:
        if poi.area not in areas:
            yield f'"{poi.name}"', f"{poi.name}: area {poi.area!r} is no district or district/street of this file"
