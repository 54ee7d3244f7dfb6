"""Proves that no number of a person stands in the clear (明文扫描): in no collection, in no queue, in no log.

Its patterns are not those of the masker: what that misses, this must see. They look for what is surely a number by its
form and its check digit. Beside them it can search for numbers that are known to be in the vault. It tells where and of
what kind, and never the number.

No queue is touched: what is taken out of one to be looked at comes back in another order. Every message that was ever
sent is made again from what is stored, the same bytes (router/dispatching/message.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from bson.binary import Binary
from daachorse import CharwiseDoubleArrayAhoCorasick

from intake.house import Database
from normalizer.steps.personal.numbers import is_bank_card, is_resident_id
from router.cases.case import Case, dispatch_of, facts_of, from_document
from router.flow import Room

#: Sealed, and nothing but sealed: what else stands in it is looked at like everything else.
VAULT = "vault"
#: What a source calls its items may be as long as a card; a card is never looked for there.
_IDS = frozenset({"_id", "id", "of", "native_id", "native_ids", "cursor", "root", "parent", "scope", "ids", "url"})
#: Counters of ours, as large as they come.
_COUNTED = frozenset({"fence", "reader", "n"})
_MOBILE = re.compile(r"(?<![0-9A-Za-z_.\-])(?:\+?86[ \-]?)?1[3-9][0-9]([ \-]?)[0-9]{4}\1[0-9]{4}(?![0-9A-Za-z_])")
_LONG = re.compile(r"(?<![0-9A-Za-z_.\-])[1-9](?:[ \-]?[0-9]){14,18}[Xx]?(?![0-9A-Za-z_])")
_MAIL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,63}@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,10}")
#: In noise: too few letters in a row to be a line of anything.
_SPECK = re.compile(r"(?<![ -~])[ -~]{1,15}+(?![ -~])")
_RESIDENT = 18
#: Cases whose messages are made again at one time.
AT_ONCE = 500


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A number that should not be there."""

    where: str
    kind: str


class Scanned(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, and what was found."""

    collections: dict[str, int]
    messages: dict[str, int]  #: by department
    logs: dict[str, int]
    found: list[Found]


class Known:
    """Numbers that are known, searched for in one pass."""

    def __init__(self, numbers: Collection[str] = ()) -> None:
        self._numbers = CharwiseDoubleArrayAhoCorasick(sorted(set(numbers))) if numbers else None

    def stand_in(self, text: str) -> bool:
        """Say whether any of them stands in a text."""
        return self._numbers is not None and bool(self._numbers.find(text))


def kinds_in(text: str, known: Known, *, is_id: bool = False) -> Iterator[str]:
    """Say which kinds of number stand in a text; `is_id`: it may be a machine's own name for something."""
    if _MOBILE.search(text):
        yield "mobile"
    if not is_id:
        for one in _LONG.finditer(text):
            digits = re.sub(r"[ \-]", "", one[0])
            if len(digits) == _RESIDENT and is_resident_id(digits):
                yield "id_card"
            elif is_bank_card(digits):
                yield "bank_card"
        if _MAIL.search(text):
            yield "mail"
    if known.stand_in(text):
        yield "known"


def places_in(value: object, known: Known, where: str, field: str = "") -> Iterator[Found]:
    """Look through a document, keys and binary values alike."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _in_text(str(key), known, f"{where} (key)", is_id=True)
            yield from places_in(inner, known, f"{where}.{key}", str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from places_in(inner, known, f"{where}[]", field)
    elif isinstance(value, bytes | Binary):
        yield from _in_text(_text_of(bytes(value)), known, where, is_id=False)
    elif isinstance(value, int) and field in _COUNTED:
        return
    elif value is not None and not isinstance(value, bool | float | datetime):
        yield from _in_text(str(value), known, where, is_id=field in _IDS)


def _text_of(value: bytes) -> str:
    """Read bytes as text. Sealed ones are noise, where letters stand about an @ by chance, about once in 20 MB."""
    text = value.decode("utf-8", "replace")
    return _SPECK.sub(lambda speck: speck[0].replace("@", " "), text) if "\ufffd" in text else text


def _in_text(text: str, known: Known, where: str, *, is_id: bool) -> Iterator[Found]:
    return (Found(where=where, kind=kind) for kind in kinds_in(text, known, is_id=is_id))


async def scan_collections(db: Database, known: Known) -> AsyncIterator[tuple[str, list[Found]]]:
    """Look through every document of every collection."""
    for name in sorted(await db.list_collection_names()):
        async for document in db[name].find():
            told = f"{name}/{_named(document.get('_id'), known)}"
            yield name, list(places_in(document, known, told))


def _named(id_: object, known: Known) -> str:
    """Name a document, unless its name is the number."""
    return "…" if any(kinds_in(str(id_), known, is_id=True)) else str(id_)


async def scan_messages(db: Database, room: Room, known: Known) -> AsyncIterator[tuple[str, list[Found]]]:
    """Make every message that was sent again, and look through it; gives its department."""
    some: list[Case] = []
    async for document in db.cases.find({"dispatches.0": {"$exists": True}}):
        some.append(from_document(document))
        if len(some) >= AT_ONCE:
            async for one in _sent(some, room, known):
                yield one
            some.clear()
    async for one in _sent(some, room, known):
        yield one


async def _sent(cases: Sequence[Case], room: Room, known: Known) -> AsyncIterator[tuple[str, list[Found]]]:
    rows = [(case, row) for case in cases for row in case.dispatches if row.sent_at is not None]
    texts = await room.load_appeals(sorted({(case.id, row.revision) for case, row in rows})) if rows else {}
    for case, row in rows:
        appeal = texts.get((case.id, row.revision))
        if appeal is not None:
            body = room.message(facts_of(case, row), dispatch_of(case, row), appeal, room.tables)
            told = f"dept.{row.department}/{row.id}"
            yield row.department, list(places_in(msgspec.json.decode(body), known, told))


def scan_log(file: Path, known: Known, *, of_server: bool = False) -> tuple[int, list[Found]]:
    """Look through the lines of a log; a server's is full of long numbers, and of nodes named like addresses."""
    found: list[Found] = []
    lines = 0
    with file.open(encoding="utf-8", errors="replace") as log:
        for lines, line in enumerate(log, start=1):
            found += _in_text(line, known, f"{file.name}:{lines}", is_id=of_server)
    return lines, found


async def scan(
    db: Database,
    known: Known,
    room: Room | None = None,
    logs: Collection[Path] = (),
    server_logs: Collection[Path] = (),
) -> Scanned:
    """Look at everything; messages only with a room that makes them again."""
    found: list[Found] = []
    collections: Counter[str] = Counter()
    async for name, places in scan_collections(db, known):
        collections[name] += 1
        found += places
    messages: Counter[str] = Counter()
    if room is not None:
        async for department, places in scan_messages(db, room, known):
            messages[department] += 1
            found += places
    lines: dict[str, int] = {}
    for file in (*logs, *server_logs):
        lines[file.name], places = scan_log(file, known, of_server=file in server_logs)
        found += places
    return Scanned(collections=dict(collections), messages=dict(messages), logs=lines, found=found)
