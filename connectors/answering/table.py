"""`[source.write_back]`: what the settings say of answering a source."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec


class AnswerTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to send an answer, and how; places such as {native_id}, {reply} and {context.path} are filled in."""

    url: str
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    key_env: str | None = None  #: the environment variable that holds {key}
    query: dict[str, str] = msgspec.field(default_factory=dict)
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    json: dict[str, Any] = msgspec.field(default_factory=dict)
    form: dict[str, str] = msgspec.field(default_factory=dict)
    statuses: dict[Literal["accepted", "in_progress", "closed"], str] = msgspec.field(default_factory=dict)
    public: bool = False  #: everybody can read it there: replies only, and never of a confidential case
    #: asked first, where a receiver does not know our ids: what already stands there in this name is not written again
    seen_url: str | None = None
    name: str | None = None  #: {name}: in whose name the city writes
    receipt: str | None = None  #: where in its JSON the receipt's number stands
    ok_path: str | None = None  #: where in its JSON it says that it took it …
    ok_is: tuple[str | int | bool, ...] = (True,)  #: … and in which words
    within_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] = 24.0  #: then it is parked, and an operator sees it

    def problems(self) -> list[str]:
        """Say what is wrong with it."""
        found = []
        if not self.url.startswith(("http://", "https://")):
            found.append("write_back.url must begin with http:// or https://")
        if self.seen_url is not None and self.name is None:
            found.append("write_back.seen_url needs name: in whose name the city writes")
        if self.json and self.form:
            found.append("write_back has json and form: write one of them")
        written = str((self.url, self.query, self.headers, self.json, self.form))
        if "{reply}" not in written:
            found.append("write_back does not name {reply} anywhere: the citizen would never read it")
        return found


class AnswerTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Under which terms a source is answered."""

    public: bool
    within_hours: float


def not_for(reply: str | None, *, public: bool, confidential: bool) -> str | None:
    """Say why an answer is not for this place; None: it is."""
    if public and confidential:
        return "保密件不公开答复 · confidential: not answered in public"
    if public and reply is None:
        return "只有状态，不公开发布 · a status alone is not published"
    return None
