"""The pass sheet (联调验收单): what was seen of a department's program, judged. Pure.

Seen from outside is only what the broker sees: what was taken and acknowledged, what was rejected, what was said.
What the program wrote into its own database a person looks at (script.TO_LOOK_AT).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from router.feedback import Feedback
from router.sandbox.script import UNREADABLE_ID, Played, Step

Verdict = Literal["passed", "failed", "unseen"]
#: After a recall nothing of these may come.
_WORK = frozenset({"accepted", "contacted", "progress", "interim", "replied", "resolved"})
_RETURN = "return_requested"


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One message on the exchange `feedback`, and during which step it came."""

    step: Step
    user: str | None
    body: bytes


class Dead(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter."""

    id: str
    reason: str  #: as the broker says: rejected, delivery_limit, …


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of the whole run."""

    taken: Mapping[Step, bool] = {}  #: whether the queue was empty again in time
    heard: Sequence[Heard] = ()
    dead: Sequence[Dead] = ()
    reconnected: bool = False
    unacknowledged: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the sheet."""

    what: str
    verdict: Verdict
    sentence: str


def sheet(played: Sequence[Played], seen: Seen, user: str) -> list[Line]:
    """Judge everything that was played; lines in the order of the script, then what holds for all."""
    return [
        *(_line(each, seen) for each in played if each.step in seen.taken),
        *_of_feedback(played, seen, user),
        _acknowledged(seen),
    ]


def passed(lines: Sequence[Line]) -> bool:
    """Say whether nothing failed and something was seen."""
    return bool(lines) and all(line.verdict != "failed" for line in lines)


# ---------------------------------------------------------------- inside


def _line(played: Played, seen: Seen) -> Line:
    dead = {each.id: each.reason for each in seen.dead}
    rejected = [dead[each.id] for each in played.samples if each.id in dead]
    step, title = played.step, played.step.value
    if step is Step.UNREADABLE:
        return _unreadable(title, dead.get(UNREADABLE_ID))
    if step is Step.RECONNECT and not seen.reconnected:
        return _failed(title, "断线后没有再连上来：请捕获连接错误，稍候重连")
    if step is Step.NOVELTY and rejected:
        return _passed(title, f"退回了不认识的类型（{rejected[0]}），没有卡住后面的消息；也可以忽略并确认")
    if rejected:
        return _failed(title, f"这一步的消息被退回（{rejected[0]}）：{_AGAINST[step]}")
    if not seen.taken[step]:
        return _failed(title, f"到时仍未取走并确认：{_AGAINST[step]}")
    return _passed(title, _WELL[step])


_WELL: Mapping[Step, str] = {
    Step.ORDER: "已取走并确认",
    Step.REPEAT: "同一编号第二次来，照常确认",
    Step.UPDATE: "已取走并确认",
    Step.GAP: "缺第 2 条时第 3 条照常取走",
    Step.LATE: "迟到的第 2 条已取走；是否覆盖请在本单位系统里看",
    Step.RECALL: "已取走并确认",
    Step.UNKNOWN: "多出来的字段没有妨碍",
    Step.NOVELTY: "没有卡住后面的消息",
    Step.LONG: "已取走并确认；生僻字请在本单位系统里看",
    Step.REFUSED_RETURN: "已取走并确认",
    Step.STATEMENT: "已取走并确认；漏收的一件有没有提示，请在本单位系统里看",
    Step.RECONNECT: "断线后重新连上并取走",
}
_AGAINST: Mapping[Step, str] = {
    Step.ORDER: "请检查队列名、账号，以及存好以后是否 ack",
    Step.REPEAT: "同一 id 再来时不要报错，直接确认",
    Step.UPDATE: "appeal.updated.v1 应替换旧文本后确认",
    Step.GAP: "缺号时不要等待，先收下，再请中心补发",
    Step.LATE: "序号小的也要确认，只是不覆盖",
    Step.RECALL: "appeal.recalled.v1 应停办并确认",
    Step.UNKNOWN: "不认识的字段请忽略，不要当作错误",
    Step.NOVELTY: "不认识的类型请忽略并确认，或退回（requeue=false），不要停下",
    Step.LONG: "消息最长 256 KiB，含表情和四字节字符：请检查缓冲区和数据库字符集（utf8mb4、GB18030）",
    Step.REFUSED_RETURN: "appeal.decided.v1 说明退单是否同意，请确认",
    Step.STATEMENT: "department.statement.v1 不是一件工单（没有 data.case）：按 type 区分，与本单位在办的核对后确认",
    Step.RECONNECT: "请捕获连接错误，稍候重连",
}


def _unreadable(title: str, reason: str | None) -> Line:
    if reason is None:
        return _failed(title, "看不懂的消息被确认了：中心看不到，诉求就丢了。请 reject 或 nack，requeue=false")
    if reason != "rejected":
        return _failed(title, f"反复放回队列，直到 {reason}：请 reject 或 nack 时写 requeue=false")
    return _passed(title, "已退回，中心能看到")


def _of_feedback(played: Sequence[Played], seen: Seen, user: str) -> Iterator[Line]:
    told = [(heard, _read(heard.body)) for heard in seen.heard]
    if not told:
        yield Line(
            what="反馈 · feedback",
            verdict="unseen",
            sentence="没有收到反馈：如由程序反馈，请先回 received 或 accepted，再联调一次；由人在网页上签收的可不管",
        )
        return
    yield _wellformed(told, user)
    yield _once(told)
    yield _quiet_after_recall(played, told)
    yield _no_second_return(told)


Told = Sequence[tuple[Heard, "Feedback | str"]]


def _read(body: bytes) -> Feedback | str:
    try:
        said: Feedback = msgspec.json.decode(body, type=Feedback)
    except msgspec.ValidationError as error:
        return str(error)
    except msgspec.DecodeError as error:
        return f"不是 JSON · {error}"
    return said


def _wellformed(told: Told, user: str) -> Line:
    title = "反馈格式与账号 · feedback is well-formed"
    for heard, said in told:
        if isinstance(said, str):
            return _failed(title, f"不合 intake schema feedback：{said}")
        if heard.user != user:
            return _failed(title, f"消息属性里没有写本单位账号 user_id（应为 {user}）")
    return _passed(title, f"{len(told)} 条反馈都合格式，账号正确")


def _once(told: Told) -> Line:
    """A repeat of an order must not be answered as if it were another one."""
    title = "重复不再反馈 · one answer an order"
    ids: dict[tuple[str, str], set[str]] = {}
    for _, said in told:
        if not isinstance(said, str):
            ids.setdefault((said.dispatch, _kind(said)), set()).add(said.id)
    doubled = [kind for (_, kind), known in ids.items() if len(known) > 1 and kind in {"received", "accepted"}]
    if doubled:
        return _failed(title, f"同一派单的 {doubled[0]} 用了不同编号：重复的消息请按 id 去重，反馈编号也要不变")
    return _passed(title, "同一派单的反馈编号不变")


def _quiet_after_recall(played: Sequence[Played], told: Told) -> Line:
    title = "收回后停办 · nothing after a recall"
    recalled = {each.case for step in played if step.step is Step.RECALL for each in step.samples}
    steps = list(Step)
    late = [
        _kind(said)
        for heard, said in told
        if not isinstance(said, str)
        and said.case in recalled
        and _kind(said) in _WORK
        and steps.index(heard.step) > steps.index(Step.RECALL)
    ]
    return _failed(title, f"收回以后还有反馈 {late[0]}：请停办") if late else _passed(title, "收回以后没有办理反馈")


def _no_second_return(told: Told) -> Line:
    title = "退单被驳回后 · after a refused return"
    steps = list(Step)
    returns = [
        heard
        for heard, said in told
        if not isinstance(said, str)
        and _kind(said) == _RETURN
        and steps.index(heard.step) > steps.index(Step.REFUSED_RETURN)
    ]
    if returns:
        return _failed(title, "驳回以后又申请退单：请继续办理，有异议请与热线中心联系")
    return _passed(title, "驳回以后没有再申请退单")


def _acknowledged(seen: Seen) -> Line:
    title = "全部确认 · everything is acknowledged"
    if seen.unacknowledged:
        return _failed(title, f"还有 {seen.unacknowledged} 条取走未确认：存好以后请 ack，否则断线时会再来")
    return _passed(title, "没有取走而未确认的消息")


def _kind(said: Feedback) -> str:
    return str(said.__struct_config__.tag)


def _passed(what: str, sentence: str) -> Line:
    return Line(what=what, verdict="passed", sentence=sentence)


def _failed(what: str, sentence: str) -> Line:
    return Line(what=what, verdict="failed", sentence=sentence)
