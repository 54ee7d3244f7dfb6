"""The tables of this room: 诉求分类表, 词表, 地名表. Read once, checked together, compiled, frozen."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from normalizer.appeal import RequestType
from normalizer.errors import TableError
from normalizer.places import Gazetteer, Spot
from normalizer.table_files import (
    PACKAGED,
    PlacesFile,
    TaxonomyFile,
    UrgencySheet,
    WordsFile,
    problems_of_places,
    problems_of_taxonomy,
    problems_of_words,
)
from normalizer.words import Pattern, Patterns, Words, shared

File = TypeVar("File")

#: Points of a word by its length: long words say more; strong ones nearly decide, weak ones only help.
POINTS = (0, 2, 5, 8, 11, 13, 14)
STRONG, WEAK = 1.7, 0.3


#: The request types by number; of equal points the earlier one is meant.
TYPES = (
    RequestType.REPORT,
    RequestType.COMPLAIN,
    RequestType.SUGGEST,
    RequestType.HELP,
    RequestType.CONSULT,
    RequestType.PRAISE,
    RequestType.OTHER,
    RequestType.INVALID,
)


@dataclass(frozen=True, slots=True)
class Class:
    """One of the 119 second-level classes (二级分类)."""

    code: str
    name: str
    path: tuple[str, str]
    legal: bool = False  #: followed by law (PL) when complained about or reported
    reports: bool = False  #: a complaint about it is a report (举报), and so confidential
    referral: str | None = None
    teddy: str | None = None  #: the class of the Teddy Cup that it falls into


class Vote(NamedTuple):
    """What a word says for a class, and for others: nearly every word speaks for one alone."""

    code: str
    points: float
    more: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Cue:
    """Everything a single word tells beside the category."""

    types: tuple[tuple[int, int], ...] = ()  #: numbers in TYPES, with their weights
    judge: float = 0.0
    referral: str | None = None
    unit: bool = False
    fault: bool = False
    charge: bool = False


@dataclass(frozen=True, slots=True)
class Sense:
    """What a pattern says: a vote for a class, or an urgency."""

    code: str | None = None
    points: float = 0.0
    level: str | None = None
    refer: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Calm:
    """Words beside a danger that take the danger out of it: 火灾隐患, 去年触电."""

    within: int
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Now:
    """What tells that a danger is there now and must be called in (110, 119, 120), and not written about."""

    short: int
    long: int
    near: int
    words: tuple[str, ...]
    at_once: tuple[str, ...]
    story: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Tables:
    """Everything `normalize` looks up. Its versions name exactly what was looked up."""

    versions: Mapping[str, str]
    classes: Mapping[str, Class]
    given_codes: Mapping[str, str]  #: a source's own class name -> our code
    given_tops: Mapping[str, str]  #: a source's own name of a whole class -> the first two digits
    given_types: Mapping[str, RequestType]
    given_lights: Mapping[str, str]
    keywords: Words
    votes: tuple[Vote, ...]
    weak: frozenset[int]  #: the keywords that are weak for every class they speak for
    speaking: Mapping[str, frozenset[int]]  #: class -> the keywords that speak for it
    patterns: Patterns
    senses: tuple[Sense, ...]
    cues: Words
    meanings: tuple[Cue, ...]
    typing: tuple[tuple[tuple[int, int], ...], ...]  #: what each cue tells of the request type, mostly nothing
    blaming: frozenset[int]  #: the cues that name a unit, a fault or a charge
    calm: Calm
    now: Now
    judge_bias: float
    judge_threshold: float
    accused_within: int
    addressed: tuple[str, ...]
    places: Gazetteer
    elsewhere: Words

    def __repr__(self) -> str:
        return f"Tables({dict(self.versions)})"

    @property
    def city(self) -> str | None:
        """Name the city that all this is for."""
        return self.places.city


def load_tables(
    taxonomy: Path | None = None,
    places: Path | None = None,
    city: str | None = None,
    words: Path | None = None,
) -> Tables:
    """Read the tables; a path left out means the packaged one. Raises TableError with every problem at once."""
    problems: list[str] = []
    taxonomy_file, taxonomy_version = _read(taxonomy or PACKAGED / "taxonomy.toml", TaxonomyFile, problems)
    words_file, words_version = _read(words or PACKAGED / "words.toml", WordsFile, problems)
    places_file, places_version = (
        _read(places, PlacesFile, problems) if places else (PlacesFile(version="none"), "none")
    )
    if taxonomy_file is not None:
        problems += problems_of_taxonomy(taxonomy_file, taxonomy or PACKAGED / "taxonomy.toml")
    if words_file is not None:
        problems += problems_of_words(words_file, words or PACKAGED / "words.toml")
    if places is not None and places_file is not None:
        problems += problems_of_places(places_file, places)
    if problems or taxonomy_file is None or words_file is None or places_file is None:
        raise TableError(problems)
    versions = {"taxonomy": taxonomy_version, "words": words_version, "places": places_version}
    return _compile(versions, taxonomy_file, words_file, places_file, city or places_file.city or None)


def _read(path: Path, kind: type[File], problems: list[str]) -> tuple[File | None, str]:
    """Read one file; its version is its own word for it and a digest, so that no edit goes unseen."""
    try:
        content = path.read_bytes()
        table = msgspec.convert(tomllib.loads(content.decode()), kind)
    except OSError as error:
        problems.append(f"{path}: cannot be read ({error.strerror}); check the path in [tables]")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path.name}: is not TOML in UTF-8: {error}")
    except msgspec.ValidationError as error:
        problems.append(f"{path.name}: {error}")
    else:
        digest = hashlib.blake2b(content, digest_size=4).hexdigest()
        return table, f"{getattr(table, 'version', '')}-{digest}"
    return None, ""


def _compile(
    versions: Mapping[str, str], taxonomy: TaxonomyFile, words: WordsFile, places: PlacesFile, city: str | None
) -> Tables:
    votes, weak = _votes(taxonomy)
    patterns, senses = _patterns(taxonomy, words)
    cues = _cues(words)
    meanings = shared(cues.values())
    return Tables(
        versions=versions,
        classes=_classes(taxonomy),
        given_codes={name: sub.code for top in taxonomy.class_ for sub in top.sub for name in (sub.name, *sub.given)},
        given_tops={name: top.code for top in reversed(taxonomy.class_) for name in (top.name, *top.labels)},
        given_types={name: RequestType(kind) for name, kind in words.given_types.items()},
        given_lights=words.urgency.given,
        keywords=Words(tuple(votes)),
        votes=shared(votes.values()),
        weak=frozenset(number for number, word in enumerate(votes) if word in weak),
        speaking=_speaking(votes.values()),
        patterns=patterns,
        senses=senses,
        cues=Words(tuple(cues)),
        meanings=meanings,
        typing=tuple(cue.types for cue in meanings),
        blaming=frozenset(number for number, cue in enumerate(meanings) if cue.unit or cue.fault or cue.charge),
        calm=Calm(words.urgency.within, tuple(words.urgency.calm_before), tuple(words.urgency.calm_after)),
        now=_now(words.urgency),
        judge_bias=words.judge.bias,
        judge_threshold=words.judge.threshold,
        accused_within=words.accused.within,
        addressed=tuple(words.accused.addressed),
        places=Gazetteer(city, _named(places)),
        elsewhere=Words(tuple(name for name in words.elsewhere.cities if name != city)),
    )


def _now(sheet: UrgencySheet) -> Now:
    return Now(sheet.short, sheet.long, sheet.near, tuple(sheet.now), tuple(sheet.at_once), tuple(sheet.story))


def _classes(taxonomy: TaxonomyFile) -> dict[str, Class]:
    return {
        sub.code: Class(
            code=sub.code,
            name=sub.name,
            path=(top.name, sub.name),
            legal=sub.legal,
            reports=sub.reports,
            referral=sub.referral,
            teddy=sub.teddy or top.teddy,
        )
        for top in taxonomy.class_
        for sub in top.sub
    }


def _votes(taxonomy: TaxonomyFile) -> tuple[dict[str, Vote], frozenset[str]]:
    """Let every word speak for each class that lists it; the more classes, the less it says for one.

    Behind them, the words that are nowhere more than weak.
    """
    listed: dict[str, dict[str, tuple[float, bool]]] = {}
    for top in taxonomy.class_:
        for sub in top.sub:
            for words, factor in ((sub.weak, WEAK), (sub.keywords, 1.0), (sub.strong, STRONG)):
                for word in words:
                    points = POINTS[min(len(word), len(POINTS) - 1)] * factor
                    listed.setdefault(word, {})[sub.code] = (points, factor == WEAK)
    votes = {}
    for word, codes in listed.items():
        (code, points), *more = ((code, points / len(codes) ** 0.5) for code, (points, _) in codes.items())
        votes[word] = Vote(code, points, tuple(more))
    return votes, frozenset(word for word, codes in listed.items() if all(weak for _, weak in codes.values()))


def _speaking(votes: Iterable[Vote]) -> dict[str, frozenset[int]]:
    words: dict[str, set[int]] = {}
    for number, vote in enumerate(votes):
        for code in (vote.code, *(code for code, _ in vote.more)):
            words.setdefault(code, set()).add(number)
    return {code: frozenset(numbers) for code, numbers in words.items()}


def _patterns(taxonomy: TaxonomyFile, words: WordsFile) -> tuple[Patterns, tuple[Sense, ...]]:
    patterns: list[Pattern] = []
    senses: list[Sense] = []
    for sheet in taxonomy.pattern:
        patterns.append(Pattern(tuple(map(tuple, sheet.words)), sheet.gap, tuple(sheet.unless)))
        senses.append(Sense(code=sheet.category, points=sheet.weight, why=sheet.why))
    for urgent in words.urgent:
        patterns.append(Pattern(tuple(map(tuple, urgent.words)), urgent.gap, tuple(urgent.unless)))
        senses.append(Sense(level=urgent.level, refer=urgent.refer, why=urgent.why))
    return Patterns(patterns), tuple(senses)


def _cues(words: WordsFile) -> dict[str, Cue]:
    """Gather what each single word tells; `none` words stand there only to swallow shorter ones."""
    types: dict[str, list[tuple[int, int]]] = {}
    judge: dict[str, float] = {}
    for sheet in words.type:
        for word in sheet.words:
            told = types.setdefault(word, [])
            if sheet.name != "none":
                told.append((TYPES.index(RequestType(sheet.name)), sheet.weight))
    for cue in words.judge.cue:
        for word in cue.words:
            judge.setdefault(word, cue.points)
    referral = {word: code for code, names in words.referral.items() for word in names}
    units, faults, charges = (
        set(names) for names in (words.accused.units, words.accused.faults, words.accused.charges)
    )
    return {
        word: Cue(
            types=tuple(types.get(word, ())),
            judge=judge.get(word, 0.0),
            referral=referral.get(word),
            unit=word in units,
            fault=word in faults,
            charge=word in charges,
        )
        for word in sorted({*types, *judge, *referral, *units, *faults, *charges})
    }


def _named(places: PlacesFile) -> Iterator[tuple[str, Spot]]:
    for district in places.district:
        for name in (district.name, *district.aliases):
            yield name, Spot(district.name)
        for street in district.street:
            for name in (street.name, *street.aliases):
                yield name, Spot(district.name, street.name)
            for community in street.communities:
                yield community, Spot(district.name, street.name, community)
    for poi in places.poi:
        district_name, _, street_name = poi.area.partition("/")
        for name in (poi.name, *poi.aliases):
            yield name, Spot(district_name, street_name or None, poi.community, poi.name)
