"""START HERE: RawAppeal in, Appeal out.

`normalize` is pure: no I/O, no clock, no chance; the same input gives the same output, byte for byte. It maps the
channel's fields into a draft and sends the draft through the steps, in the one order that is written down here.
`normalize_page` does that for a page and stores what came of it: secrets first, then appeals, so that a crash between
the two is mended by running the same page again. What stands already is handed on as it stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from connectors.raw_appeal import RawAppeal
from normalizer import vault
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
from normalizer.sealing import Seal
from normalizer.settle import Made, settle
from normalizer.steps.classify import classify
from normalizer.steps.clean import clean
from normalizer.steps.fingerprint import fingerprint
from normalizer.steps.identify import citizen_of, contact_of
from normalizer.steps.judge import judge
from normalizer.steps.locate import locate
from normalizer.steps.mask import mask
from normalizer.steps.prioritize import prioritize
from normalizer.steps.recount import recount
from normalizer.steps.refer import refer
from normalizer.steps.repair.apply import repair
from normalizer.steps.repair.page import take_off_page
from normalizer.steps.scan import scan
from normalizer.steps.simplify import simplify
from normalizer.steps.title import entitle
from normalizer.store import AppealStore
from normalizer.tables import Tables

Document = dict[str, Any]
Step = Callable[[Draft, Tables], None]

#: The order is the meaning: bytes first (cleaning would strip what tells how they broke), wording next, then masking,
#: then everything that reads the masked text.
STEPS: tuple[Step, ...] = (
    repair,
    clean,
    simplify,
    take_off_page,
    mask,
    scan,
    classify,
    prioritize,
    locate,
    recount,
    judge,
    refer,
    fingerprint,
    entitle,
)


def normalize(raw: RawAppeal, versions: Tables, ref_key: bytes) -> Normalized:
    """Turn one item of a source into an appeal and its secrets. Raises Unmappable where that cannot be done."""
    draft = _mapped(raw)
    for step in STEPS:
        step(draft, versions)
    return _normalized(raw, draft, versions, ref_key)


#: How many drafts go through a step before the next step begins. One at a time, each step finds the processor's cache
#: full of the other steps' tables: measured, a page takes a quarter less time in groups of 50, and no less in 500.
GROUP = 50


def normalize_all(raws: Sequence[RawAppeal], versions: Tables, ref_key: bytes) -> list[Normalized | Exception]:
    """Do `normalize` to many; where one cannot be turned into an appeal, its error stands in its place."""
    done: list[Normalized | Exception] = []
    for start in range(0, len(raws), GROUP):
        done += _group(raws[start : start + GROUP], versions, ref_key)
    return done


def _group(raws: Sequence[RawAppeal], versions: Tables, ref_key: bytes) -> list[Normalized | Exception]:
    # Whatever goes wrong is the failure of that one item alone. A `try` that is not needed costs nothing.
    drafts: list[Draft | Exception] = []
    for raw in raws:
        try:
            drafts.append(_mapped(raw))
        except Exception as error:  # noqa: BLE001
            drafts.append(error)
    for step in STEPS:
        for at, draft in enumerate(drafts):
            if isinstance(draft, Draft):
                try:
                    step(draft, versions)
                except Exception as error:  # noqa: BLE001
                    drafts[at] = error
    done: list[Normalized | Exception] = []
    for raw, draft in zip(raws, drafts, strict=True):
        try:
            done.append(draft if isinstance(draft, Exception) else _normalized(raw, draft, versions, ref_key))
        except Exception as error:  # noqa: BLE001
            done.append(error)
    return done


def _mapped(raw: RawAppeal) -> Draft:
    mapper = MAPPERS.get(raw.kind)
    if mapper is None:
        raise Unmappable(f"no mapper knows kind {raw.kind!r}; its file belongs into normalizer/mappers")
    return mapper(raw)


def _normalized(raw: RawAppeal, draft: Draft, versions: Tables, ref_key: bytes) -> Normalized:
    return Normalized(
        _appeal(raw, draft, versions, ref_key),
        Secrets(originals=draft.originals, matter=draft.matter, contact=contact_of(draft)),
    )


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
            told=draft.told,
        ),
    )


def _reply(draft: Draft) -> OfficialReply | None:
    if not draft.reply_text:
        return None
    return OfficialReply(text=draft.reply_text, by=draft.reply_by, at=draft.reply_at)


@dataclass(frozen=True, slots=True)
class Room:
    """What this room works with, handed in by the front door."""

    tables: Tables
    ref_key: bytes
    store: AppealStore
    seal: Seal
    now: Callable[[], datetime]


async def normalize_page(raws: Sequence[RawAppeal], room: Room) -> list[Handed]:
    """Normalize a page, store what came of it, and hand it on in the order of the page.

    A failure of one is the failure of one: it goes to `unmapped` with its reason. Run again, it changes nothing and
    hands on the same.
    """
    made: list[Made] = []
    failed: list[tuple[RawAppeal, str]] = []
    for raw, normalized in zip(raws, await _in_turns(raws, room), strict=True):
        if isinstance(normalized, Normalized):
            made.append(Made(raw, normalized.appeal, normalized.secrets))
        else:
            failed.append((raw, _reason(normalized)))
    await room.store.set_aside([_failure(raw, reason, room) for raw, reason in failed if not raw.withdrawn])
    gone = [raw for raw, _ in failed if raw.withdrawn]
    await room.store.resolve([raw.id for raw in gone])  # taken back: what could not be mapped need not be any more
    made += await _taken_back(gone, room)
    places = {id(raw): at for at, raw in enumerate(raws)}
    made.sort(key=lambda one: places[id(one.raw)])
    await room.store.keep_secrets(await vault.sealed(made, room.seal, room.ref_key, room.now()))
    handed = await settle(made, room.store)
    await room.store.resolve([one.appeal.id for one in made if one.raw.revision > 1])
    return handed


async def _in_turns(raws: Sequence[RawAppeal], room: Room) -> list[Normalized | Exception]:
    """Normalize a page and let the other pages' answers in between groups: they would wait for the whole of it."""
    done: list[Normalized | Exception] = []
    for start in range(0, len(raws), GROUP):
        done += normalize_all(raws[start : start + GROUP], room.tables, room.ref_key)
        await asyncio.sleep(0)
    return done


async def retry_page(raws: Sequence[RawAppeal], room: Room) -> list[Handed]:
    """Normalize again what was set aside (`intake parked retry`); what is mapped now leaves `unmapped`."""
    handed = await normalize_page(raws, room)
    await room.store.resolve([one.appeal.id for one in handed])
    return handed


def _reason(error: Exception) -> str:
    """Say why one was not turned into an appeal: an error of ours in its words; of any other only the kind is kept."""
    return str(error) if isinstance(error, Unmappable) else f"unexpected {type(error).__name__} in the normalizer"


async def _taken_back(raws: Sequence[RawAppeal], room: Room) -> list[Made]:
    """Let what was taken back be told by what we have: a source that deletes a row often sends no row."""
    standing = await room.store.standing([raw.id for raw in raws])
    return [
        Made(raw, msgspec.structs.replace(standing[raw.id].appeal, revision=raw.revision), Secrets())
        for raw in raws
        if raw.id in standing
    ]


def _failure(raw: RawAppeal, reason: str, room: Room) -> Document:
    return {
        "_id": raw.id,
        "source": raw.source,
        "native_id": raw.native_id,
        "revision": raw.revision,
        "stage": "normalize",
        "reason": reason,
        "at": room.now(),
    }
