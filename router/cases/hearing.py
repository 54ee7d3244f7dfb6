"""What a department says is taken into its case (反馈入账), and what it is told in return. Pure.

Every feedback leaves one event and one outcome, in one write; the same id again leaves nothing. What comes late or out
of order is written down and moves nothing (standing.py), so it can do no harm.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from router.cases.case import Case, holders
from router.cases.clock import Limits
from router.cases.ledger import count, draft_of, record
from router.cases.moves import Kind
from router.cases.returns import is_arbitrated
from router.cases.sending import append
from router.cases.standing import standing
from router.cases.track import Handling, Track
from router.cases.work import NAMES, STEPS, Ask, Work
from router.dispatch import MessageType
from router.feedback import ExtensionRequested, Feedback, Outcome, read_moment

AHEAD = timedelta(minutes=10)  #: so far a department's clock may be before ours
MOST = 300  #: feedback of one department on one case
MOST_TEXT = 400_000  #: characters of all feedback on one case

_NOT_DATA = frozenset({"id", "dispatch", "case", "at", "note"})


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a feedback comes to."""

    outcome: Literal["accepted", "refused", "pending"]
    code: str
    sentence: str


#: Why a feedback is refused, and what its programmer or its handler does next.
REFUSALS = {
    "bad_message": "看不懂这条反馈：请按 intake schema feedback 的格式检查后，换一个编号再发",
    "bad_time": "时间不对：at 须是带时区的时间，且不晚于现在；请检查时钟和时区后，换一个编号再发",
    "no_user": "没有写明经队列服务器核验的账号（user_id），不予采信：请在消息属性里写上本单位账号再发",
    "not_holder": "本单位目前不是该工单的主办或协办单位：如有疑问请联系热线中心",
    "no_order": "dispatch 不是本单位现在这一单的派单编号：请用最近一次派单消息里的 data.dispatch",
    "stale": "这条反馈说的是重办以前的事：如是新一轮办理的情况，请用新的时间和编号再发",
    "too_late": "该工单已答复或已有更新的同类申请，不再受理这项申请",
    "return_late": "已超过退单时限，不能退单：请继续办理，或与热线中心联系",
    "arbitrated": "该工单的承办单位已经裁定，不能再退单：请办理，或与热线中心联系",
    "extend_late": "已过办结时限，不能再申请延期：请尽快办结",
    "extend_again": "该工单已延期过一次：特殊情况请与热线中心联系",
    "extend_long": "申请延期的天数超过原办理时限：请缩短后重新申请",
    "too_much": "该工单的反馈过多，不再收录：请与热线中心联系",
    "no_clause": "所引条款不在剔除与申诉规则里，或不适用于这类申请：请用 intake schema claims 所列的条款",
    "claim_late": "已过本月件的申报期限，不再受理剔除和申诉",
    "claim_again": "这件工单的同类申请已提过一次：一件一次为限",
    "not_lead": "只有主办单位可以申请剔除或对评价提出申诉",
    "no_decision": "没有可以申诉的评价或退单决定",
}


def hear(case: Case, department: str, said: Feedback, at: datetime, limits: Limits) -> Case:
    """Take in one feedback of a department that has the case; free text is masked already.

    Nothing happens where it has been taken in before, or where the department does not have the case (any more).
    """
    if is_known(case, department, said.id) or department not in holders(case):
        return case
    refused = _refusal(case, department, said, at, limits)
    if refused is None:
        after = draft_of(case)
        _record(after, department, said, at)
        ask = STEPS[_kind(said)].ask
        if ask is None or _track(after, department).asks.get(ask) == said.id:
            return answer(case, after, department, said, at, _taken(case, after, department, ask))
        refused = "too_late"
    after = draft_of(case)
    after.handling = after.handling or Handling()
    return refuse(case, after, department, said, at, refused)


def refuse(before: Case, draft: Case, department: str, said: Feedback, at: datetime, code: str) -> Case:  # noqa: PLR0917
    """Write down that it was refused, and answer."""
    data = {"feedback": said.id, "kind": _kind(said)}
    record(draft, Kind.FEEDBACK_REFUSED, at, actor=department, department=department, note=code, data=data)
    verdict = Verdict(outcome="refused", code=code, sentence=REFUSALS[code])
    return answer(before, draft, department, said, at, verdict)


def is_known(case: Case, department: str, feedback: str) -> bool:
    """Say whether this department's feedback with this id is in the ledger already."""
    return any(event.department == department and event.data.get("feedback") == feedback for event in case.events)


def moment_of(said: Feedback) -> datetime | None:
    """When it is said to have happened, as exactly as the store keeps it; None: there is no such moment."""
    return read_moment(said.at)


# ---------------------------------------------------------------- inside


def _kind(said: Feedback) -> str:
    return str(said.__struct_config__.tag)


def _track(case: Case, department: str) -> Track:
    assert case.handling is not None
    return case.handling.tracks[department]


def _refusal(case: Case, department: str, said: Feedback, at: datetime, limits: Limits) -> str | None:
    track = standing(case).tracks.get(department)
    if track is None:
        return "no_order"  # a copy is to know, not to act
    unfit = unfit_for(case, department, said, at)
    if unfit is not None:
        return unfit
    moment = moment_of(said)
    if moment is not None and _is_later_round(case, department) and moment < track.begun:
        return "stale"
    if STEPS[_kind(said)].ask is Ask.RETURN:
        return _against_returning(case, at, limits)
    return _against_extending(said, track, at, limits)


def unfit_for(case: Case, department: str, said: Feedback, at: datetime) -> str | None:
    """Say what is wrong with it in itself: its order, its moment, its size."""
    if said.dispatch != order_of(case, department):
        return "no_order"
    moment = moment_of(said)
    if moment is None or moment > at + AHEAD:
        return "bad_time"
    return "too_much" if _too_much(case, department, said) else None


def _against_returning(case: Case, at: datetime, limits: Limits) -> str | None:
    if is_arbitrated(case):
        return "arbitrated"
    return "return_late" if limits.return_until is not None and at > limits.return_until else None


def _against_extending(said: Feedback, track: Track, at: datetime, limits: Limits) -> str | None:
    if not isinstance(said, ExtensionRequested):
        return None
    if limits.extend_until is not None and at > limits.extend_until:
        return "extend_late"
    if track.extended:
        return "extend_again"
    return "extend_long" if said.working_days > limits.extend_most else None


def order_of(case: Case, department: str) -> str | None:
    """The message id of the order that the department works on."""
    ids = [row.id for row in case.dispatches if row.department == department and row.type is MessageType.DISPATCHED]
    return ids[-1] if ids else None


def _is_later_round(case: Case, department: str) -> bool:
    return any(event.kind is Kind.REOPENED and department in event.data["departments"] for event in case.events)


def _too_much(case: Case, department: str, said: Feedback) -> bool:
    theirs = [event for event in case.events if event.department == department and "feedback" in event.data]
    kept = sum(len(event.note or "") + sum(map(_length, event.data.values())) for event in theirs)
    new = sum(_length(getattr(said, name)) for name in said.__struct_fields__)
    return len(theirs) >= MOST or kept + new > MOST_TEXT


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else 0


def data_of(said: Feedback) -> dict[str, Any]:
    """Give what the ledger keeps of a feedback beside its note."""
    data: dict[str, Any] = {
        name: value
        for name in said.__struct_fields__
        if name not in _NOT_DATA and (value := getattr(said, name)) is not None
    }
    return data | {"feedback": said.id, "said_at": moment_of(said), "kind": _kind(said)}


def _record(draft: Case, department: str, said: Feedback, at: datetime) -> None:
    draft.handling = draft.handling or Handling()
    data = data_of(said)
    record(draft, STEPS[_kind(said)].event, at, actor=department, department=department, note=said.note, data=data)


def _taken(before: Case, after: Case, department: str, ask: Ask | None) -> Verdict:
    state = _track(after, department).state
    name = NAMES[state][1]
    if ask is not None:
        return Verdict(outcome="pending", code="pending", sentence=f"已收到申请，待热线中心决定；现为“{name}”")
    known = standing(before).tracks.get(department)
    if known is not None and known.state is not state:
        return Verdict(outcome="accepted", code="ok", sentence=f"已记录；现为“{name}”")
    return Verdict(outcome="accepted", code="recorded", sentence=f"已记录，状态不变；现为“{name}”")


def answer(  # noqa: PLR0917 - a case, what became of it, and who is told
    before: Case, after: Case, department: str, said: Feedback, at: datetime, verdict: Verdict
) -> Case:
    """Answer on the department's own queue, behind whatever is on its way there, also after the end."""
    role = [row.role for row in before.dispatches if row.department == department][-1]
    track = after.handling.tracks.get(department) if after.handling else None
    outcome = Outcome(
        feedback=said.id,
        case=before.id,
        outcome=verdict.outcome,
        code=verdict.code,
        sentence=verdict.sentence,
        state=(track.state if track else Work.DISPATCHED).value,
    )
    append(after, department, MessageType.OUTCOME, role, at, told=msgspec.to_builtins(outcome))
    count(after)
    return after
