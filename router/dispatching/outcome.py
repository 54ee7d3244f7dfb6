"""`feedback.outcome.v1`: what became of a department's feedback, on that department's own queue (反馈结果)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal

import msgspec

from normalizer.appeal import Instant, instant
from router.dispatch import CaseFacts, Dispatch
from router.feedback import Outcome

TYPE = "feedback.outcome.v1"
SOURCE = "/intake"


class OutcomeData(Outcome, frozen=True, kw_only=True):
    """The outcome, and where it stands among the messages of its case."""

    case_no: str | None  #: null where the case is not this department's
    sequence: int  #: as of every message of the case; 0 where the case is not this department's


class OutcomeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope: CloudEvents 1.0 in structured mode."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: str = TYPE
    subject: str
    time: Instant
    datacontenttype: Literal["application/json"] = "application/json"
    data: OutcomeData


def outcome_of(case: CaseFacts, dispatch: Dispatch) -> bytes:
    """Build the message of a case that the department has; the same however often it is sent."""
    outcome = msgspec.convert(dispatch.told, Outcome)
    return _body(dispatch.message_id, outcome, dispatch.at, case.case_no, dispatch.sequence)


def outcome_of_stray(stray: str, outcome: Outcome, at: datetime) -> tuple[str, bytes]:
    """Build the message for feedback that belongs to no case of its sender; give its id too."""
    name = hashlib.blake2b(f"outcome\0{stray}".encode(), digest_size=16).hexdigest()
    return name, _body(name, outcome, at, None, 0)


def _body(name: str, outcome: Outcome, at: datetime, case_no: str | None, sequence: int) -> bytes:
    fields = {field: getattr(outcome, field) for field in outcome.__struct_fields__}
    return msgspec.json.encode(
        OutcomeEvent(
            id=name,
            subject=outcome.case,
            time=instant(at),
            data=OutcomeData(**fields, case_no=case_no, sequence=sequence),
        )
    )
