"""Settings of a declared interface: an address, perhaps a preset, and the tables of plan.py."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from connectors.channels.http_json import presets
from connectors.channels.http_json.declaring import merged, read
from connectors.channels.http_json.plan import Plan
from connectors.source import Source

#: What of the settings belongs to the plan.
PARTS = (
    "list", "detail", "fields", "headers", "sign", "login", "values", "errors", "deleted", "skip", "required", "drop",
    "encoding",
    "reading", "order_by", "overlap", "sweep_every", "complete", "empty_is_error", "window", "times",
)  # fmt: skip
Table = dict[str, Any]
Sentences = list[str]


class HttpJsonSettings(Source, frozen=True, kw_only=True):
    """Settings of one interface. What is left out comes from the preset, or is not needed."""

    url: str  #: the address that the calls' paths are put behind
    preset: str | None = None
    key_env: str | None = None  #: the environment variable that holds {key}
    user_env: str | None = None  #: … {user}
    password_env: str | None = None  #: … {password}
    basic: bool = False  #: HTTP Basic with {user} and {password}
    each: dict[str, str] = msgspec.field(default_factory=dict)  #: the list is asked for once for each {each} = title
    list: Table = msgspec.field(default_factory=dict)
    detail: Table = msgspec.field(default_factory=dict)
    fields: Table = msgspec.field(default_factory=dict)
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    sign: Table = msgspec.field(default_factory=dict)
    login: tuple[Table, ...] = ()  #: the calls that open a session, one after the other
    values: dict[str, str] = msgspec.field(default_factory=dict)
    errors: tuple[Table, ...] = ()
    deleted: tuple[Table, ...] = ()
    skip: tuple[Table, ...] = ()
    required: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()  #: names in a row that are of the moment of asking, such as 3 小时前
    encoding: str | None = None  #: left out: UTF-8 where it fits, what is declared, else GB 18030
    reading: Literal["whole", "newest_first", "oldest_first", "windows"] | None = None
    order_by: str | Table | None = None
    overlap: Annotated[float, msgspec.Meta(ge=0)] | None = None
    sweep_every: Annotated[float, msgspec.Meta(ge=0)] | None = None
    complete: bool | None = None
    empty_is_error: bool | None = None
    window: Table = msgspec.field(default_factory=dict)
    times: Table = msgspec.field(default_factory=dict)

    def problems(self) -> Sentences:
        found = super().problems()
        if not self.url.startswith(("http://", "https://")):
            found.append("url must begin with http:// or https://")
        if self.preset is not None and self.preset not in presets.names():
            return [*found, f"preset is none of ours: {' '.join(presets.names())}"]
        if self.basic and not (self.user_env and self.password_env):
            found.append("basic needs user_env and password_env")
        plan, wrong = read(self.declared())
        found += wrong
        if plan is not None and plan.sign is not None and not self.key_env:
            found.append("sign needs key_env: the variable that holds the secret")
        if plan is not None and _needs_each(plan) and not self.each:
            found.append("each is missing: the list is asked for once for each of these")
        if plan is not None and plan.keyed and len(self.each) > 1:
            found.append('each and reading = "oldest_first" by keyset: make a source of each, with its own position')
        return found

    def declared(self) -> dict[str, Any]:
        """Lay what the operator wrote over the preset."""
        base = presets.declaration(self.preset) if self.preset is not None else {}
        own = {name: getattr(self, name) for name in PARTS}
        return merged(base, {name: value for name, value in own.items() if value not in (None, {}, ())})

    def plan(self) -> Plan:
        """What is to be done; the settings have no problems."""
        plan, wrong = read(self.declared())
        if plan is None:
            raise ValueError("; ".join(wrong))
        return plan


def _needs_each(plan: Plan) -> bool:
    calls = [plan.list, *([plan.detail] if plan.detail is not None else [])]
    written = [(call.path, call.query, call.form, call.json) for call in calls]
    return "{each}" in str(written)
