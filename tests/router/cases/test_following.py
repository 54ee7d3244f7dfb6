"""A carried case follows its order: the newest reviewed reply, also where it reads as an older one did."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from router.cases.carrying import carry, put_under
from router.cases.centre import reopen, review
from router.cases.following import follow
from router.cases.moves import Because
from tests.router.cases.test_hearing import delivered, heard, said
from tests.router.city import AT

HOUR = timedelta(hours=1)


def test_a_reply_that_reads_as_an_older_one_is_followed_once() -> None:
    order, member = delivered("ZJJ"), replace(delivered("ZJJ"), id="m")
    order = carry(order, member, Because.SAME_EVENT, AT)
    member = put_under(member, order.id, "王", "同一事件", AT)
    for round_, text in enumerate(("已修好", "已更换灯具", "已修好"), 1):
        at = AT + 2 * round_ * HOUR
        order = heard(order, said(order, "replied", 120 * round_, f"r{round_}"), at=at)
        order = review(order, "李", text, at)
        member = follow(member, order, at)
        assert member.handling is not None
        assert member.handling.reply is not None
        assert member.handling.reply.text == text
        assert follow(member, order, at) is member, "there is nothing new"
        order = reopen(order, "李", "未解决", at + HOUR)
