"""A statement says all that is open, in parts that fit, under ids that stay."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as some

from router.dispatch import Role
from router.dispatching.message import MAX_BYTES
from router.dispatching.schema import schema
from router.dispatching.statement import StatedCase, StatedDeadline, is_statement, statement, statement_id
from router.sandbox.samples import sample_statement

AT = datetime(2026, 11, 22, 23, tzinfo=UTC)


def case(number: int, due: str | None = None, name: str = "c") -> StatedCase:
    deadlines = [] if due is None else [StatedDeadline(kind="close", at=due)]
    return StatedCase(
        case=f"{name}{number}",
        case_no=str(number),
        dispatch="d",
        sequence=1,
        role=Role.LEAD,
        state="signed",
        deadlines=deadlines,
    )


def read(made: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in made]


@settings(max_examples=20)
@given(some.integers(0, 60), some.integers(0, 12_000))
def test_every_case_stands_in_exactly_one_part_and_each_part_fits(count: int, long: int) -> None:
    made = statement("ZJJ", "2026-11-23", AT, [case(number, name="长" * long) for number in range(count)])

    bodies = read(made)
    assert all(len(body) <= MAX_BYTES for _, body in made)
    assert [body["data"]["part"] for body in bodies] == list(range(1, len(bodies) + 1))
    assert {(body["data"]["parts"], body["data"]["open"]) for body in bodies} == {(len(bodies), count)}
    assert sorted(int(each["case_no"]) for body in bodies for each in body["data"]["cases"]) == list(range(count))
    assert [name for name, _ in made] == [body["id"] for body in bodies]


def test_what_is_due_first_stands_first_and_what_has_no_deadline_last() -> None:
    cases = [case(1), case(2, "2026-11-25T00:00:00Z"), case(3, "2026-11-24T00:00:00Z")]
    (body,) = read(statement("ZJJ", "2026-11-23", AT, cases))
    assert [each["case_no"] for each in body["data"]["cases"]] == ["3", "2", "1"]


def test_it_is_what_its_schema_says() -> None:
    jsonschema.Draft202012Validator(schema("statement")).validate(json.loads(sample_statement("ZJJ", AT)))


def test_only_a_letter_with_its_own_id_is_a_statement() -> None:
    ((name, body),) = statement("ZJJ", "2026-11-23", AT, [case(1)])
    assert is_statement(body, name)
    assert not is_statement(body, statement_id("CGJ", "2026-11-23", 1))
    assert not is_statement(body.replace(b'"ZJJ"', b'"CGJ"'), name)
    assert not is_statement(b"\xff", name)
