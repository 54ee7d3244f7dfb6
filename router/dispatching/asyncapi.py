"""The AsyncAPI 3.0 document of the contract with departments (接口文档), generated from the types."""

from __future__ import annotations

from typing import Any

import msgspec

from router.dispatch import MessageType
from router.dispatching.message import CONTENT_TYPE
from router.dispatching.outcome import OutcomeEvent
from router.dispatching.schema import titled
from router.dispatching.statement import TYPE, StatementEvent
from router.dispatching.told import CaseEvent
from router.feedback import Feedback

VERSION = "1.0.0"
_SCHEMAS = "#/components/schemas/"
_SAYS = {
    MessageType.DISPATCHED: "派单：归你办 · yours now",
    MessageType.UPDATED: "内容有更新 · new text or facts",
    MessageType.URGED: "催办 · the citizen or the centre presses",
    MessageType.SUPERVISED: "督办 · under supervision",
    MessageType.WITHDRAWN: "诉求人撤回 · taken back by its author",
    MessageType.RECALLED: "中心收回，停止计时 · recalled by the centre; stop the clock",
    MessageType.DECIDED: "退单、延期或挂起的审核结果 · your request was granted or refused",
    MessageType.DEADLINE: "黄牌、红牌或重算的时限 · a card, or a recomputed deadline",
    MessageType.LINKED: "并单 · the same person again, or a member of a confirmed event",
    MessageType.REOPENED: "重办 · opened again",
    MessageType.CLOSED: "办结 · the end",
    MessageType.OUTCOME: "反馈的处理结果 · what became of a feedback",
}


def document() -> dict[str, Any]:
    """Make the whole document: two queues to read, one exchange to write."""
    (event, outcome, feedback, statement), schemas = msgspec.json.schema_components(
        (CaseEvent, OutcomeEvent, Feedback, StatementEvent), ref_template=_SCHEMAS + "{name}"
    )
    messages = {kind.value: _message(kind, outcome if kind is MessageType.OUTCOME else event) for kind in MessageType}
    messages["feedback"] = {
        "name": "feedback",
        "title": "部门反馈 · feedback of a department",
        "contentType": "application/json",
        "payload": {**feedback, "discriminator": "kind"},  # AsyncAPI names the field alone
    }
    messages["statement"] = {
        "name": TYPE,
        "title": "每日对账单：在办工单、最后序号、时限 · once a day: what is open, last sequences, deadlines",
        "contentType": CONTENT_TYPE,
        "payload": statement,
    }
    cases = [kind.value for kind in MessageType]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "诉求派单接口 · Appeals to departments",
            "version": VERSION,
            "description": (
                "每个单位读自己的队列，向 feedback 写反馈。重复发送编号不变，序号从 1 起不缺号；未知字段请忽略。"
                " Each department reads its own queue and writes feedback. Unknown fields are to be ignored."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "orders": _queue("dept.{code}", "本单位的队列 · the department's own queue", [*cases, "statement"]),
            "urgent": _queue("dept.{code}.urgent", "特急件，与本单位队列中同号 · critical ones, the same ids", cases),
            "feedback": {
                "address": "{code}",
                "title": "反馈 · feedback",
                "description": "routing key 是单位代码 · the code; user_id 是登录账号 · the login, checked",
                "parameters": _CODE,
                "messages": {"feedback": {"$ref": "#/components/messages/feedback"}},
                "bindings": {
                    "amqp": {"is": "routingKey", "exchange": {"name": "feedback", "type": "topic", "durable": True}}
                },
            },
        },
        "operations": {
            "readOrders": _operation("receive", "orders"),
            "readUrgent": _operation("receive", "urgent"),
            "sendFeedback": _operation("send", "feedback"),
        },
        "components": {"messages": messages, "schemas": {name: titled(name, shape) for name, shape in schemas.items()}},
    }


_CODE = {"code": {"description": "单位代码 · the department's code, [A-Z0-9_]{2,32}"}}


def _queue(address: str, title: str, messages: list[str]) -> dict[str, Any]:
    return {
        "address": address,
        "title": title,
        "parameters": _CODE,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"amqp": {"is": "queue", "queue": {"durable": True, "exclusive": False, "autoDelete": False}}},
    }


def _operation(action: str, channel: str) -> dict[str, Any]:
    made: dict[str, Any] = {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}
    made["bindings"] = {"amqp": {"ack": True} if action == "receive" else {"deliveryMode": 2, "mandatory": True}}
    return made


def _message(kind: MessageType, payload: dict[str, Any]) -> dict[str, Any]:
    name = "feedback.outcome.v1" if kind is MessageType.OUTCOME else f"appeal.{kind.value}.v1"
    return {
        "name": name,
        "title": _SAYS[kind],
        "contentType": CONTENT_TYPE,
        "payload": payload,
    }
