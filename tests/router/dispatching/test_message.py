"""Messages to departments: the fields of the contract, the same bytes every time, and nothing that is not theirs."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalizer.appeal import Appeal, Attachment, Citizen, Evidence, Mode, Place, RequestType, Signals
from router.dispatch import CaseFacts, Context, Dispatch, MessageType, Role, case_no, message_id
from router.dispatching.decide import decide
from router.dispatching.message import MAX_BYTES, message, routing_key
from router.dispatching.told import CaseEvent
from tests.router.dispatching.appeals import appeal
from tests.router.dispatching.units import packaged

AT = datetime(2026, 11, 23, 1, 10, tzinfo=UTC)
ABOUT_A_CASE = [kind for kind in MessageType if kind is not MessageType.OUTCOME]
TEXT = "小区门口的路灯坏了半个月，〔手机1〕，请尽快修"


def facts(item: Appeal, **changes: Any) -> CaseFacts:
    decision = decide(item, Context(), packaged())
    number = case_no(AT, item.channel, item.id)
    made = CaseFacts(
        id=item.id,
        case_no=number,
        mode=Mode.ROUTE,
        opened_at=AT,
        routing=decision.routing,
        sentence=decision.sentence,
    )
    return msgspec.structs.replace(made, **changes)


def dispatch(department: str = "CGJ", **changes: Any) -> Dispatch:
    sequence = changes.get("sequence", 1)
    fields = {
        "message_id": message_id("a" * 24, department, sequence),
        "department": department,
        "sequence": sequence,
        "type": MessageType.DISPATCHED,
        "role": Role.LEAD,
        "revision": 1,
        "at": AT,
    }
    return Dispatch(**(fields | changes))


def sent(item: Appeal, order: Dispatch | None = None, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(message(facts(item, **changes), order or dispatch(), item, packaged()))
    return body


def test_the_envelope_is_a_cloud_event_in_structured_mode() -> None:
    body = sent(appeal(TEXT))
    assert {name: body[name] for name in body if name != "data"} == {
        "specversion": "1.0",
        "id": message_id("a" * 24, "CGJ", 1),
        "source": "/intake",
        "type": "appeal.dispatched.v1",
        "subject": "a" * 24,
        "time": "2026-11-23T01:10:00.000Z",
        "datacontenttype": "application/json",
    }


def test_every_field_of_the_contract_is_there() -> None:
    data = sent(appeal(TEXT, place=Place(district="望湖区")))["data"]
    assert set(data) >= {
        *("case", "case_no", "dispatch", "sequence", "role", "reply_required", "title", "text", "request_type"),
        *("category", "urgency", "subject_entity", "place", "occurred_at", "posted_at", "deadline", "deadlines"),
        *("contact_mode", "confidential", "attachments", "decision", "versions", "trace", "test", "replayed"),
    }
    assert set(data["category"]) == {"code", "name", "version", "given"}
    assert data["dispatch"] == message_id("a" * 24, "CGJ", 1)
    assert data["decision"]["why"].startswith("按0205")


def test_the_same_dispatch_makes_the_same_bytes() -> None:
    item = appeal(TEXT)
    bodies = {message(facts(item), dispatch(), item, packaged()) for _ in range(3)}
    assert len(bodies) == 1


@pytest.mark.parametrize("kind", ABOUT_A_CASE)
def test_every_type_has_its_name_on_the_wire(kind: MessageType) -> None:
    assert sent(appeal(TEXT), dispatch(type=kind))["type"] == f"appeal.{kind.value}.v1"


def test_an_outcome_says_what_became_of_a_feedback_and_nothing_of_the_case() -> None:
    told = {"feedback": "f1", "case": "c", "outcome": "refused", "code": "stale", "sentence": "…", "state": "closed"}
    body = sent(appeal(TEXT), dispatch(type=MessageType.OUTCOME, sequence=3, told=told))
    assert body["type"] == "feedback.outcome.v1"
    assert body["data"] == told | {"case_no": body["data"]["case_no"], "sequence": 3}


def test_a_granted_extension_moves_the_deadlines_of_what_is_sent_from_then_on() -> None:
    item, before = appeal(TEXT), {"kind": "close"}
    (first,) = [each for each in sent(item, dispatch())["data"]["deadlines"] if each["kind"] == before["kind"]]
    told = {"decided": {"ask": "extension", "feedback": "f1", "granted": True, "working_days": 3}, "extended": 3}
    body = sent(item, dispatch(type=MessageType.DECIDED, sequence=2, told=told))
    (moved,) = [each for each in body["data"]["deadlines"] if each["kind"] == "close"]
    assert moved["at"] > first["at"]
    assert body["data"]["decided"]["granted"] is True
    assert "card" not in body["data"]


def test_what_stops_the_clock_carries_its_reason_and_no_deadline() -> None:
    data = sent(appeal(TEXT), dispatch(type=MessageType.RECALLED, reason="派错了", sequence=2, dispatch="first"))[
        "data"
    ]
    assert (data["reason"], data["deadline"], data["deadlines"], data["reply_required"]) == ("派错了", None, [], False)
    assert data["dispatch"] == "first"


def test_the_case_keeps_its_deadline_when_another_department_starts_its_own() -> None:
    first = AT - timedelta(days=7)
    data = sent(appeal(TEXT), dispatch(), first_dispatched_at=first)["data"]
    assert data["deadline"] == "2026-11-23T16:00:00.000Z"
    assert data["department_deadline"] == "2026-11-30T16:00:00.000Z"
    assert data["deadlines"][-1]["local"] == "2026-11-30 24:00"


def test_an_update_keeps_the_departments_own_clock() -> None:
    later = dispatch(type=MessageType.UPDATED, at=AT + timedelta(days=2), since=AT, sequence=2)
    data = sent(appeal(TEXT), later, first_dispatched_at=AT)["data"]
    assert data["deadline"] == data["department_deadline"] == "2026-11-30T16:00:00.000Z"


def test_two_departments_cannot_join_a_citizens_profile() -> None:
    item = appeal(TEXT)
    refs = {sent(item, dispatch(code))["data"]["citizen"]["ref"] for code in ("CGJ", "ZJJ")}
    assert len(refs) == 2
    assert item.citizen.ref not in refs


@pytest.mark.parametrize(
    "private",
    [{"citizen": Citizen(ref="r", display="陈女士", confidential=True)}, {"request_type": RequestType.REPORT}],
)
def test_a_confidential_case_shows_no_link_native_id_name_or_exact_time(private: dict[str, Any]) -> None:
    files = [Attachment(id="rec-1", media_type="audio/*"), Attachment(id="p1", media_type="image/jpeg")]
    item = appeal(TEXT, url="https://example.org/1", posted_at="2026-11-22T01:02:03.000Z", attachments=files, **private)
    data = sent(item)["data"]
    assert data["confidential"] is True
    assert [file["id"] for file in data["attachments"]] == ["p1"]  # the voice on a recording is as good as a name
    for field in ("url", "native_id", "posted_at", "occurred_at"):
        assert data[field] is None
    assert data["citizen"] == {"ref": None, "display": None}
    whole = json.dumps(data, ensure_ascii=False)
    assert "陈女士" not in whole
    assert "example.org" not in whole


@pytest.mark.parametrize(
    ("citizen", "role", "mode"),
    [
        (Citizen(has_contact=True), Role.LEAD, "reveal"),
        (Citizen(has_contact=True, confidential=True), Role.LEAD, "relay"),
        (Citizen(has_contact=True), Role.ASSIST, "none"),
        (Citizen(), Role.LEAD, "none"),
    ],
)
def test_only_the_lead_may_ask_for_the_contact(citizen: Citizen, role: Role, mode: str) -> None:
    assert sent(appeal(TEXT, citizen=citizen), dispatch(role=role))["data"]["contact_mode"] == mode


def test_nothing_that_is_not_for_departments_is_in_a_message() -> None:
    item = appeal(TEXT, signals=Signals(accused=["某局"], handler="某某单位"))
    body = message(facts(item), dispatch(), item, packaged()).decode()
    for name in ("alternatives", "engagement", "fingerprint", "quality", "same_person", "accused", "某某单位"):
        assert name not in body


def test_attachments_are_told_by_kind_and_never_by_address() -> None:
    photo = Attachment(id="p1", name="照片.jpg", media_type="image/jpeg", url="https://example.org/p.jpg")
    data = sent(appeal(TEXT, attachments=[photo, Attachment(id="x")]))["data"]
    assert [file["kind"] for file in data["attachments"]] == ["image", "other"]
    assert "example.org" not in json.dumps(data)


@pytest.mark.parametrize("character", ["长", "a", '"', "\\", "\x01", "😀"])
def test_a_longer_text_is_cut_says_so_and_links_to_the_whole(character: str) -> None:
    evidence = [Evidence(field="text", start=MAX_BYTES, end=MAX_BYTES + 1, text=character, why="后面的词")]
    item = appeal(character * 300_000, signals=Signals(evidence=evidence))
    body = message(facts(item), dispatch(), item, packaged())
    data = json.loads(body)["data"]
    assert len(body) <= MAX_BYTES
    assert len(body) > MAX_BYTES * 0.8
    assert data["text_truncated"] is True
    assert data["text_link"] == f"/departments/{dispatch().department}/cases/{item.id}/text"
    assert all(word["end"] <= len(data["text"]) for word in data["decision"]["evidence"])


def test_even_an_absurd_title_fits() -> None:
    item = appeal("短", title="题" * 200_000, place=Place(raw="址" * 200_000))
    assert len(message(facts(item), dispatch(), item, packaged())) <= MAX_BYTES


def test_text_is_composed_and_without_nul_and_its_evidence_still_points_at_it() -> None:
    text = "cafe\u0301\0门口路灯坏了"
    evidence = [Evidence(field="text", start=8, end=10, text="路灯", why="词")]
    data = sent(appeal(text, signals=Signals(evidence=evidence)))["data"]
    assert data["text"] == "café门口路灯坏了"
    word = data["decision"]["evidence"][0]
    assert data["text"][word["start"] : word["end"]] == "路灯"


def test_the_routing_key_names_department_category_and_urgency() -> None:
    assert routing_key(dispatch("ZJJ"), appeal(TEXT)) == "ZJJ.0205.normal"


def test_a_case_number_is_for_people() -> None:
    number = case_no(datetime(2026, 11, 22, 16, 30, tzinfo=UTC), "hotline", "a" * 24)
    day, channel, tail = number.split("-")
    assert (day, channel, len(tail)) == ("20261123", "RX", 6)


@given(st.text(max_size=200), st.text(max_size=30), st.sampled_from(ABOUT_A_CASE), st.sampled_from(Role))
@settings(max_examples=100, deadline=None)
def test_any_text_makes_a_message_that_reads_back(text: str, title: str, kind: MessageType, role: Role) -> None:
    item = appeal(text, title=title)
    body = message(facts(item), dispatch(type=kind, role=role), item, packaged())
    read = msgspec.json.decode(body, type=CaseEvent)
    assert len(body) <= MAX_BYTES
    assert unicodedata.is_normalized("NFC", read.data.text)
    assert "\0" not in read.data.text
    for word in read.data.decision.evidence:
        assert {"text": read.data.text, "title": read.data.title}[word.field][word.start : word.end] == word.text
