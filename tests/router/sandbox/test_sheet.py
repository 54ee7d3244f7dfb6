"""What is seen of a program, and what the sheet makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from router.dispatch import MessageType
from router.dispatching.outcome import OutcomeEvent
from router.dispatching.statement import StatementEvent, is_statement
from router.dispatching.told import CaseEvent
from router.sandbox.samples import samples
from router.sandbox.script import UNREADABLE_ID, Played, Step, script
from router.sandbox.sheet import Dead, Heard, Line, Seen, passed, sheet
from tests.router.city import tables

AT = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
USER = "dept.ZJJ.t"
PLAYED = list(script("ZJJ", AT, tables(), "r1"))
TAKEN = dict.fromkeys(Step, True)
REJECTED = [Dead(id=UNREADABLE_ID, reason="rejected")]


def seen(**other: Any) -> Seen:
    """A good run, but for what is named."""
    return Seen(**{"taken": TAKEN, "dead": REJECTED, "reconnected": True, **other})


def line(lines: list[Line], what: str) -> Line:
    (found,) = [each for each in lines if each.what.startswith(what)]
    return found


def played(step: Step) -> Played:
    return next(each for each in PLAYED if each.step is step)


def said(step: Step, kind: str, case: str, name: str, user: str | None = USER, **more: Any) -> Heard:
    """One feedback to the first order of this case of the script."""
    order = next(
        each for step_ in PLAYED for each in step_.samples if each.case.endswith(f"-{case}") and each.sequence == 1
    )
    body = {
        "kind": kind, "id": name, "case": order.case, "dispatch": order.id, "at": "2026-11-22T10:00:00+08:00",
        "handler": "程序", **more,
    }  # fmt: skip
    return Heard(step=step, user=user, body=msgspec.json.encode(body))


def test_a_good_run_passes_every_line() -> None:
    heard = [
        said(Step.ORDER, "received", "a", "received-a"),
        said(Step.REPEAT, "received", "a", "received-a"),
        said(Step.UPDATE, "accepted", "a", "accepted-a"),
    ]
    lines = sheet(PLAYED, seen(heard=heard), USER)

    assert passed(lines)
    assert {each.verdict for each in lines} == {"passed"}
    assert len(lines) == len(Step) + 5


def test_a_program_that_says_nothing_passes_and_is_told_so() -> None:
    lines = sheet(PLAYED, seen(), USER)

    assert passed(lines)
    assert line(lines, "反馈").verdict == "unseen"


@pytest.mark.parametrize("step", [step for step in Step if step not in {Step.UNREADABLE, Step.RECONNECT}])
def test_what_was_not_taken_in_time_is_named_with_what_to_do(step: Step) -> None:
    lines = sheet(PLAYED, seen(taken={**TAKEN, step: False}), USER)

    assert not passed(lines)
    assert line(lines, step.value).sentence.startswith("到时仍未取走")


def test_a_swallowed_message_and_an_endless_one_are_told_apart() -> None:
    swallowed = line(sheet(PLAYED, seen(dead=[]), USER), Step.UNREADABLE.value)
    endless = line(sheet(PLAYED, seen(dead=[Dead(id=UNREADABLE_ID, reason="delivery_limit")]), USER), Step.UNREADABLE)

    assert (swallowed.verdict, endless.verdict) == ("failed", "failed")
    assert "被确认了" in swallowed.sentence
    assert "requeue=false" in endless.sentence


def test_a_rejected_order_fails_but_a_rejected_novelty_does_not() -> None:
    def dead(step: Step) -> list[Line]:
        return sheet(PLAYED, seen(dead=[*REJECTED, Dead(id=played(step).samples[-1].id, reason="rejected")]), USER)

    assert not passed(dead(Step.UNKNOWN))
    assert passed(dead(Step.NOVELTY))


@pytest.mark.parametrize(
    ("heard", "what"),
    [
        ([Heard(step=Step.ORDER, user=USER, body=b"{")], "反馈格式"),
        ([said(Step.ORDER, "gone", "a", "f")], "反馈格式"),
        ([said(Step.ORDER, "received", "a", "f", user=None)], "反馈格式"),
        ([said(Step.ORDER, "received", "a", "f1"), said(Step.REPEAT, "received", "a", "f2")], "重复不再反馈"),
        ([said(Step.UNKNOWN, "progress", "c", "f1")], "收回后停办"),
        (
            [said(Step.RECONNECT, "return_requested", "a", "f9", code="R1", clause="c", evidence="e")],
            "退单被驳回后",
        ),
    ],
)
def test_what_is_wrong_with_the_feedback_is_named(heard: list[Heard], what: str) -> None:
    lines = sheet(PLAYED, seen(heard=heard), USER)

    assert line(lines, what).verdict == "failed"


def test_a_cut_that_the_program_does_not_survive_fails() -> None:
    assert line(sheet(PLAYED, seen(reconnected=False), USER), Step.RECONNECT.value).verdict == "failed"


def test_what_is_held_and_not_acknowledged_fails() -> None:
    assert line(sheet(PLAYED, seen(unacknowledged=3), USER), "全部确认").verdict == "failed"


def test_its_statement_names_a_case_that_was_never_sent() -> None:
    (made,) = played(Step.STATEMENT).samples
    event = msgspec.json.decode(made.body, type=StatementEvent)
    sent = {each.case: each.sequence for step in PLAYED for each in step.samples if each.type is not None}
    listed = {row.case: row.sequence for row in event.data.cases}

    assert [case for case in listed if case not in sent] == ["sandbox-r1-missed"]
    assert {case.rpartition("-")[2] for case in sent} - {case.rpartition("-")[2] for case in listed} == {"c", "f"}
    assert is_statement(made.body, made.id)


def test_nothing_seen_at_all_is_no_pass() -> None:
    assert not passed([])


def test_there_is_a_sample_of_every_type_and_each_is_what_its_type_says() -> None:
    made = list(samples("ZJJ", AT, tables()))

    assert [each.type for each in made] == list(MessageType)
    for each in made:
        kind = OutcomeEvent if each.type is MessageType.OUTCOME else CaseEvent
        event: Any = msgspec.json.decode(each.body, type=kind)
        assert event.id == each.id


def test_the_script_has_every_step_once_and_its_long_message_fits() -> None:
    assert [each.step for each in PLAYED] == list(Step)
    (long,) = played(Step.LONG).samples
    assert 200_000 < len(long.body) <= 256 * 1024
    assert msgspec.json.decode(long.body)["data"]["test"] is True
