"""What the settings may declare of an interface: one typed plan (declaring.py reads it and tells what is wrong)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from connectors.channels.http_json import templates
from connectors.channels.http_json.paths import scope_of
from connectors.channels.table import CONTENT, IN_PLACE

OURS = (*CONTENT, *IN_PLACE, "attachments")
TIMES = ("posted_at", "occurred_at", "reply_at")
Scalar = str | int | float | bool
#: A selector, and what is taken of what it finds: `td.by em span@title`; several: the first that says something.
Cell = str | tuple[str, ...]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A table of the settings."""


class Match(Part, frozen=True, kw_only=True):
    """A row to which this applies: all of what is told here is so; told nothing, it says anything but no."""

    path: str
    among: tuple[Scalar, ...] | None = msgspec.field(default=None, name="is")  #: it is one of these
    same: str | None = None  #: it is the same as at this path
    like: str | None = None  #: this expression is found in it

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path,) if self.same is None else (self.path, self.same)


class Field(Part, frozen=True, kw_only=True):
    """How one of our names is found in a row (字段)."""

    path: str | tuple[str, ...]  #: several: the first that says something
    when: Match | None = None  #: else the name is empty
    date: str | None = None  #: s, ms, us, or as in strptime; left out: every usual way of writing times
    zone: str | None = None  #: of a local time; left out: the source's
    shift: float = 0.0  #: seconds to add: some sources' epochs are eight hours too small
    query: str | None = None  #: the value is a query string, or an address with one, and this name in it is meant
    match: str | None = None  #: the first group of this expression
    values: dict[str, str] = {}  #: theirs = ours; what is not listed stays
    otherwise: str | None = None  #: the path where the above finds nothing
    #: the value stands at {} in here, other values of the row at {their.path}; {url} is the source's address
    text: str | None = None


Spec = str | tuple[str, ...] | Field


class Errors(Part, frozen=True, kw_only=True):
    """An error that comes as HTTP 200 (错误体): what `path` must be, and which error it is otherwise."""

    path: str
    ok: tuple[Scalar, ...] = ()
    absent_ok: bool = False
    denied: tuple[Scalar, ...] = ()  #: the key or the permission is refused
    busy: tuple[Scalar, ...] = ()  #: asks for patience
    down: tuple[Scalar, ...] = ()  #: is broken, is asked again
    empty: tuple[Scalar, ...] = ()  #: means that there are no rows
    gone: tuple[Scalar, ...] = ()  #: means that what was asked for was taken back, as 404 does
    message: str | None = None  #: path of the message in which `words` are looked for
    words: dict[Literal["denied", "busy", "down", "empty", "gone"], tuple[str, ...]] = {}


class Paging(Part, frozen=True, kw_only=True):
    """How one asks for the next page (分页)."""

    kind: Literal["none", "page", "offset", "cursor", "keyset", "link"] = "none"
    first: int = 1  #: number of the first page, or the first offset
    size: Annotated[int, msgspec.Meta(ge=1)] = 50  #: what {size} is
    next: str | None = None  #: path of the cursor or of the next address; a link may come in the header Link instead
    key: tuple[str, ...] = ()  #: paths in a page's last row: {after}, {after2}, … of the next page
    start: tuple[Scalar, ...] = ()  #: {after}, {after2}, … or {cursor} of the first page; left out: not sent
    more: str | None = None  #: path that says whether there is more
    pages: str | None = None  #: path of the number of pages
    total: str | None = None  #: path of the number of rows
    total_of: Literal["roots", "rows"] = "roots"  #: whether it counts nested rows too
    short_is_end: bool = False  #: a page with fewer than `size` rows is the last
    sticky: Annotated[int, msgspec.Meta(ge=0)] = 20  #: rows at the head that may be old and pinned
    most: Annotated[int, msgspec.Meta(ge=1)] = 2000  #: pages of one reading; more is going in circles
    resume: bool | None = None  #: an interrupted reading goes on where it was; left out: for cursor and keyset


class Call(Part, frozen=True, kw_only=True):
    """One request (请求)."""

    path: str = ""  #: behind `url`, or a whole address whose host is named in `hosts`
    method: Literal["GET", "POST"] = "GET"
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    json: Any = None
    form: dict[str, str] = {}
    form_encoding: str = "utf-8"
    #: JSONP and `var x = …` are unwrapped; js: bare keys, single quotes; html: a page, read by CSS selectors; xml:
    #: elements as objects, attributes as @name; csv: a list of rows by the names in its first line
    shape: Literal["json", "js", "html", "xml", "csv", "text"] = "json"
    rows: str | None = None  #: path of the list of rows; "" is the answer itself; html: the selector of a row
    cells: dict[str, Cell] = {}  #: html: what a row holds
    page: dict[str, Cell] = {}  #: html: what the page holds beside its rows
    within: str | None = None  #: html: selector of what is on the page even where it has no rows
    rows_may_miss: bool = False
    columns: str | None = None  #: path of the names, where rows are lists
    children: tuple[str, ...] = ()  #: paths in a row of nested rows, which become rows of their own
    id: str | None = None  #: path that tells rows apart; left out: fields.native_id, or all of the row
    errors: tuple[Errors, ...] | None = None  #: of this call; left out: those of all
    paging: Paging = Paging()


class Detail(Call, frozen=True, kw_only=True):
    """The second call of a join, made for each row of the list: either `row` or `rows` (详情)."""

    row: str | None = None  #: path of the object that completes the row, as `@detail`
    values: dict[str, Spec] = {}  #: what the templates may ask for beside {row.…}, found in the row
    when: Match | None = None  #: only for these rows of the list


class Login(Call, frozen=True, kw_only=True):
    """One call of a log-in (登录): its cookies are kept, and what it hands out (凭证)."""

    take: dict[str, Spec] = {}  #: name = where it stands in the answer; the templates ask for {name} from then on


class Window(Part, frozen=True, kw_only=True):
    """Slices of time that are asked for one after the other: {since} and {until} (时间窗)."""

    seconds: Annotated[float, msgspec.Meta(gt=0)]
    start: str  #: where the first reading begins


class Times(Part, frozen=True, kw_only=True):
    """How {since} and {until} are written."""

    format: str = "%Y-%m-%d %H:%M:%S"  #: or s, ms, iso
    zone: str | None = None  #: left out: the source's


class Sign(Part, frozen=True, kw_only=True):
    """A signature over each request, made with {key} (签名)."""

    text: str  #: what is signed: of {method} {path} {query} {body} {timestamp} {user}; for a plain digest also {key}
    headers: dict[str, str]  #: such as X-Sign = "{signature}", X-Timestamp = "{timestamp}"
    way: Literal["hmac", "digest"] = "hmac"
    algorithm: Literal["sha256", "sha1", "sha512", "md5"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    milliseconds: bool = False  #: of {timestamp}


class Plan(Part, frozen=True, kw_only=True):
    """All of it."""

    list: Call
    fields: dict[str, Spec]
    detail: Detail | None = None
    headers: dict[str, str] = {}
    sign: Sign | None = None
    login: tuple[Login, ...] = ()
    values: dict[str, str] = {}
    errors: tuple[Errors, ...] = ()
    deleted: tuple[Match, ...] = ()
    skip: tuple[Match, ...] = ()
    required: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    encoding: str | None = None
    reading: Literal["whole", "newest_first", "oldest_first", "windows"] = "whole"
    order_by: Spec | None = None
    overlap: Annotated[float, msgspec.Meta(ge=0)] = 3600.0
    sweep_every: Annotated[float, msgspec.Meta(ge=0)] | None = None
    complete: bool = False
    empty_is_error: bool = False
    window: Window | None = None
    times: Times = Times()

    @property
    def order(self) -> Spec | None:
        return self.order_by if self.order_by is not None else self.fields.get("posted_at")

    @property
    def nests(self) -> bool:
        """The rows of the detail are the items, not those of the list."""
        return self.detail is not None and self.detail.row is None

    @property
    def keyed(self) -> bool:
        """The position is the last row's key, not a time."""
        return self.reading == "oldest_first" and self.list.paging.kind == "keyset" and "since" not in asked(self.list)


def asked(call: Call) -> set[str]:
    """Give the names that a request asks for: page, cursor, since, row, …."""
    templated = [call.path, call.query, call.headers, call.json, call.form]
    return {place.partition(".")[0] for place in templates.places(templated)}


def scoped_paths(plan: Plan) -> tuple[str, ...]:
    """Every path of the fields that begins outside the row."""
    found: set[str] = set()
    specs = [*plan.fields.values(), *([plan.order] if plan.order is not None else [])]
    for spec in specs:
        when = spec.when.paths if isinstance(spec, Field) and spec.when else ()
        found.update(path for path in [*paths_of(spec), *when] if scope_of(path))
    matches = (*plan.deleted, *plan.skip)
    found.update(path for match in matches for path in match.paths if scope_of(path))
    return tuple(sorted(found))


def paths_of(spec: Spec) -> tuple[str, ...]:
    """The paths of a field, in order."""
    path = spec.path if isinstance(spec, Field) else spec
    paths = (path,) if isinstance(path, str) else path
    return (*paths, spec.otherwise) if isinstance(spec, Field) and spec.otherwise is not None else paths
