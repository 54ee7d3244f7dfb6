"""Messages to departments: CloudEvents 1.0, structured JSON (CONTRACT.md). Pure, and each record is serialised once.

The same case, dispatch and appeal make the same bytes, however often they are published. A department gets what it
needs to act and no more: no alternatives, engagement, fingerprint or quality, nothing of who else wrote; of a
confidential case no link, native id, name or exact time. `citizen.ref` is derived for each department, so that two
cannot join profiles.
"""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import Literal, TypeVar

import msgspec

from normalizer.appeal import (
    Appeal,
    Attachment,
    Evidence,
    Instant,
    RequestType,
    Urgency,
    instant,
)
from router.cases.clock import Clock, Moves, moved
from router.cases.deadlines import Deadline
from router.dispatch import CaseFacts, Dispatch, MessageType, Role
from router.dispatching.crosswalk import OwnCategory
from router.dispatching.outcome import outcome_of
from router.dispatching.tables import Tables
from router.dispatching.told import (
    AttachmentSent,
    CardSent,
    CaseData,
    CaseEvent,
    CategorySent,
    CitizenSent,
    ContactMode,
    DecisionSent,
    Recomputed,
    RequestDecided,
)

MAX_BYTES = 256 * 1024
CONTENT_TYPE = "application/cloudevents+json"
SOURCE = "/intake"
_TITLE = 200

Told = TypeVar("Told")

_ENCODER = msgspec.json.Encoder()
_TYPES = {kind: f"appeal.{kind.value}.v1" for kind in MessageType}
#: After these the clock stands and there is nothing left to answer.
_OVER = frozenset({MessageType.WITHDRAWN, MessageType.RECALLED, MessageType.CLOSED})


def message(case: CaseFacts, dispatch: Dispatch, appeal: Appeal, tables: Tables, *, replayed: bool = False) -> bytes:
    """Build one message. At most 256 KiB: a longer text is cut, says so, and links to the whole."""
    if dispatch.type is MessageType.OUTCOME:
        return outcome_of(case, dispatch)
    event = _event(case, dispatch, appeal, tables, replayed=replayed)
    body = _ENCODER.encode(event)
    return body if len(body) <= MAX_BYTES else _cut(event, len(body), text_link(dispatch.department, case.id))


def text_link(department: str, case: str) -> str:
    """Where the whole text is: at the door, for whoever shows the department's login."""
    return f"/departments/{department}/cases/{case}/text"


def routing_key(dispatch: Dispatch, appeal: Appeal) -> str:
    """`<CODE>.<category>.<urgency>`: what the topic exchange `appeals` routes by."""
    # An answer to a program is in no hurry: it does not come between critical cases in the urgent lane.
    urgency = Urgency.NORMAL if dispatch.type is MessageType.OUTCOME else appeal.urgency
    return f"{dispatch.department}.{appeal.category.code}.{urgency.value}"


def department_ref(ref: str | None, department: str, key: bytes) -> str | None:
    """Derive what a department may call a citizen: one-way, and another for every department."""
    if ref is None:
        return None
    return hashlib.blake2b(f"{department}\0{ref}".encode(), key=key[:64], digest_size=12).hexdigest()


def trace_of(case: str, message: str) -> str:
    """Write the trace as W3C `traceparent`: one trace a case, one span a message."""
    return f"00-{hashlib.blake2b(case.encode(), digest_size=16).hexdigest()}-{message[:16]}-01"


def _event(case: CaseFacts, dispatch: Dispatch, appeal: Appeal, tables: Tables, *, replayed: bool) -> CaseEvent:
    title, text = _plain(appeal.title), _plain(appeal.text)
    routing = case.routing
    confidential = appeal.citizen.confidential or appeal.request_type is RequestType.REPORT
    first = case.first_dispatched_at or dispatch.at
    since = dispatch.since or dispatch.at
    stopped = dispatch.type in _OVER
    deadlines = [] if stopped else _deadlines(tables, appeal.deadline_class, appeal.request_type, since)
    whole = (
        deadlines
        if stopped or first == since
        else _deadlines(tables, appeal.deadline_class, appeal.request_type, first)
    )
    if dispatch.told is not None and not stopped:
        moves, clock = Moves.of(dispatch.told), _clock(appeal, tables)
        deadlines, whole = moved(deadlines, since, moves, clock), moved(whole, first, moves, clock)
    category = appeal.category
    return CaseEvent(
        id=dispatch.message_id,
        source=SOURCE,
        type=_TYPES[dispatch.type],
        subject=case.id,
        time=instant(dispatch.at),
        data=CaseData(
            case=case.id,
            case_no=case.case_no,
            dispatch=dispatch.dispatch or dispatch.message_id,
            sequence=dispatch.sequence,
            role=dispatch.role,
            reply_required=dispatch.role is Role.LEAD and not stopped,
            reason=dispatch.reason,
            revision=dispatch.revision,
            channel=appeal.channel,
            url=None if confidential else appeal.url,
            native_id=None if confidential else appeal.native_id,
            title=title,
            text=text,
            text_truncated=False,
            text_link=None,
            request_type=appeal.request_type,
            category=CategorySent(
                code=category.code,
                name=category.name,
                version=routing.versions.taxonomy,
                given=category.given,
                own=_own(category.code, dispatch, tables),
            ),
            urgency=appeal.urgency,
            deadline_class=appeal.deadline_class,
            subject_entity=appeal.signals.subject_entity,
            place=appeal.place,
            occurred_at=None if confidential else appeal.occurred_at,
            posted_at=None if confidential else appeal.posted_at,
            citizen=_citizen(appeal, dispatch, tables, confidential=confidential),
            contact_mode=_contact(appeal, dispatch, confidential=confidential),
            confidential=confidential,
            deadline=_close(whole),
            department_deadline=_close(deadlines),
            deadlines=deadlines,
            # A voice is as good as a name.
            attachments=[
                _attachment(attachment)
                for attachment in appeal.attachments
                if not (confidential and (attachment.media_type or "").startswith("audio"))
            ],
            decision=DecisionSent(
                decided_by=routing.decided_by,
                rule=routing.rule,
                why=case.sentence,
                evidence=_evidence(routing.evidence, appeal, title, text),
            ),
            versions=routing.versions,
            trace=trace_of(case.id, dispatch.message_id),
            test=case.test,
            replayed=replayed,
            decided=_told(dispatch, "decided", RequestDecided),
            card=_told(dispatch, "card", CardSent),
            recomputed=_told(dispatch, "recomputed", Recomputed),
            repeat_of=case.repeat_of or msgspec.UNSET,
        ),
    )


def _own(category: str, dispatch: Dispatch, tables: Tables) -> OwnCategory | msgspec.UnsetType:
    crosswalk = tables.crosswalks.get(dispatch.department)
    return (crosswalk and crosswalk.own(category)) or msgspec.UNSET


def _told(dispatch: Dispatch, name: str, kind: type[Told]) -> Told | msgspec.UnsetType:
    if dispatch.told is None or name not in dispatch.told:
        return msgspec.UNSET
    return msgspec.convert(dispatch.told[name], kind)


def _clock(appeal: Appeal, tables: Tables) -> Clock:
    return Clock(appeal.deadline_class, appeal.request_type, tables.deadlines, tables.calendar)


def _plain(text: str) -> str:
    """NFC and without NUL: what a department's database may choke on."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def _citizen(appeal: Appeal, dispatch: Dispatch, tables: Tables, *, confidential: bool) -> CitizenSent:
    if confidential:
        return CitizenSent(ref=None, display=None)
    ref = department_ref(appeal.citizen.ref, dispatch.department, tables.ref_key)
    return CitizenSent(ref=ref, display=appeal.citizen.display)


def _contact(appeal: Appeal, dispatch: Dispatch, *, confidential: bool) -> ContactMode:
    """The lead may ask for the contact, with a reason; of a confidential case the centre relays (中心代为联系)."""
    if not appeal.citizen.has_contact or dispatch.role is not Role.LEAD:
        return "none"
    return "relay" if confidential else "reveal"


def _attachment(attachment: Attachment) -> AttachmentSent:
    family = (attachment.media_type or "").partition("/")[0]
    kinds: dict[str, Literal["image", "video", "audio", "document"]] = {
        "image": "image",
        "video": "video",
        "audio": "audio",
        "text": "document",
        "application": "document",
    }
    return AttachmentSent(
        id=attachment.id,
        name=attachment.name,
        media_type=attachment.media_type,
        size=attachment.size,
        sha256=attachment.sha256,
        kind=kinds.get(family, "other"),
    )


def _evidence(evidence: list[Evidence], appeal: Appeal, title: str, text: str) -> list[Evidence]:
    """Keep offsets true: where a field was changed on the way, words are looked for again, or left out."""
    if title == appeal.title and text == appeal.text:
        return evidence
    sent = {"title": title, "text": text}
    found = []
    for item in evidence:
        if item.field == "place":
            found.append(item)
            continue
        words = _plain(item.text)
        start = sent.get(item.field, "").find(words)
        if start >= 0:
            found.append(msgspec.structs.replace(item, start=start, end=start + len(words), text=words))
    return found


@lru_cache(maxsize=4096)
def _deadlines(tables: Tables, deadline_class: str, request_type: RequestType, start: datetime) -> list[Deadline]:
    """A page of dispatches shares its moment: reckoned once for each class and type."""
    return list(tables.deadlines.of(deadline_class, request_type, start, tables.calendar))


def _close(deadlines: list[Deadline]) -> Instant | None:
    return next((deadline.at for deadline in deadlines if deadline.kind == "close"), None)


def _cut(event: CaseEvent, size: int, link: str) -> bytes:
    """Cut what may be long until it fits: the text first; then, for want of anything else, all that is not needed."""
    text = event.data.text
    while text:
        # In JSON a character takes at most six bytes: a cut by a sixth of what is over cannot take too much.
        text = text[: len(text) - max((size - MAX_BYTES) // 6, 64)] if len(text) > 64 else ""  # noqa: PLR2004
        body = _ENCODER.encode(_shortened(event, text, link))
        size = len(body)
        if size <= MAX_BYTES:
            return body
    data = event.data
    bare = msgspec.structs.replace(
        data,
        title=data.title[:_TITLE],
        reason=data.reason and data.reason[:_TITLE],
        url=None,
        subject_entity=None,
        place=msgspec.structs.replace(data.place, raw=None),
        attachments=[],
        decision=msgspec.structs.replace(data.decision, evidence=[]),
    )
    return _ENCODER.encode(_shortened(msgspec.structs.replace(event, data=bare), "", link))


def _shortened(event: CaseEvent, text: str, link: str) -> CaseEvent:
    data = event.data
    evidence = [item for item in data.decision.evidence if item.field != "text" or item.end <= len(text)]
    cut = msgspec.structs.replace(
        data,
        text=text,
        text_truncated=True,
        text_link=link,
        decision=msgspec.structs.replace(data.decision, evidence=evidence),
    )
    return msgspec.structs.replace(event, data=cut)
