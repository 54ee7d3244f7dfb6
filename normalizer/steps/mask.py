"""Mask what identifies a person (脱敏): numbered placeholders in every text, the originals to the vault.

The same original gets the same number within one appeal. What belongs to the matter (which flat, which car) is told
apart from what belongs to the caller: the lead department may see the one, the liaison alone the other. One pass for
words beside which any of it stands, and how many letters and digits there are, decide which patterns run at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from normalizer.draft import Draft
from normalizer.steps.personal.accounts import (
    CONTACT_CUES,
    FEWEST_IN_MAIL,
    FEWEST_IN_PLATE,
    accounts,
    mails,
    plates,
)
from normalizer.steps.personal.doors import DOOR_CUES, HAN_DOOR_CUES, doors, has_door
from normalizer.steps.personal.found import Found
from normalizer.steps.personal.names import CALLED_CUES, COMPOUND_SURNAMES, LEADS, NAME_CUES, names
from normalizer.steps.personal.numbers import (
    FEWEST_DIGITS,
    SPOKEN_CUES,
    canonical_mobile,
    digits_of,
    is_bank_card,
    is_resident_id,
    numbers,
    spoken_mobiles,
)
from normalizer.tables import Tables
from normalizer.words import Span, Words

__all__ = [
    "COMPOUND_SURNAMES",
    "LABELS",
    "Masker",
    "canonical_mobile",
    "find",
    "is_bank_card",
    "is_resident_id",
    "mask",
]

#: Kind in `quality.masked` -> the word in the placeholder.
LABELS = {
    "mobile": "手机",
    "id_card": "身份证",
    "passport": "证件",
    "mail": "邮箱",
    "landline": "固话",
    "bank_card": "银行卡",
    "plate": "车牌",
    "wechat": "微信",
    "qq": "QQ",
    "name": "姓名",
    "door": "门牌",
}

#: What a cue may stand beside, as bits. Two digits in words say both: leftmost, one pair may hide the other.
_CONTACT, _CALLED, _BEGUN, _DOOR, _SPOKEN = 1, 2, 4, 8, 16
_BESIDE = {
    **dict.fromkeys(CONTACT_CUES, _CONTACT),
    **dict.fromkeys(CALLED_CUES, _CALLED),
    **dict.fromkeys(NAME_CUES, _BEGUN),
    **dict.fromkeys(DOOR_CUES, _DOOR),
    **dict.fromkeys((*HAN_DOOR_CUES, *SPOKEN_CUES), _DOOR | _SPOKEN),
}
_CUES = Words(tuple(_BESIDE))
_KINDS = tuple(_BESIDE.values())
_LETTER = re.compile(rb"[A-Za-z]")
_NO_DIGITS = bytes(set(range(128)).difference(b"0123456789"))


def find(text: str) -> list[Found]:
    """Find what identifies a person, from left to right, never overlapping."""
    cues = _CUES.find(text)
    beside = 0
    for _, end, cue in cues:
        kind = _KINDS[cue]
        if kind != _BEGUN or text[end : end + 1] in LEADS:  # 本人住在 begins no name
            beside |= kind
    signs = text.encode("ascii", "ignore")  # several times as fast as any search for letters and digits
    return _search(text, signs, cues, beside) if beside or len(signs) >= FEWEST_IN_MAIL else []


def _search(text: str, signs: bytes, cues: list[Span], beside: int) -> list[Found]:
    """Run the patterns of which the look tells that they may find something."""
    found: list[Found] = []
    if "@" in text or "＠" in text:
        _add(found, mails(text))
    if len(signs) >= FEWEST_DIGITS and len(signs.translate(None, _NO_DIGITS)) >= FEWEST_DIGITS:
        _add(found, numbers(text))
    if beside & _SPOKEN:
        _add(found, spoken_mobiles(text))
    if len(signs) >= FEWEST_IN_PLATE and _LETTER.search(signs) is not None:
        _add(found, plates(text))
    of_doors = beside & _DOOR and _is_left(cues, found)
    if beside & _CONTACT:
        _add(found, accounts(text))
    if beside & (_CALLED | _BEGUN):
        called = [span for span in cues if _KINDS[span[2]] == _CALLED]
        begun = [span for span in cues if _KINDS[span[2]] == _BEGUN]
        _add(found, names(text, called, begun))
    if of_doors and has_door(text):
        _add(found, doors(text))
    found.sort()
    return found


def _is_left(cues: list[Span], found: list[Found]) -> bool:
    """Say whether a cue of doors is in nothing that was found: most are three digits of a telephone number."""
    for start, end, cue in cues:
        if _KINDS[cue] & _DOOR:
            for one in found:
                if one.start <= start and end <= one.end:
                    break
            else:
                return True
    return False


def _add(found: list[Found], more: Iterable[Found]) -> None:
    """Take what does not overlap what is already taken: the surer kinds come first."""
    for one in more:
        for taken in found:
            if one.start < taken.end and taken.start < one.end:
                break
        else:
            found.append(one)


class Masker:
    """Numbers the placeholders of one appeal."""

    __slots__ = ("_numbers", "masked", "matter", "originals")

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self.masked: dict[str, int] = {}
        self.originals: dict[str, str] = {}
        self.matter: list[str] = []

    def mask(self, field: str, text: str) -> str:
        """Put placeholders into a text and keep the originals, by field and placeholder."""
        found = find(text)
        if not found:
            return text
        parts: list[str] = []
        after = 0
        for start, end, kind, matter in found:
            original = text[start:end]
            known = self._numbers.setdefault(kind, {})
            number = known.setdefault(canonical(kind, original), len(known) + 1)
            label = f"{LABELS[kind]}{number}"
            parts += (text[after:start], f"〔{label}〕")
            key = f"{field}:{label}"
            if key not in self.originals:
                self.originals[key] = original
                if matter or (kind == "door" and field == "place"):
                    self.matter.append(key)
            self.masked[kind] = self.masked.get(kind, 0) + 1
            after = end
        parts.append(text[after:])
        return "".join(parts)


def canonical(kind: str, original: str) -> str:
    """Bring the ways of writing one original together."""
    if kind == "mobile":
        return canonical_mobile(original) or original
    if kind in ("id_card", "bank_card", "landline", "qq"):
        return digits_of(original)
    return original.replace(" ", "").lower()


def mask(draft: Draft, _tables: Tables) -> None:
    """Mask every text that leaves this room, title and attachment names alike."""
    masker = Masker()
    draft.title = masker.mask("title", draft.title)
    draft.text = masker.mask("text", draft.text)
    if draft.address is not None:
        draft.address = masker.mask("place", draft.address)
    _mask_rest(draft, masker.mask)
    draft.masked = masker.masked
    draft.originals = masker.originals
    draft.matter = masker.matter


def _mask_rest(draft: Draft, hide: Callable[[str, str], str]) -> None:
    """Mask what is rarely there."""
    if draft.reply_text is not None:
        draft.reply_text = hide("reply", draft.reply_text)
    if draft.reply_by is not None:
        draft.reply_by = hide("reply", draft.reply_by)
    if draft.url is not None:
        draft.url = hide("url", draft.url)
    if draft.handler is not None:
        draft.handler = hide("handler", draft.handler)
    if draft.subject_entity is not None:
        draft.subject_entity = hide("subject", draft.subject_entity)
    if draft.given is not None and draft.given.name is not None:
        draft.given = msgspec.structs.replace(draft.given, name=hide("given", draft.given.name))
    if draft.thread.about is not None:
        draft.thread = msgspec.structs.replace(draft.thread, about=hide("about", draft.thread.about))
    if draft.attachments:
        draft.attachments = [
            msgspec.structs.replace(
                one,
                name=hide("attachment", one.name) if one.name else None,
                url=hide("attachment", one.url) if one.url else None,
            )
            for one in draft.attachments
        ]
