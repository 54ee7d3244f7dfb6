"""Make each request of a message a draft of its own (分件): with the shared greeting and place, and nothing else's.

A part has its own words between the shared head and tail, its own title, and its own numbers for what was masked, so
that no department learns what was only said to another. Where one part is a 举报 all are confidential: who wrote it
is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from normalizer.appeal import Piece, RequestType
from normalizer.draft import Draft
from normalizer.parting.cuts import Cuts
from normalizer.parting.matters import requests_of
from normalizer.steps.classify import OTHER
from normalizer.steps.mask import LABELS
from normalizer.steps.title import title_of
from normalizer.tables import Tables

#: What all parts have from the message as the source told it.
_SHARED = (
    "channel",
    "channel_detail",
    "url",
    "posted_at",
    "occurred_at",
    "location",
    "author_name",
    "author_id",
    "sex",
    "phone",
    "mail",
    "type_given",
    "secret",
    "light",
    "reply_text",
    "reply_by",
    "reply_at",
    "engagement",
    "thread",
    "attachments",
    "repairs",
    "notes",
)
_KINDS = {label: kind for kind, label in LABELS.items()}
_PLACEHOLDER = re.compile(f"〔({'|'.join(_KINDS)})([0-9]+)〕")
#: Only these are numbered anew: a message with masked spots elsewhere stays one.
_NUMBERED = frozenset({"title", "text", "place"})

Read = Sequence[Callable[[Draft, Tables], None]]


def into_parts(draft: Draft, tables: Tables, read: Read) -> None:
    """Set `parts`, where there are several requests that stay what they are when each is read for itself."""
    found = requests_of(draft, tables)
    if found is None or not {key.partition(":")[0] for key in draft.originals} <= _NUMBERED:
        return
    parts = list(_parts(draft, found))
    for part in parts:
        for step in read:
            step(part, tables)
    families = {part.code[:2] for part in parts if part.code != OTHER and part.is_appeal}
    if len(families) < len(parts):
        return
    if any(part.request_type is RequestType.REPORT for part in parts):
        for part in parts:
            part.secret = True
    for part, (start, end, cue, _) in zip(parts, found.pieces, strict=True):
        if cue and part.piece is not None:
            why = f"一条多诉：第{part.piece.number}项，共{part.piece.of}项"
            part.evident(found.head, found.head + len(cue), why)
        own = part.text[found.head : found.head + end - start]
        part.title = title_of(own.removeprefix(cue).lstrip("，,、.．：: ")) or part.title
    draft.parts = parts


def _parts(draft: Draft, found: Cuts) -> Iterator[Draft]:
    for number, (start, end, cue, why) in enumerate(found.pieces, start=1):
        spans = [(0, found.head), (start, end), (found.tail, len(draft.text))]
        part = Draft()
        for name in _SHARED:
            setattr(part, name, getattr(draft, name))
        part.repairs, part.notes = list(draft.repairs), list(draft.notes)
        numbers: dict[str, dict[str, int]] = {}
        part.text = _own(part, draft, numbers, "text", "".join(draft.text[begin:end] for begin, end in spans))
        if draft.address is not None:
            part.address = _own(part, draft, numbers, "place", draft.address)
        part.message_title = draft.title
        part.piece = Piece(number=number, of=len(found.pieces), spans=spans, cue=cue, why=why)
        yield part


def _own(part: Draft, draft: Draft, numbers: dict[str, dict[str, int]], field: str, text: str) -> str:
    """Number what is masked in a text as if nothing else had been written, and take its originals along."""

    def renumbered(found: re.Match[str]) -> str:
        label, before = found[1], found[2]
        old = f"{field}:{label}{before}"
        if old not in draft.originals:
            return found[0]  # the citizen wrote so
        known = numbers.setdefault(label, {})
        new = f"{field}:{label}{known.setdefault(before, len(known) + 1)}"
        if new not in part.originals:
            part.originals[new] = draft.originals[old]
            if old in draft.matter:
                part.matter.append(new)
        part.masked[_KINDS[label]] = part.masked.get(_KINDS[label], 0) + 1
        return f"〔{new.partition(':')[2]}〕"

    return _PLACEHOLDER.sub(renumbered, text)
