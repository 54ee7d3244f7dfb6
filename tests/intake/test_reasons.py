"""Every reason that the rooms can give for parking something is said in Chinese."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.reasons import in_chinese

ROOT = Path(__file__).parents[2]


def words_of(node: ast.expr | None) -> Iterator[str]:
    """A text in the code, with … for what is only known later."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
    elif isinstance(node, ast.IfExp):
        yield from words_of(node.body)
        yield from words_of(node.orelse)


def reasons() -> Iterator[tuple[str, str]]:
    """What is given as `reason=`, named `reason`, said by Unmappable, or gathered in `wrong`."""
    files = [*(ROOT / "connectors" / "channels").rglob("*.py"), *(ROOT / "normalizer").rglob("*.py")]
    files += [ROOT / "connectors" / "flow.py", ROOT / "connectors" / "keeping" / "compare.py"]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                given = [word.value for word in node.keywords if word.arg == "reason"]
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                given += node.args[:1] if name == "Unmappable" else []
            elif isinstance(node, ast.Assign):
                named = {getattr(target, "id", "") for target in node.targets}
                given = [node.value] if named & {"reason", "GONE", "CUT_OFF"} else []
            else:
                continue
            yield from ((f"{path.name}:{node.lineno}", words) for one in given for words in words_of(one))


FOUND = sorted(set(reasons()))


def test_there_are_reasons_to_look_at() -> None:
    assert len(FOUND) > 25


@pytest.mark.parametrize(("place", "reason"), FOUND)
def test_every_reason_has_its_chinese(place: str, reason: str) -> None:
    del place
    said = in_chinese(reason)
    assert said.endswith(f" · {reason}")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("the row has no orderId", "这一行没有 orderId"),
        (
            "the row has no posted_at; the row has neither text nor title",
            "这一行没有 posted_at；这一行没有 text 也没有 title",
        ),
        ("callTime is not a time", "callTime 不是时间"),
        ("dead-lettered from dept.ZJJ: rejected, 1 times", "dept.ZJJ 拒收，成了死信（1 次）"),
        ("waits behind sequence 2", "排在同一单位的第 2 条后面"),
        (
            "source s leads to https://x.cn/1, which is none of its hosts; if that is right, name the host in `hosts`",
            "来源 s 引向 https://x.cn/1，hosts 里没有；要连就写上",
        ),
        ("deciding failed: ValueError", "决定派给谁时程序出错（ValueError），叫开发"),
    ],
)
def test_it_reads_as_people_would_say_it(reason: str, said: str) -> None:
    assert in_chinese(reason) == f"{said} · {reason}"


@pytest.mark.parametrize("reason", ["反馈未采纳 · refused", "something new"])
def test_what_is_chinese_already_or_not_known_stays(reason: str) -> None:
    assert in_chinese(reason) == reason
