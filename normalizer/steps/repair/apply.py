"""Repair what is broken in a text (修复), in the one order that works: encodings, slipped bytes, readings.

Traditional characters are turned into Simplified ones only after that, and private-use characters must still be there.
A gate keeps it off the hot path: one look for characters that no clean text has, and two for signs that few have. The
raw text stays in `raw`; every repair is recorded with its place, in code points of the text as that repair found it.
What cannot be repaired is flagged and not guessed.
"""

from __future__ import annotations

import re

from normalizer.draft import Draft
from normalizer.steps.everyday import is_everyday
from normalizer.steps.repair.encodings import reencode
from normalizer.steps.repair.ruby import TONES, without_ruby
from normalizer.steps.repair.slips import is_suspect, odd_class, unslipped
from normalizer.steps.repair.spots import Repaired, Spot, written
from normalizer.tables import Tables

#: · × ÷ ° and the like are at home in Chinese.
_LATIN = "\x80-\x9f\xa1-\xaf\xb2-\xb6\xb8-\xd6\xd8-\xf6\xf8-\xff"
#: A reading, or what a slip left of a letter: `?!`, `?wù)`, `?/p>`. Both begin with a sign that few texts have.
_SIGNS = re.compile(rf"[(（][a-z{TONES}]|\?[!;,a-z/?]")
#: What is left of text whose bytes are gone for good: 锟斤拷 is U+FFFD in UTF-8 read as GBK.
_BEYOND = re.compile("(?:锟斤拷|\ufffd|[\ue000-\ue864])+")
_MAY_BE_BEYOND = re.compile("[锟\ufffd\ue000-\ue864]")


_GATE = re.compile(f"[{_LATIN}{TONES}\ufffd\ue000-\ue864{odd_class()}]")

STEPS = (reencode, unslipped, without_ruby)


def may_be_broken(text: str) -> bool:
    """Say whether anything in a text asks for a closer look; of clean texts nine in ten end here."""
    if _GATE.search(text) is not None:
        return True
    return ("(" in text or "（" in text or "?" in text) and _SIGNS.search(text) is not None


def repair_text(text: str) -> Repaired:
    """Repair one text; the very same text comes back where nothing is broken."""
    if not may_be_broken(text):
        return Repaired(text)
    spots: list[Spot] = []
    for step in STEPS:
        if step is unslipped and any(spot.repair == "utf8_as_gbk" for spot in spots):
            continue  # what was UTF-8 has gaps, but no slips
        made = step(text)
        text = made.text
        spots += made.spots
    return Repaired(text, tuple(spots))


def beyond_repair(text: str) -> list[Spot]:
    """Find what no repair can bring back."""
    if _MAY_BE_BEYOND.search(text) is None:
        return []
    return [Spot("unreadable", *one.span()) for one in _BEYOND.finditer(text)]


def repair(draft: Draft, _tables: Tables) -> None:
    """Repair every text that people will read."""
    address = draft.address
    if is_everyday(draft.text) and is_everyday(draft.title) and (address is None or is_everyday(address)):
        draft.everyday = True
    else:
        draft.title = _repaired("title", draft.title, draft)
        draft.text = _repaired("text", draft.text, draft)
        if address is not None:
            draft.address = _repaired("place", address, draft)
    if draft.reply_text is not None:
        draft.reply_text = _repaired("reply", draft.reply_text, draft)


def _repaired(field: str, text: str, draft: Draft) -> str:
    if not may_be_broken(text):
        return text
    made = repair_text(text)
    if made.spots:
        for spot in made.spots:
            draft.note(spot.repair)
        draft.notes += written(field, made.spots)
    beyond = beyond_repair(made.text)
    if beyond:
        draft.notes += written(field, beyond)
    elif made.spots and is_suspect(made.text):
        draft.notes.append(f"doubtful {field}")
    return made.text
