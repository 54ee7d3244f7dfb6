"""START HERE: RawAppeal in, Appeal out.

`normalize` is pure: no I/O, no clock, no chance; the same input gives the same output, byte for byte. It maps the
channel's fields into a draft and sends the draft through the steps, in the one order that is written down here.
`normalize_page` does that for a page and stores what came of it: secrets first, then appeals, so that a crash between
the two is mended by running the same page again. What stands already is handed on as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import (
    Appeal,
    Category,
    Handed,
    Normalized,
    OfficialReply,
    Place,
    Quality,
    Secrets,
    Signals,
    instant,
)
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers import MAPPERS
from normalizer.steps.classify import classify
from normalizer.steps.clean import clean
from normalizer.steps.fingerprint import fingerprint
from normalizer.steps.identify import citizen_of, contact_of
from normalizer.steps.judge import judge
from normalizer.steps.locate import locate
from normalizer.steps.mask import mask
from normalizer.steps.prioritize import prioritize
from normalizer.steps.refer import refer
from normalizer.steps.scan import scan
from normalizer.steps.simplify import simplify
from normalizer.steps.title import entitle
from normalizer.tables import Tables

Step = Callable[[Draft, Tables], None]

#: The order is the meaning: wording first, then masking, then everything that reads the masked text.
STEPS: tuple[Step, ...] = (
    clean,
    simplify,
    mask,
    scan,
    classify,
    prioritize,
    locate,
    judge,
    refer,
    fingerprint,
    entitle,
)


def normalize(raw: RawAppeal, versions: Tables, ref_key: bytes) -> Normalized:
    """Turn one item of a source into an appeal and its secrets. Raises Unmappable where that cannot be done."""
    mapper = MAPPERS.get(raw.kind)
    if mapper is None:
        raise Unmappable(f"no mapper knows kind {raw.kind!r}; its file belongs into normalizer/mappers")
    draft = mapper(raw)
    for step in STEPS:
        step(draft, versions)
    return Normalized(_appeal(raw, draft, versions, ref_key), Secrets(originals=draft.originals, contact=contact_of(draft)))


def _appeal(raw: RawAppeal, draft: Draft, tables: Tables, ref_key: bytes) -> Appeal:
    """Build the frozen appeal once."""
    chosen = tables.classes[draft.code]
    return Appeal(
        id=raw.id,
        revision=raw.revision,
        channel=draft.channel,
        channel_detail=draft.channel_detail,
        transport=raw.transport,
        source=raw.source,
        native_id=raw.native_id,
        url=draft.url,
        posted_at=draft.posted_at,
        received_at=instant(raw.received_at) if raw.received_at is not None else None,
        occurred_at=draft.occurred_at,
        title=draft.title,
        text=draft.text,
        request_type=draft.request_type,
        category=Category(
            code=draft.code, name=chosen.name, path=list(chosen.path), confidence=draft.confidence, given=draft.given
        ),
        urgency=draft.urgency,
        deadline_class=draft.deadline_class,
        place=Place(
            city=draft.city,
            district=draft.district,
            street=draft.street,
            community=draft.community,
            poi=draft.poi,
            raw=draft.address,
            location=draft.location,
        ),
        citizen=citizen_of(draft, raw.source, ref_key),
        engagement=draft.engagement,
        thread=draft.thread,
        official_reply=_reply(draft),
        attachments=draft.attachments,
        quality=Quality(
            is_appeal=draft.is_appeal,
            appeal_score=draft.appeal_score,
            repairs=draft.repairs,
            masked=draft.masked,
            notes=draft.notes,
        ),
        fingerprint=draft.fingerprint,
        signals=Signals(
            evidence=draft.evidence,
            runners_up=draft.runners_up,
            accused=draft.accused,
            handler=draft.handler,
            referral=draft.referral,
            subject_entity=draft.subject_entity,
        ),
    )


def _reply(draft: Draft) -> OfficialReply | None:
    if not draft.reply_text:
        return None
    return OfficialReply(text=draft.reply_text, by=draft.reply_by, at=draft.reply_at)
