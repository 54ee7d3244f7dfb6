"""`intake person show|erase`: a citizen's own rights. What is asked for is not logged and not stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from intake.cli import App, command, fail, print_json, run
from intake.house import open_house
from intake.rights.accesses import Seen
from intake.rights.copies import Copies, Copy
from intake.rights.custody import Custody, open_custody
from intake.rights.persons import (
    Held,
    Proof,
    Wanted,
    by_author,
    by_id_number,
    by_phone,
    erase,
    in_copies,
    in_flight,
    show,
)
from intake.screen import STATES, console, table

WHERE = {"kept": "哨兵保存的页", "strays": "无主消息"}
RELATIONS = {"own": "本人", "mentioned": "他人诉求中提到", "unread": "未读懂的原文中有"}


@click.group("person", help="公民本人的权利：查询、删除 · a citizen's own rights")
def person_command() -> None:
    """Group."""


def _named(function: Callable[..., None]) -> Callable[..., None]:
    """Whom to look for. An option without its value asks for it, so that it stays out of the shell's history."""
    ask: dict[str, Any] = {"prompt_required": False, "hide_input": True, "default": None}
    for option in (
        click.option("--reason", required=True, help="事由 · why"),
        click.option("--by", "--actor", "actor", required=True, help="经办人 · who asks"),
        click.option("--author", nargs=2, metavar="SOURCE ID", help="来源与该来源的账号 · a source and its user"),
        click.option("--id-number", prompt="身份证号 · resident id", help="身份证号 · resident id", **ask),
        click.option("--phone", prompt="电话 · telephone", help="电话；不写值就会问 · asked for if left empty", **ask),
    ):
        function = option(function)
    return function


@person_command.command("show", help="查本人的全部诉求、留存在哪里；留痕 · all that is held; recorded")
@_named
@command
def show_command(
    app: App, *, phone: str | None, id_number: str | None, author: tuple[str, str] | None, actor: str, reason: str
) -> None:
    """Nothing sealed is shown: what is held, and where."""
    choose = _chosen(phone, id_number, author)
    found, beside, pages = run(_show(app, choose, actor, reason))
    if app.as_json:
        print_json({"held": found, "copies": beside.found, "unsearched": beside.unsearched, "pages_in_flight": pages})
        return
    _print(found, f"留存 {len(found)} 件")
    _print_copies(beside.found, "不属于任何一件的留存")
    _unsearched(beside.unsearched)
    _in_flight(pages)


@person_command.command("erase", help="删除本人的个人信息，出具凭据 · erase a person, with proof")
@_named
@command
def erase_command(
    app: App, *, phone: str | None, id_number: str | None, author: tuple[str, str] | None, actor: str, reason: str
) -> None:
    """A second time nothing is left."""
    proof = run(_erase(app, _chosen(phone, id_number, author), actor, reason))
    if app.as_json:
        print_json(proof)
    else:
        _prove(proof)
    if proof.left:
        fail(f"还有 {len(proof.left)} 件没有删净，请再运行一次 · {len(proof.left)} are left: run it again")


def _chosen(
    phone: str | None, id_number: str | None, author: tuple[str, str] | None
) -> Callable[[bytes], Wanted | None]:
    if sum(value is not None for value in (phone, id_number, author)) != 1:
        raise click.UsageError("--phone、--id-number、--author 三者取一 · name exactly one of the three")
    if phone is not None:
        return lambda key: by_phone(phone, key)
    if id_number is not None:
        return lambda key: by_id_number(id_number, key)
    assert author is not None
    return lambda key: by_author(*author, key)


def _keyed(choose: Callable[[bytes], Wanted | None], custody: Custody) -> Wanted:
    wanted = choose(custody.ref_key)
    if wanted is None:
        raise click.UsageError("不是电话或身份证号 · that is no such number")
    return wanted


async def _show(
    app: App, choose: Callable[[bytes], Wanted | None], actor: str, reason: str
) -> tuple[list[Held], Copies, int]:
    async with open_house(app.settings(), broker=False) as house, open_custody(house) as custody:
        wanted = _keyed(choose, custody)
        found = await show(wanted, custody, actor=actor, reason=reason)
        beside = await in_copies(wanted, custody, Seen.PERSON, actor=actor, reason=reason)
        return found, beside, await in_flight(custody)


async def _erase(app: App, choose: Callable[[bytes], Wanted | None], actor: str, reason: str) -> Proof:
    async with open_house(app.settings(), broker=False) as house, open_custody(house) as custody:
        return await erase(_keyed(choose, custody), custody, actor=actor, reason=reason)


def _print(found: list[Held], title: str) -> None:
    rows = [
        [
            one.id,
            RELATIONS[one.relation],
            one.source,
            one.native_id,
            one.case_no,
            STATES.get(one.state or "", one.state),
            one.at,
            "、".join(one.what),
            " ".join(one.departments),
        ]
        for one in found
    ]
    headings = ["编号", "关系", "来源", "原编号", "工单号", "状态", "收到", "留存什么", "发给过"]
    console().print(table(title, headings, rows))


def _print_copies(found: list[Copy], title: str) -> None:
    if found:
        rows = [[WHERE[copy.where], copy.source, copy.id, copy.at] for copy in found]
        console().print(table(title, ["什么", "来源", "编号", "时间"], rows))


def _unsearched(count: int) -> None:
    if count:
        click.echo(
            f"还有 {count} 份保存的页和无主消息没能查看：只凭账号查不了，或打不开；它们到期即销毁"
            f" · {count} kept pages and stray messages could not be searched",
            err=True,
        )


def _in_flight(pages: int) -> None:
    if pages:
        click.echo(f"还有 {pages} 页在途，走完后请再查一次 · {pages} pages are on their way: ask again", err=True)


def _prove(proof: Proof) -> None:
    _unsearched(proof.unsearched)
    if not proof.erased and not proof.mentioned and not proof.copies:
        click.echo("没有留存任何个人信息 · nothing is held of this person")
        return
    rows = [
        ["本人诉求", len(proof.erased)],
        ["他人诉求中提到", len(proof.mentioned)],
        ["销毁的密钥", proof.keys_destroyed],
        ["清空的原文", proof.raw_emptied],
        ["删除的隐私库记录", proof.vault_removed],
        ["断开引用的诉求", proof.unlinked],
        ["销毁的保存页和无主消息", len(proof.copies)],
        ["复查尚存", len(proof.left)],
    ]
    console().print(table(f"删除凭据 {proof.at:%Y-%m-%d %H:%M:%S} UTC 经办 {proof.actor}", ["项", "数"], rows))
    if proof.departments:
        sent = [[told.department, told.case_no, " ".join(told.messages)] for told in proof.departments]
        title = "已发出的脱敏消息，请通知各单位自行删除 · messages that departments have"
        console().print(table(title, ["单位", "工单号", "消息编号"], sent))
    _print_copies(proof.copies, "已整份销毁；保存页里其他人的行，请重新读取来源（intake backfill）")
    _in_flight(proof.pages_in_flight)
