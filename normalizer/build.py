"""Build what is handed on from a draft (成稿): the frozen appeal, once, and its secrets."""

from __future__ import annotations

from msgspec.structs import replace

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import (
    Appeal,
    Category,
    Citizen,
    Links,
    Normalized,
    OfficialReply,
    Piece,
    Place,
    Quality,
    RequestType,
    Secrets,
    Signals,
    Urgency,
    instant,
    part_id,
)
from normalizer.draft import NO_ENGAGEMENT, NO_THREAD, Draft
from normalizer.steps.identify import citizen_of, contact_of, mobile_of
from normalizer.tables import Tables


def normalized(raw: RawAppeal, draft: Draft, versions: Tables, ref_key: bytes) -> Normalized:
    """Hand on what the steps made of an item."""
    mobile = mobile_of(draft)
    appeal = _appeal(raw, draft, mobile, versions, ref_key)
    secrets = Secrets(originals=draft.originals, matter=draft.matter, contact=contact_of(draft, mobile))
    if not draft.parts:
        return Normalized(appeal, secrets)
    return Normalized(appeal, secrets, [normalized(raw, part, versions, ref_key) for part in draft.parts])


def _appeal(raw: RawAppeal, draft: Draft, mobile: str | None, tables: Tables, ref_key: bytes) -> Appeal:
    """Build the frozen appeal once."""
    piece = draft.piece
    chosen = tables.classes[draft.code]
    # What the source says, then what we made of it: Python passes more than 15 keywords as a dictionary, and one call
    # with all of them takes three times as long as these two.
    said = replace(
        _BLANK,
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
        engagement=draft.engagement,
        thread=draft.thread,
        official_reply=_reply(draft) if draft.reply_text else None,
        attachments=draft.attachments,
    )
    return replace(
        said,
        id=raw.id if piece is None else part_id(raw.id, piece.number),
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
        citizen=citizen_of(draft, mobile, raw.source, ref_key),
        quality=Quality(
            is_appeal=draft.is_appeal,
            appeal_score=draft.appeal_score,
            repairs=draft.repairs,
            masked=draft.masked,
            notes=draft.notes,
        ),
        fingerprint=draft.fingerprint,
        links=_ALONE if piece is None else _beside(raw.id, piece),
        signals=Signals(
            evidence=draft.evidence,
            runners_up=draft.runners_up,
            accused=draft.accused,
            handler=draft.handler,
            sent_back=draft.sent_back,
            referral=draft.referral,
            subject_entity=draft.subject_entity,
            told=draft.told,
            piece=piece,
        ),
    )


_ALONE = Links()
_BLANK = Appeal(
    id="",
    revision=0,
    channel="",
    transport="",
    source="",
    native_id="",
    title="",
    text="",
    request_type=RequestType.OTHER,
    category=Category(code="", name="", path=[], confidence=0.0),
    urgency=Urgency.NORMAL,
    deadline_class="",
    place=Place(),
    citizen=Citizen(),
    engagement=NO_ENGAGEMENT,
    thread=NO_THREAD,
    quality=Quality(),
    fingerprint="",
    signals=Signals(),
)


def _beside(message: str, piece: Piece) -> Links:
    return Links(same_message=[part_id(message, n) for n in range(1, piece.of + 1) if n != piece.number])


def _reply(draft: Draft) -> OfficialReply | None:
    if not draft.reply_text:
        return None
    return OfficialReply(text=draft.reply_text, by=draft.reply_by, at=draft.reply_at)
