"""What each channel's fields mean, on examples as those channels send them."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Appeal, Given, Location, OfficialReply, RequestType
from normalizer.errors import Unmappable
from normalizer.mappers import MAPPERS

ORDER = {
    "orderId": "202611000000000001",
    "orderNum": "YZ2026112200001",
    "callTime": "2026-11-20 08:30:00",
    "callerName": "李强",
    "callerSex": "男",
    "callerPhone": "13800138000",
    "mail": None,
    "sourceType": "微信公众号",
    "callerType": "投诉",
    "questionCode": "YZ0403",
    "questionName": "噪声扰民",
    "isSecret": "0",
    "address": "望湖区柳荫街道荷风社区",
    "addressPoints": "120.12345,28.54321",
    "organizationName": "望湖区公安分局",
    "organizationCode": None,
    "title": "广场舞太吵",
    "majorContent": "每天晚上七点到十点音响很大，影响休息。",
    "reflectName": "",
    "pilotLight": "紧急",
    "orderState": "待派单",
}


def test_a_work_order(read: Callable[..., Appeal]) -> None:
    appeal = read(ORDER, kind="hotline_12345", channel="hotline")

    assert appeal.posted_at == "2026-11-20T00:30:00.000Z"
    assert appeal.channel_detail == "wechat"
    assert appeal.request_type is RequestType.COMPLAIN
    assert appeal.category.code == "0403"
    assert appeal.category.given == Given(scheme="test", code="YZ0403", name="噪声扰民")
    assert (appeal.place.district, appeal.place.community) == ("望湖区", "荷风社区")
    assert appeal.place.location == Location(lng=120.12345, lat=28.54321)
    assert appeal.signals.handler == "望湖区公安分局"
    assert appeal.citizen.display == "李先生"
    assert appeal.citizen.has_contact
    assert appeal.deadline_class == "P1"


def test_a_secret_order_names_nobody(read: Callable[..., Appeal]) -> None:
    citizen = read({**ORDER, "isSecret": "1"}, kind="hotline_12345", channel="hotline").citizen

    assert (citizen.confidential, citizen.display) == (True, None)


@pytest.mark.parametrize(
    "broken", [{"callTime": "2026-13-45 27:61:00"}, {"title": "", "majorContent": None}], ids=["time", "no words"]
)
def test_a_broken_order_is_unmappable(broken: dict[str, Any], read: Callable[..., Appeal]) -> None:
    with pytest.raises(Unmappable):
        read({**ORDER, **broken}, kind="hotline_12345", channel="hotline")


POST: dict[str, dict[str, Any]] = {
    "thread": {"tid": "7", "subject": "柳荫路的路灯 &amp; 井盖", "replies": "3", "views": "210", "recommend_add": "5"},
    "post": {
        "pid": "500007",
        "tid": "7",
        "first": "1",
        "author": "湖边人",
        "authorid": "42",
        "dbdateline": "1577925000",
        "message": '<i class="pstatus"> 本帖最后由 湖边人 于 2026-11-1 编辑 </i><br />路灯坏了<br />[attach]9[/attach]',
        "attachments": {"9": {"aid": "9", "filename": "13800138000.jpg", "ext": "jpg"}},
    },
}


def test_a_first_post_of_discuz(read: Callable[..., Appeal]) -> None:
    appeal = read(POST, kind="discuz")

    assert appeal.title == "柳荫路的路灯 & 井盖"
    assert appeal.text == "路灯坏了"
    assert appeal.posted_at == "2020-01-02T00:30:00.000Z"
    assert (appeal.engagement.likes, appeal.engagement.replies, appeal.engagement.views) == (5, 3, 210)
    assert appeal.attachments[0].name == "〔手机1〕.jpg"
    assert appeal.thread.root is None


def test_a_reply_of_discuz_belongs_to_its_thread(read: Callable[..., Appeal]) -> None:
    reply = {"thread": POST["thread"], "post": {**POST["post"], "first": "0", "message": "沙发", "authorid": "0"}}
    appeal = read(reply, kind="discuz")

    assert appeal.title == "沙发"
    assert (appeal.thread.root, appeal.thread.about) == ("t7", "柳荫路的路灯 & 井盖")
    assert appeal.citizen.ref is None
    assert not appeal.quality.is_appeal


def test_a_comment_of_waline(read: Callable[..., Appeal]) -> None:
    row = {
        "objectId": "67",
        "time": 1577925000123,
        "comment": "<p>我们小区停水三天了，请有关部门管管</p>\n",
        "nick": "一棵树",
    }
    row |= {"like": 4, "pid": "66", "rid": "65"}
    appeal = read(row, kind="waline", channel="news_comment", context={"path": "/news/1.html", "about": "新水厂通水"})

    assert appeal.text == "我们小区停水三天了，请有关部门管管"
    assert appeal.posted_at == "2020-01-02T00:30:00.123Z"
    assert (appeal.thread.root, appeal.thread.parent, appeal.thread.about) == ("65", "66", "新水厂通水")
    assert appeal.engagement.likes == 4
    assert appeal.quality.is_appeal


def test_an_entry_of_a_feed(read: Callable[..., Appeal]) -> None:
    row = {
        "id": "tag:1",
        "title": "公交站牌坏了",
        "content": "<p>站牌坏了一个月</p>",
        "link": "https://forum.example/1",
        "author": "一棵树",
        "published": "2020-01-02T08:30:00+08:00",
        "categories": ["公交"],
    }
    appeal = read(row, kind="feed", channel="forum")

    assert (appeal.title, appeal.text, appeal.url) == ("公交站牌坏了", "站牌坏了一个月", "https://forum.example/1")
    assert appeal.category.given == Given(scheme="test", name="公交")
    assert appeal.category.code == "0501"


def test_a_row_of_a_table_with_an_answer(read: Callable[..., Appeal]) -> None:
    row: dict[str, Any] = {
        "text": "路灯坏了",
        "reply": "您好，已派人，电话0731-88888888",
        "reply_by": "城管局",
        "reply_at": "2020/1/3",
    }
    row |= {"likes": "3", "dislikes": "1", "_row": {"列": "值"}}
    appeal = read(row, kind="table", transport="import")

    assert appeal.official_reply == OfficialReply(
        text="您好，已派人，电话〔固话1〕", by="城管局", at="2020-01-02T16:00:00.000Z"
    )
    assert (appeal.engagement.likes, appeal.engagement.dislikes) == (3, 1)
    assert appeal.transport == "import"


def test_a_line_needs_a_text_and_may_name_its_channel(read: Callable[..., Appeal]) -> None:
    assert read({"text": "路灯坏了", "channel": "visit"}).channel == "visit"
    assert read({"text": "路灯坏了", "channel": "nonsense"}).channel == "board"
    with pytest.raises(Unmappable):
        read({"title": "没有正文"})


def test_a_time_that_cannot_be_read_is_noted(read: Callable[..., Appeal]) -> None:
    appeal = read({"text": "路灯坏了", "posted_at": "前天下午"})

    assert appeal.posted_at is None
    assert appeal.quality.notes == ["posted_at_unread"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "text",
        "title",
        "posted_at",
        "author",
        "phone",
        "likes",
        "majorContent",
        "callTime",
        "callerName",
        "message",
        "thread",
        "post",
        "attachments",
        "comment",
        "time",
        "content",
        "published",
        "categories",
        "category",
        "first",
    ]
)


@settings(max_examples=200)
@given(kind=st.sampled_from(sorted(MAPPERS)), row=st.dictionaries(NAMES, JSON, max_size=8))
def test_no_row_breaks_a_mapper(kind: str, row: dict[str, Any], raw: Callable[..., RawAppeal]) -> None:
    item: RawAppeal = raw(row, kind=kind)
    try:
        MAPPERS[kind](item)
    except Unmappable as error:
        assert str(error)  # noqa: PT017 - it may or may not be raised
