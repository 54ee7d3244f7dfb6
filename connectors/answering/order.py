"""Answers to a 12345 platform (12345 平台回写): the order's state and reply, under an id that it knows again."""

from __future__ import annotations

from connectors.answering.table import AnswerTable


def order_table(url: str, key_env: str, key_header: str) -> AnswerTable:
    """Declare the exchange that these platforms have in common; where one differs, write [source.write_back]."""
    return AnswerTable(
        url=url,
        key_env=key_env,
        headers={key_header: "{key}"},
        json={
            "answerId": "{id}",
            "orderId": "{native_id}",
            "orderState": "{status}",
            "replyContent": "{reply}",
            "answerTime": "{at}",
        },
        statuses={"accepted": "已签收", "in_progress": "办理中", "closed": "已办结"},
        receipt="data.receiptId",
        ok_path="success",
    )
