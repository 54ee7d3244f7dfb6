"""What `intake check` asks a source beside its first page, and how it says what is wrong: a sentence, and what to do.

A handful of questions at most, within the source's own budget, and each harmless: a wrong key once (never a wrong
password, which may lock an account), a time at which nothing can have been posted, a page far behind the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import aiohttp
import msgspec

from connectors.base import Connector, Dated, Fetch, Page, Request, Response
from connectors.errors import AccessDenied, ConnectorError, FormatChanged, RateLimited, Resting, SourceDown
from connectors.registry import REGISTRY
from connectors.source import Source
from connectors.watching.shape import encoding_of
from connectors.watching.values import is_damaged

WRONG = "intake-check-a-wrong-key"
NEVER = datetime(2100, 1, 1, tzinfo=UTC)
FAR = 99_999  #: a page that no source has
PAGE_NAMES = {"page", "p", "pageno", "pagenum", "page_no", "pageindex", "currentpage", "current"}
OFFSET_NAMES = {"offset", "start", "skip", "from"}
LIMIT_NAMES = {"limit", "size", "pagesize", "page_size", "per_page", "perpage", "rows", "num", "count"}
LONG_ID = 4  #: signs of an id by which it can be found in an answer
OUR_OFFSET = timedelta(hours=8)


class Finding(msgspec.Struct, frozen=True):
    """One thing that was found."""

    says: str  #: Chinese first
    wrong: bool = True  #: False: worth a look, and may be right


@dataclass
class Probe:
    """One source, and everything that was asked of it."""

    source: Source
    fetch: Fetch
    environment: Mapping[str, str]
    heard: list[tuple[Request, Response]] = field(default_factory=list)

    async def ask(self, request: Request) -> Response:
        """The way to the network, overheard."""
        response = await self.fetch(request)
        self.heard.append((request, response))
        return response

    def connect(self, environment: Mapping[str, str] | None = None) -> Connector:
        connect: Callable[[Any, Fetch, Mapping[str, str]], Connector] | None = REGISTRY[self.source.kind].open
        assert connect is not None, "only sources that are read are checked"
        return connect(self.source, self.ask, self.environment if environment is None else environment)


async def first_page(connector: Connector, cursor: str | None = None) -> Page | None:
    """Read one page that holds something; None: there is none."""
    async for page in connector.pages(cursor):
        if page.offered:
            return page
    return None


def why(error: ConnectorError) -> str:
    """What is wrong and what to change, in Chinese, with the connector's own words."""
    return f"{_chinese(error)} · {error}"


def _chinese(error: ConnectorError) -> str:
    told = str(error)
    for words, sentence in _TOLD:
        if words in told:
            return sentence
    for cause in (error.__cause__, getattr(error.__cause__, "os_error", None)):
        for kind, sentence in _CAUSED:
            if isinstance(cause, kind):
                return sentence
    return next(sentence for kind, sentence in _RAISED if isinstance(error, kind))


_TOLD = (
    ("robots.txt", "对方 robots.txt 不许读这个地址：请对方同意，再把谁同意的写进 robots_exempt"),
    ("log-in page", "返回的是登录页：密钥或会话失效，换新的"),
    ("private address", "地址指向内网：确实是本单位内网，就把主机名写进 hosts"),
    ("none of its hosts", "被引到别的主机：确实要读，就把它写进 hosts"),
    ("not JSON", "返回的不是 JSON：在浏览器里打开看看，改 url"),
    ("HTML page", "返回的是网页，不是数据：检查 url"),
    ("larger than", "返回的内容太大：把每页条数改小"),
    ("nothing at all", "返回的是空的：检查 url 和参数"),
)  # fmt: skip
_CAUSED: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "域名查不到：检查 url 里的主机名，或本机的 DNS"),
    (aiohttp.ClientSSLError, "TLS 证书不可信或已过期：请对方更新证书"),
    (aiohttp.ClientConnectorError, "连不上：检查 url 的主机和端口，以及防火墙"),
    (TimeoutError, "一直没有应答：检查网络，或请对方看看"),
)
_RAISED: tuple[tuple[type[ConnectorError], str], ...] = (
    (AccessDenied, "密钥或权限被拒绝：换一个有效的密钥，或请对方开通"),
    (RateLimited, "对方要求等待：过一会儿再查，或把 requests_per_minute 改小"),
    (Resting, "正在让对方休息：过一会儿再查"),
    (SourceDown, "对方没有正常应答：过一会儿再查"),
    (ConnectorError, "返回的内容与设置不符：看看 url 和映射"),
)


async def questions(probe: Probe, page: Page) -> list[Finding]:
    """Ask what a first page does not tell; `page` is that first page."""
    if not probe.heard or not probe.heard[0][0].url.startswith("http"):
        return []
    first = probe.heard[0]
    asked = (
        _wrong_key(probe, page),
        _impossible(probe, page),
        _past_the_end(probe, first, page),
        _limit(probe, first, page),
    )
    found = [await _answered(question) for question in asked]
    return [finding for finding in found if finding is not None]


async def _answered(question: Any) -> Finding | None:  # noqa: ANN401  a coroutine
    """A source may well refuse such a question; that is the right answer to it."""
    try:
        return cast("Finding | None", await question)
    except ConnectorError:
        return None


async def _wrong_key(probe: Probe, page: Page) -> Finding | None:
    names = [value for name, value in _named(msgspec.to_builtins(probe.source)) if name.endswith("key_env")]
    if not names:
        return None
    other = await first_page(probe.connect({**probe.environment, **dict.fromkeys(names, WRONG)}))
    if other is None or not _alike(other, page):
        return None
    return Finding(
        "换一个错的密钥，读到的完全一样：对方没有核对密钥，或者把我们当成了匿名；请对方确认密钥有效 · "
        "a wrong key reads exactly the same: the source does not look at it, or takes us for nobody; ask its operator"
    )


async def _impossible(probe: Probe, page: Page) -> Finding | None:
    """Ask for what was posted in a hundred years; only where the time is part of the question."""
    connector, before = probe.connect(), len(probe.heard)
    if not hasattr(connector, "position_at"):
        return None
    try:
        other = await first_page(connector, cast("Dated", connector).position_at(NEVER))
        ignored = other is not None and _alike(other, page)
    except FormatChanged:
        ignored = True  # the connector found it out by itself
    asked = [request for request, _ in probe.heard[before:]]
    if not ignored or not asked or asked[0] == probe.heard[0][0]:
        return None
    return Finding(
        "问 2100 年以后的内容，返回的还是同一页：时间条件被忽略了；检查时间参数的名字和写法 · "
        "asked for what was posted after 2100 it answers the same page: the filter is ignored; check its name and form"
    )


async def _past_the_end(probe: Probe, first: tuple[Request, Response], page: Page) -> Finding | None:
    request, response = first
    changed = _changed(request, PAGE_NAMES | OFFSET_NAMES, lambda _: FAR)
    if changed is None:
        return None
    answer = await probe.ask(changed)
    if not _holds(answer.body, response.body, page):
        return None
    return Finding(
        "超出末页仍返回第一页：读到底靠条数或编号判断，不要靠空页 · "
        "a page far behind the end answers page 1: end the paging by a total or by known ids, not by an empty page",
        wrong=False,
    )


async def _limit(probe: Probe, first: tuple[Request, Response], page: Page) -> Finding | None:
    request, response = first
    wanted = next((number for name, number in _numbers(request) if name.lower() in LIMIT_NAMES), None)
    count = len(page.offered)
    if wanted is None or count >= wanted:
        return None
    changed = _changed(request, PAGE_NAMES, lambda number: number + 1)
    changed = changed or _changed(request, OFFSET_NAMES, lambda number: number + count)
    if changed is None:
        return None
    answer = await probe.ask(changed)
    if len(answer.body) < len(response.body) // 2 or _holds(answer.body, response.body, page):
        return None
    return Finding(
        f"每页要 {wanted} 条，对方只给 {count} 条，后面还有：把每页条数改成 {count}，否则会以为读完了 · "
        f"asked for {wanted} rows a page it gives {count}, and more follow: set the page size to {count}"
    )


def of_answers(page: Page | None) -> list[Finding]:
    """What the first answers themselves show: no rows, or unreadable ones."""
    if page is None:
        return [
            Finding(
                "读得通，但一条也没有：若对方其实有内容，检查条件、起止时间和行的位置 · "
                "it answers, and offers no rows: if there are any, check filters, dates and where the rows stand",
                wrong=False,
            )
        ]
    if page.bad and not page.items:
        return [
            Finding(
                f"{len(page.bad)} 行全都读不懂（{page.bad[0].reason}）：改字段映射 · "
                "not one row can be read: mend the mapping"
            )
        ]
    return []


def of_texts(probe: Probe, texts: Iterable[str]) -> list[Finding]:
    """Damaged text, beside the encoding that the source says it has."""
    if not any(is_damaged(text) for text in texts) or not probe.heard:
        return []
    response = probe.heard[0][1]
    told, is_ = response.headers.get("content-type", "-"), encoding_of(response.body) or "ascii"
    return [
        Finding(
            f"文字是乱码：对方声明 {told}，实际是 {is_}；请对方改声明，或在设置里写明编码 · "
            f"the texts are damaged: declared {told}, in fact {is_}; have it declared rightly, or set the encoding"
        )
    ]


def of_times(source: Source, moments: Iterable[datetime], now: datetime) -> list[Finding]:
    """Times that cannot be, and those that are off by exactly our distance from UTC."""
    newest = max(moments, default=None)
    if newest is None:
        return []
    ahead = newest - now
    if ahead > timedelta(minutes=5):
        hours = ahead / timedelta(hours=1)
        return [
            Finding(
                f"最新一条的时间在未来 {hours:.1f} 小时：zone（现为 {source.zone}）不对，或对方的时间没有带时区 · "
                f"the newest item is {hours:.1f} h in the future: `zone` ({source.zone}) is wrong, or a zone is missing"
            )
        ]
    if abs(ahead + OUR_OFFSET) < timedelta(minutes=30):
        return [
            Finding(
                f"最新一条正好早了约 8 小时：若刚有人发过，zone（现为 {source.zone}）就差了 8 小时 · "
                f"the newest item is just 8 h old: if somebody wrote since, `zone` ({source.zone}) is off by 8 h",
                wrong=False,
            )
        ]
    return []


def _alike(one: Page, two: Page) -> bool:
    return bool(two.offered) and set(one.offered) == set(two.offered)


def _holds(answer: bytes, before: bytes, page: Page) -> bool:
    """Whether an answer shows the rows of that page again."""
    if answer == before:
        return True
    ids = [native_id.encode() for native_id in page.offered if len(native_id) >= LONG_ID]
    return bool(ids) and all(id_ in answer for id_ in ids)


def _numbers(request: Request) -> list[tuple[str, int]]:
    """The numbers of a question, in its query or its body of JSON."""
    asked: dict[str, Any] = {**request.query, **_body(request)}
    return [(name, int(value)) for name, value in asked.items() if str(value).isdecimal() and value is not True]


def _changed(request: Request, names: set[str], change: Callable[[int], int]) -> Request | None:
    """The same question with one number changed; None: it has no such number."""
    for name, number in _numbers(request):
        if name.lower() not in names:
            continue
        if name in request.query:
            return msgspec.structs.replace(request, query={**request.query, name: str(change(number))})
        return msgspec.structs.replace(request, body=msgspec.json.encode({**_body(request), name: change(number)}))
    return None


def _body(request: Request) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(request.body or b"{}")
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _named(value: object, name: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _named(each, str(key))
