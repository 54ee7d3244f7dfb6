"""What a source is told of a case that follows a closed one: by the number of its part, with the others in mind."""

from __future__ import annotations

from msgspec.structs import replace

from router.cases.answering import of_message, others_of
from router.cases.case import Case
from router.cases.moves import State
from router.cases.track import Answering, Handling
from router.cases.work import Work
from tests.router.cases.test_deciding import opened
from tests.router.city import AT


def told(case: Case, status: str, reply: str | None = None, work: Work = Work.SIGNED) -> tuple[Case, Answering]:
    row = Answering(id="r", status=status, reply=reply, at=AT, deadline=AT)  # type: ignore[arg-type]
    return replace(case, handling=Handling(work=work, answers=[row])), row


def test_a_round_of_a_part_is_told_by_the_number_of_the_part() -> None:
    first, _ = told(replace(opened(), parts=["a1-2"]), "closed", work=Work.CLOSED)
    case, row = told(replace(opened(), id="a1-2~2", parts=["a1"]), "in_progress", "已派人")
    assert others_of(case) == ["a1"]
    assert of_message(case, row, [first]) == ("in_progress", "（第2项）已派人")


def test_a_round_that_ends_at_the_desk_asks_every_part_but_its_own() -> None:
    case = replace(opened(), id="a1-2~3", goal=State.INFORMED)
    assert {"a1", "a1-3"} <= set(others_of(case))
    assert "a1-2" not in others_of(case)
