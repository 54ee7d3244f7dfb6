"""Mask what identifies a person (脱敏): numbered placeholders in every text, the originals to the vault.

The same original gets the same number within one appeal. What belongs to the matter (which flat, which car) is told
apart from what belongs to the caller: the lead department may see the one, the liaison alone the other. One look for
anything that could be a number, an address of mail, a plate, a door or a cue decides whether patterns run at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from normalizer.draft import Draft
from normalizer.steps.personal.accounts import CONTACT_CUES, accounts, has_plate, mails, plates
from normalizer.steps.personal.doors import doors, has_door
from normalizer.steps.personal.found import Found
from normalizer.steps.personal.names import CALLED_CUES, COMPOUND_SURNAMES, NAME_CUES, names
from normalizer.steps.personal.numbers import (
    canonical_mobile,
    digits_of,
    has_digits,
    has_spoken_mobile,
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

_CONTACT = len(CONTACT_CUES)
_CALLED = _CONTACT + len(CALLED_CUES)
_CUES = Words((*CONTACT_CUES, *CALLED_CUES, *NAME_CUES))


def find(text: str) -> list[Found]:
    """Find what identifies a person, from left to right, never overlapping."""
    found: list[Found] = []
    if "@" in text or "＠" in text:
        _add(found, mails(text))
    if has_digits(text):
        _add(found, numbers(text))
    if has_spoken_mobile(text):
        _add(found, spoken_mobiles(text))
    if has_plate(text):
        _add(found, plates(text))
    cues = _CUES.find(text)
    if cues:
        _add(found, _beside_cues(text, cues))
    if has_door(text):
        _add(found, doors(text))
    found.sort()
    return found


def _add(found: list[Found], more: Iterable[Found]) -> None:
    """Take what does not overlap what is already taken: the surer kinds come first."""
    for one in more:
        if not any(one.start < taken.end and taken.start < one.end for taken in found):
            found.append(one)


def _beside_cues(text: str, cues: list[Span]) -> Iterable[Found]:
    if any(cue < _CONTACT for _, _, cue in cues):
        yield from accounts(text)
    called = [span for span in cues if _CONTACT <= span[2] < _CALLED]
    begun = [span for span in cues if span[2] >= _CALLED]
    yield from names(text, called, begun)


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
