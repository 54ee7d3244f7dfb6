"""A 12345 work-order API (12345 工单接口): JSON, a key in the header, a keyset cursor over (updateTime, orderId).

GET /hotline/api/orders?after=<updateTime>|<orderId>&limit=<n>   header x-api-key
 -> {"success": true, "code": 10000, "message": "", "data": {"rows": [...], "next": "<cursor>" | null}}

POST /hotline/api/answers   header x-api-key   {"answerId", "orderId", "orderState", "replyContent", "answerTime"}
 -> {"success": true, "data": {"receiptId": "…"}}   the same answerId again gives the same receipt and changes nothing

`next` is null on the last page (then the source is read to its end); the cursor of a row is `<updateTime>|<orderId>`,
so a reader may also make it himself. An order that was edited, went on or was taken back (orderState 作废, 撤回) comes
again at the end with a new updateTime. Quirks: `limit` above 100 is cut without a word; a wrong key is HTTP 200 with
success false and code 40101; every third answer calls its JSON text/html; None, "" and 0 all mean nothing; four rows
are broken (no orderId, an impossible time, not an object, null).
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec
from aiohttp import web

from demo.city import City
from demo.deal import HOTLINE
from demo.library import Text
from demo.people import Person
from demo.story import PRESENT, Post

KEY = "yunze-demo-key"
LIMIT = 100
STATES = {"help": "求助", "consult": "咨询", "complain": "投诉", "report": "举报", "suggest": "建议", "praise": "表扬"}

LIGHTS = {"P0": "特急", "P1": "紧急", "": "普通"}

Cursor = tuple[str, str]


class Row(msgspec.Struct, frozen=True):
    """One line of the order table and where it stands in the keyset."""

    key: Cursor
    order: object
    native_id: str
    edited: int = 0
    withdrawn: bool = False
    malformed: str | None = None


class Hotline:
    """Serves the orders."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._story = city.stories[HOTLINE]
        self._answers = 0
        self.told: dict[str, dict[str, object]] = {}  #: answerId -> what we were told, and how often

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/hotline/api/orders", self._city.faults.guard(HOTLINE, self.orders)),
            web.post("/hotline/api/answers", self.take_answer),
        ]

    async def take_answer(self, request: web.Request) -> web.Response:
        """An order's state and reply come back from whoever handles it (回写)."""
        if request.headers.get("x-api-key") != KEY:
            return self._answer({"success": False, "code": 40101, "message": "无效的访问密钥", "data": None})
        told = await request.json()
        known = self.told.setdefault(str(told.get("answerId")), {**told, "times": 0})
        known["times"] = int(str(known["times"])) + 1
        receipt = f"HX{list(self.told).index(str(told.get('answerId'))) + 1:06d}"
        return self._answer({"success": True, "code": 10000, "message": "", "data": {"receiptId": receipt}})

    async def orders(self, request: web.Request) -> web.Response:
        if request.headers.get("x-api-key") != KEY:
            return self._answer({"success": False, "code": 40101, "message": "无效的访问密钥", "data": None})
        try:
            after = read_cursor(request.query.get("after", ""))
            limit = min(max(int(request.query.get("limit", "20")), 1), LIMIT)
        except ValueError:
            return self._answer({"success": False, "code": 40002, "message": "参数不正确", "data": None})
        rows = sorted((row for row in self._table() if row.key > after), key=lambda row: row.key)
        page = rows[:limit]
        more = len(rows) > limit
        for row in page:
            self._write_down(row)
        if not more:
            self._story.read_to_end()
        data = {"rows": [row.order for row in page], "next": "|".join(page[-1].key) if more else None}
        return self._answer({"success": True, "code": 10000, "message": "", "data": data})

    def _table(self) -> list[Row]:
        return [*(row_of(post) for post in self._story.posts.values()), *BROKEN]

    def _write_down(self, row: Row) -> None:
        self._city.offered.sent(
            HOTLINE, row.native_id, edited=row.edited, withdrawn=row.withdrawn, malformed=row.malformed
        )

    def _answer(self, body: dict[str, object]) -> web.Response:
        self._answers += 1
        kind = "text/html" if self._answers % 3 == 0 else "application/json"
        return web.Response(body=msgspec.json.encode(body), content_type=kind, charset="utf-8")


def read_cursor(after: str) -> Cursor:
    """Read `<updateTime>|<orderId>`; nothing is the beginning."""
    if after in ("", "0"):
        return ("", "")
    moment, bar, order = after.partition("|")
    if not bar:
        raise ValueError("a cursor is <updateTime>|<orderId>")
    return (moment, order)


def order_id(post: Post) -> str:
    """Derive the order's id: a string of 18 digits that grows with the post's number, not with its time."""
    return f"{202611000000000000 + post.number * 7919:d}"


def row_of(post: Post) -> Row:
    """Lay a post out as the wide order table has it (WIRE_SHAPES 5b), with its habits of saying nothing."""
    number = post.number
    order = {
        "orderId": order_id(post),
        "orderNum": f"YZ{post.at:%Y%m%d}{number:05d}",
        "callTime": text_of(post.at),
        **_caller(post),
        **_matter(post),
        **_handling(post),
        "updateTime": text_of(post.changed_at),
    }
    key = (text_of(post.changed_at), order_id(post))
    return Row(key, order, order_id(post), post.edited, post.withdrawn)


def text_of(moment: datetime) -> str:
    """Write a time as these systems do: local, without a zone."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _caller(post: Post) -> dict[str, object]:
    surname = post.author.name[0]
    number = post.number
    called = "先生" if post.author.sex == "男" else "女士"
    hidden = post.text.type == "report" and number % 2 == 0
    return {
        "callerName": "保密" if hidden else (surname + called if number % 3 else post.author.name),
        "callerSex": post.author.sex if number % 4 else None,
        "callerPhone": "" if hidden else post.author.mobile,
        "callerContact": post.author.mobile if number % 11 == 0 else "",
        "mail": None,
        "companyName": "",
        "callerLabel": "老年人" if number % 17 == 0 else None,
        "sourceType": ("电话", "电话", "电话", "微信公众号", "掌上云泽APP")[number % 5],
        "isSecret": "1" if post.text.type == "report" or number % 29 == 0 else "0",
        "isOldCaller": 1 if number % 13 == 0 else 0,
    }


def _matter(post: Post) -> dict[str, object]:
    number = post.number
    classified = number % 10 not in (3, 7)
    return {
        "callerType": STATES.get(post.text.type, "其他"),
        "questionCode": f"YZ{post.text.category}" if classified and post.text.label else "",
        "questionName": post.text.label if classified else None,
        "address": post.address,
        "addressPoints": f"130.{number:05d},28.{number:05d}" if post.address and number % 4 == 1 else "",
        "organizationName": post.text.unit if number % 2 else "",
        "organizationCode": None,
        "title": post.title,
        "majorContent": post.body,
        "callSubject": None,
        "reflectName": "",
        "reflectPhone": "",
        "pilotLight": LIGHTS[post.text.urgency] if number % 3 else "普通",  # a desk overlooks some
    }


def _handling(post: Post) -> dict[str, object]:
    state = ("作废", "撤回")[post.number % 2] if post.withdrawn else ("待派单" if post.touched is None else "办理中")
    return {
        "handleModelType": "转办",
        "urgeOrderNum": post.likes if post.touched else 0,
        "timeUnit": "工作日",
        "handleDays": 5,
        "deadlineDate": text_of(post.at + timedelta(days=7)),
        "dispatchAdvice": "",
        "isVisit": "1",
        "telOperatorId": f"T{post.number % 40:03d}",
        "orderState": state,
        "backReason": None,
        "backNum": 0,
        "isSupervise": "0",
        "isExpire": 0,
        "subOfficeName": "",
        "extend1": "",
        "extend2": None,
    }


def _broken() -> tuple[Row, ...]:
    """Rows as real exports have them now and then: each must end parked with its reason, and lose no neighbour."""
    base = row_of(_EXAMPLE).order
    assert isinstance(base, dict)
    without = {name: value for name, value in base.items() if name != "orderId"}
    days = [text_of(PRESENT - timedelta(days=day)) for day in (8, 6, 5, 3)]
    bad_time = {**base, "orderId": "202611990000000002", "callTime": "2026-13-45 27:61:00", "updateTime": days[2]}
    return (
        _nameless((days[0], "1"), {**without, "updateTime": days[0]}, "no orderId"),
        _nameless((days[1], "2"), "ERROR: row 1187 could not be exported", "not an object"),
        Row((days[2], "202611990000000002"), bad_time, "202611990000000002", malformed="broken time"),
        _nameless((days[3], "3"), None, "null"),
    )


def _nameless(key: Cursor, order: object, why: str) -> Row:
    digest = hashlib.blake2b(msgspec.json.encode(order), digest_size=9).hexdigest()
    return Row(key, order, f"row-{digest}", malformed=why)


_EXAMPLE = Post(
    number=99_999,
    at=PRESENT - timedelta(days=8),
    author=Person(1, "郭长河", "男", "13800099999", "长河"),
    text=Text(category="0203", label="环境卫生与垃圾", type="complain", body=""),
    title="垃圾房没人清",
    body="铁炉广场背后的垃圾房从上周堆到现在，走过去都要捂鼻子。",
)
BROKEN = _broken()
