"""The one table of feedback, event and state is the one on the page for departments."""

from __future__ import annotations

from pathlib import Path

from router.cases.hearing import REFUSALS
from router.cases.moves import MOVES
from router.cases.work import CENTRE, STEPS, Work, drawing, rows
from router.feedback import Feedback

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "departments.md").read_text(encoding="utf-8")


def test_the_page_shows_the_table_the_drawing_and_every_refusal() -> None:
    assert rows() in PAGE
    assert drawing() in PAGE
    for code, sentence in REFUSALS.items():
        assert f"| `{code}` | {sentence} |" in PAGE


def test_every_kind_of_feedback_has_its_step_and_every_step_its_move() -> None:
    kinds = {str(kind.__struct_config__.tag) for kind in Feedback.__args__}
    assert kinds == set(STEPS)
    assert {step.event for step in (*STEPS.values(), *CENTRE.values())} <= set(MOVES)


def test_no_state_is_a_dead_end_but_the_end() -> None:
    moves = [step for step in (*STEPS.values(), *CENTRE.values()) if step.before != frozenset(Work)]
    left = {state for step in moves for state in step.before}
    assert set(Work) - left == {Work.CONSULTATION}, "a joint review is left by giving the case to somebody"
