"""What people see of a rehearsal, a release and a decision made again: tables with Chinese headings."""

from __future__ import annotations

from collections.abc import Sequence

from intake.rules.rehearsal import Rehearsed
from intake.rules.releases import Release
from intake.rules.releasing import Reassigned
from intake.rules.replay import TRIAGE, Moved
from intake.rules.reproduce import Again
from intake.rules.unit_tests import Tested
from intake.screen import console, table

_TYPES = {
    "dispatched": "派单",
    "recalled": "收回",
    "updated": "更新",
    "withdrawn": "撤回",
    "linked": "并单",
}
_BECAUSE = {"release": "发布时改派", "pending": "在途未派"}
_ORDERS = {
    "moves": "没人动过，可随发布改派",
    "person": "人工处置过，不动",
    "heard": "单位已收到或办理，不动",
    "carries": "主单，不动",
}
_VERDICTS = {"same": "相同", "differs": "不同", "by_person": "人工决定", "not_kept": "版本没有留存"}
_SHOWN = 20


def show(done: Rehearsed, *, reassign: bool) -> None:
    """Show a rehearsal."""
    out = console()
    versions = "；".join(f"{name} {was} → {done.versions_after[name]}" for name, was in done.versions_before.items())
    out.print(f"预演 {done.appeals} 件：改派 {done.moved}，协办有变 {done.assist_changed}（{versions}）")
    out.print(f"转入待研判 {done.to_triage}，转出待研判 {done.from_triage}；其中单位已办的 {done.signed_moved}")
    rows = [[_place(each.before), _place(each.after), each.count, _cases(each.cases)] for each in done.groups]
    out.print(table("谁的件到谁那里", ["现在", "新规则", "件数", "工单（前几件）"], rows))
    load = [[_place(each.department), each.before, each.after, each.after - each.before] for each in done.load]
    out.print(table("各单位件数", ["单位", "现在", "新规则", "增减"], [row for row in load if row[3]][:_SHOWN]))
    if done.orders:
        out.print(table("要改派的在办件", ["情形", "件数"], [[_ORDERS[name], n] for name, n in done.orders.items()]))
    _show_messages(done, reassign=reassign)
    out.print(f"现在的规则不通过的测试 {done.broken_before} 条 · tests that the rules in force break")
    show_tests(done.tests)
    if done.gaps:
        out.print(f"规则提到而名录没有单位的（转待研判）：{' '.join(done.gaps)} · without a unit")
    for objection in done.objections:
        out.print(f"✗ {objection}")
    if not done.objections:
        out.print("没有异议，可以发布 · nothing speaks against it")


def show_released(released: Release | None, reassigned: Reassigned | None, *, in_force_already: bool) -> None:
    """Show what was done."""
    out = console()
    if in_force_already:
        out.print("这一版已经在用 · in force already")
    if released is not None:
        versions = "，".join(f"{kind} {version}" for kind, version in released.versions.items())
        out.print(f"已发布：第 {released.n} 次，{versions}；各机几秒内换用 · released, workers take it within seconds")
    if reassigned is not None:
        sent = "，".join(f"{_TYPES.get(kind, kind)} {count}" for kind, count in reassigned.messages.items()) or "无"
        out.print(f"改派在办件 {reassigned.cases} 件，发出消息：{sent} · open orders decided again")


def show_history(found: Sequence[Release]) -> None:
    """Show the releases."""
    rows = [
        [
            each.n,
            each.at,
            each.by,
            "退回" if each.back else "强制" if each.forced else "发布",
            _changed(each),
            each.reason,
            "；".join(each.forced),
        ]
        for each in found
    ]
    console().print(table("历次发布", ["次", "时间", "经办人", "方式", "版本", "理由", "当时的异议"], rows))


def show_again(found: Sequence[Again]) -> None:
    """Show decisions made again."""
    rows = [
        [each.number, each.revision, each.lead, each.rule, each.versions.rules, _VERDICTS[each.verdict], each.why]
        for each in found
    ]
    console().print(table("用当日的版本重做", ["第几个", "第几稿", "主办", "规则", "规则版本", "结果", "说明"], rows))


def _show_messages(done: Rehearsed, *, reassign: bool) -> None:
    out = console()
    counted = [
        [_BECAUSE[because], _TYPES.get(kind, kind), n]
        for (because, _, kind), n in ((name.partition(" "), n) for name, n in done.messages.items())
    ]
    if counted:
        out.print(table("会发出的消息", ["缘由", "消息", "条数"], counted))
        listed = [
            [each.case, each.department, each.sequence, _TYPES.get(each.type, each.type), _BECAUSE[each.because]]
            for each in done.expected[:_SHOWN]
        ]
        out.print(table("前几条", ["工单", "单位", "序号", "消息", "缘由"], listed))
    elif not reassign:
        out.print("发布只管新件和新稿；在办件不动，除非写 --reassign-open · open orders stay unless it is said")


def show_tests(tests: Tested) -> None:
    """Show what the tests beside the rules came to."""
    out = console()
    out.print(f"规则测试 {tests.tests} 条，通过 {tests.tests - len(tests.broken)} · tests beside the rules")
    if tests.broken:
        rows = [[each.where, each.why, each.expected, each.came, each.rule] for each in tests.broken]
        out.print(table("不通过的测试", ["位置", "为什么有它", "应当", "结果", "规则"], rows))


def _changed(one: Release) -> str:
    return "\n".join(f"{kind} {was} → {one.versions[kind]}" for kind, was in one.before.items())


def _place(code: str) -> str:
    return "待研判" if code == TRIAGE else code


def _cases(cases: Sequence[Moved]) -> str:
    return " ".join(each.case_no or each.case for each in cases[:3])
