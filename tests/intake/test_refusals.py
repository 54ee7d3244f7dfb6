"""Every way in which the router refuses what a person asked of a case is said in Chinese."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.refusals import why
from router.errors import MoveNotAllowed, NoSuchCase

ROOT = Path(__file__).parents[2]
REFUSALS = {"MoveNotAllowed", "NoSuchCase", "NoSuchUnit", "UnitAccused", "NoSuchLesson"}


def texts() -> Iterator[str]:
    """Each as it stands in the code, with … for what is only known later."""
    for path in (ROOT / "router").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
                (said,) = node.args
                assert isinstance(said, ast.JoinedStr), ast.unparse(node)
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in said.values)


@pytest.mark.parametrize("said", sorted(set(texts())))
def test_every_refusal_is_said_in_chinese(said: str) -> None:
    assert why(MoveNotAllowed(said)).endswith(f" · {said}")


def test_it_reads_as_people_would_say_it() -> None:
    told = why(NoSuchCase("no case has the id, number, native id or message id 'x'"))
    assert told.startswith("没有编号、工单号、来源编号、消息号是 'x' 的件 · ")
    assert why(MoveNotAllowed("case a is triage: the table has no move closed from there")).startswith(
        "工单 a 待研判，"
    )
    assert why(MoveNotAllowed("something new")) == "something new"
