"""What can have changed about a source (变化的原因), and the sentences that say so."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Cause(StrEnum):
    """What changed. One table says what it is called and what an operator does next."""

    GONE = "field_gone"
    RENAMED = "field_renamed"
    MOVED = "field_moved"
    EMPTIED = "field_emptied"
    SWAPPED = "fields_swapped"
    TYPE = "type_changed"
    TIME_FORMAT = "time_format"
    TIME_UNIT = "time_unit"
    TIME_SHIFT = "time_shift"
    HTML = "html_in_field"
    CUT = "cut_short"
    GROWN = "grown_long"
    DAMAGED = "text_damaged"
    ENCODING = "encoding"
    LOG_IN = "log_in_page"
    NOT_DATA = "not_data"
    BROKEN = "answer_broken"
    ERROR_BODY = "error_body"
    NO_ROWS = "no_rows"
    TWICE = "rows_twice"
    SAME_PAGE = "page_repeats"
    ORDER = "order_reversed"
    ID_REUSED = "id_reused"
    UNREADABLE = "rows_unreadable"
    REFUSED = "refused"
    TURNED_AWAY = "pushes_refused"
    FORMAT = "format_changed"
    SILENT = "silent"


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changed about a source."""

    cause: Cause
    field: str | None = None  #: the path of the field, as the source writes it
    other: str | None = None  #: what it is now: the new name, the new form, the other field
    was: str | None = None
    route: str | None = None  #: which kind of request

    @property
    def says(self) -> str:
        """One sentence in Chinese and one in English."""
        chinese, english = _SENTENCES[self.cause]
        named = {"field": self.field or "-", "other": self.other or "-", "was": self.was or "-"}
        return f"{chinese.format(**named)} · {english.format(**named)}"


_SENTENCES: dict[Cause, tuple[str, str]] = {
    Cause.GONE: ("字段 {field} 不见了，映射要改", "the field {field} is gone; mend the mapping"),
    Cause.RENAMED: (
        "字段 {field} 改名为 {other}，映射要改",
        "the field {field} is called {other} now; mend the mapping",
    ),
    Cause.MOVED: ("字段 {field} 挪到了 {other}，映射要改", "the field {field} moved to {other}; mend the mapping"),
    Cause.EMPTIED: ("字段 {field} 全是空的", "the field {field} holds nothing any more"),
    Cause.SWAPPED: ("字段 {field} 与 {other} 的内容对调了", "the fields {field} and {other} have changed places"),
    Cause.TYPE: ("字段 {field} 由 {was} 变成 {other}", "the field {field} was {was} and is {other}"),
    Cause.TIME_FORMAT: (
        "时间字段 {field} 的写法由 {was} 变成 {other}",
        "the times of {field} were written {was} and are written {other}",
    ),
    Cause.TIME_UNIT: (
        "时间字段 {field} 的单位由 {was} 变成 {other}",
        "the times of {field} were {was} and are {other}",
    ),
    Cause.TIME_SHIFT: (
        "时间字段 {field} 整体偏了 {other}，看看时区",
        "the times of {field} are shifted by {other}; look at `zone`",
    ),
    Cause.HTML: ("字段 {field} 里出现了 HTML 标签", "the field {field} holds HTML now"),
    Cause.CUT: (
        "字段 {field} 被截短到 {other} 字以内",
        "the field {field} is cut to {other} characters",
    ),
    Cause.GROWN: ("字段 {field} 比以往长得多", "the field {field} is far longer than ever"),
    Cause.DAMAGED: ("字段 {field} 出现乱码", "the field {field} holds damaged text"),
    Cause.ENCODING: ("编码由 {was} 变成 {other}", "the encoding was {was} and is {other}"),
    Cause.LOG_IN: ("返回的是登录页，密钥或会话失效了", "it answers with a log-in page; renew the key or the session"),
    Cause.NOT_DATA: (
        "返回的不再是数据：由 {was} 变成 {other}",
        "it no longer answers with data: was {was}, is {other}",
    ),
    Cause.BROKEN: ("返回的内容不完整或不合语法", "its answers are cut off or not well-formed"),
    Cause.ERROR_BODY: ("状态 200，内容却是报错", "it answers 200 with an error in the body"),
    Cause.NO_ROWS: ("{field} 一条也没有，平时从不为空", "{field} holds no rows, which never happened before"),
    Cause.TWICE: ("同一页里每条出现多次", "rows come more than once on a page"),
    Cause.SAME_PAGE: ("翻页不起作用，每页内容相同", "paging has no effect: every page is the same"),
    Cause.ORDER: ("排列顺序颠倒了（按 {field}）", "the order is reversed (by {field})"),
    Cause.ID_REUSED: ("编号 {field} 换成了别的内容", "ids stand for other items now ({field})"),
    Cause.UNREADABLE: ("读不懂的行突然增多", "far more rows than usual cannot be read"),
    Cause.REFUSED: ("对方拒绝了请求", "the source refuses us"),
    Cause.TURNED_AWAY: (
        "对方推来的多数被拒收，告知对方的原因：{other}",
        "most of what it pushes is refused; it was told: {other}",
    ),
    Cause.FORMAT: ("返回的内容与连接器所知不符", "the answer is not what the connector knows"),
    Cause.SILENT: (
        "安静得不寻常：{other} 没有新内容，平时这段时间约有 {was} 条",
        "unusually silent: nothing new for {other}, when about {was} items are usual",
    ),
}
