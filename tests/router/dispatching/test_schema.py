"""The printed schemas: in both languages, complete, and true of what is sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from normalizer.appeal import Mode
from router.dispatch import CaseFacts, Context, Dispatch, MessageType, Role
from router.dispatching.decide import decide
from router.dispatching.message import message
from router.dispatching.schema import CategoryListed, What, coded_list, schema
from router.feedback import Feedback
from tests.router.dispatching.appeals import appeal
from tests.router.dispatching.units import packaged

EVERY: list[What] = ["appeal", "dispatch", "feedback", "outcome", "statement"]


@pytest.mark.parametrize("what", EVERY)
def test_every_record_and_field_has_a_chinese_and_an_english_title(what: What) -> None:
    made = schema(what)
    assert "·" in made["title"]
    for name, record in made["$defs"].items():
        assert record["title"].endswith(f"· {name}"), record["title"]
        for field, shape in record.get("properties", {}).items():
            assert shape["title"].endswith(f"· {field}"), (name, shape["title"])


def test_a_message_has_exactly_the_fields_of_its_schema() -> None:
    item = appeal("路灯坏了")
    decision = decide(item, Context(), packaged())
    at = datetime(2026, 11, 22, tzinfo=UTC)
    case = CaseFacts(id=item.id, case_no="x", mode=Mode.ROUTE, opened_at=at, routing=decision.routing)
    order = Dispatch(
        message_id="m", department="CGJ", sequence=1, type=MessageType.DISPATCHED, role=Role.LEAD, revision=1, at=at
    )
    body = json.loads(message(case, order, item, packaged()))
    parts = schema("dispatch")["$defs"]
    assert set(body) == set(parts["CaseEvent"]["properties"])
    only_sometimes = {"decided", "card", "recomputed", "repeat_of"}
    assert set(body["data"]) == set(parts["CaseData"]["properties"]) - only_sometimes
    assert not only_sometimes & set(parts["CaseData"]["required"])


@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        ("received", {}),
        ("accepted", {}),
        ("contacted", {"attempts": 2, "method": "phone"}),
        ("progress", {"note": "在修"}),
        ("interim", {"reply_public": "已派工"}),
        ("extension_requested", {"working_days": 5, "reason": "等配件"}),
        ("suspended", {"reason": "等化冻"}),
        ("resumed", {}),
        ("return_requested", {"code": "R2", "clause": "三定方案第五条", "evidence": "现场照片"}),
        ("replied", {"reply_public": "已修好", "signed_by": "王科长"}),
        ("resolved", {"resolution": "solved", "fix_kind": "lasting"}),
    ],
)
def test_every_kind_of_feedback_reads_back(kind: str, rest: dict[str, object]) -> None:
    body = {
        "id": "f1",
        "dispatch": "m1",
        "case": "c1",
        "at": "2026-11-22T09:00:00+08:00",
        "handler": "一科",
        "kind": kind,
    }
    assert msgspec.convert(body | rest, Feedback).note == rest.get("note")


def test_the_coded_list_names_the_default_leads() -> None:
    listed = coded_list(
        "t1", [CategoryListed(code="0205", name="城市照明", path=["城市管理", "城市照明"])], {"0205": "CGJ"}
    )
    assert listed["categories"][0] == {
        "code": "0205",
        "name": "城市照明",
        "path": ["城市管理", "城市照明"],
        "lead": "CGJ",
    }
