"""Requests posted to our Open311 endpoint (Open311 GeoReport v2 服务端): a form of the standard, an API key of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from connectors.base import BadItem, Item, Page
from connectors.channels.app_intake import attachments_of, key_of, picture_of
from connectors.receiving.contract import Pushed, PushSource, Received, Refused
from connectors.receiving.keys import BadKeys, client_of, clients_of

MIB = 1 << 20
LONGEST = 4000  #: characters of a description, by the standard
#: What the citizen wrote, by the standard's names.
CONTENT = (
    "service_code", "description", "lat", "long", "address_string", "address_id", "first_name", "last_name", "email",
    "phone", "device_id", "account_id", "media_url",
)  # fmt: skip


class Open311ServerSettings(PushSource, frozen=True, kw_only=True):
    """Settings of one endpoint."""

    keys_env: str  #: the variable that holds name:sha256-of-its-key of each app that may post
    jurisdiction_id: str = ""  #: the one that is served; a request that names another is answered with 404
    answer_with: Literal["service_request_id", "token"] = "service_request_id"  #: to a post
    most_images: Annotated[int, msgspec.Meta(ge=0, le=20)] = 5
    largest_image: Annotated[int, msgspec.Meta(ge=1, le=12 * MIB)] = 5 * MIB  #: bytes


class Open311Server:
    """Reads what apps post."""

    def __init__(self, settings: Open311ServerSettings, environment: Mapping[str, str]) -> None:
        self._settings = settings
        self._clients = clients_of(settings.keys_env, environment)
        if not self._clients:
            raise BadKeys(f"环境变量 {settings.keys_env} 没有密钥 · variable {settings.keys_env} holds no key")

    def admit(self, head: Pushed) -> None:
        """Admit everybody: the standard puts the key into the form."""

    def receive(self, pushed: Pushed) -> Received:
        form = pushed.form
        client = client_of(form.get("api_key", ""), self._clients)
        _must_say_what_and_where(form)
        settings = self._settings
        if len(pushed.files) > settings.most_images or any(
            len(file.body) > settings.largest_image for file in pushed.files
        ):
            raise Refused(
                413, f"media: at most {settings.most_images} pictures of at most {settings.largest_image} bytes"
            )
        media = [picture_of(file) for file in pushed.files]
        row: dict[str, Any] = {name: value for name, value in form.items() if value and name != "api_key"}
        if media:
            row["attachments"] = attachments_of(list(pushed.files), media)
        native_id = f"{client}:{key_of(pushed)}"
        item = Item(native_id=native_id, payload=msgspec.json.encode(row), content=_content(row))
        page = Page(offered=(native_id,), items=(item,), cursor=None)
        return Received(page=page, media={native_id: tuple(media)} if media else {}, client=client)

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        """Whatever is posted is read or refused; nothing of it is ever parked here."""
        return Item(
            native_id=native_id, payload=payload, content=_content(msgspec.json.decode(payload)), context=context
        )


def _must_say_what_and_where(form: Mapping[str, str]) -> None:
    """All that is wrong at once, as the standard's list of errors."""
    wrong = [] if form.get("service_code", "").strip() else ["service_code was not provided"]
    if not any(form.get(name, "").strip() for name in ("address_string", "address_id")) and not _spot(form):
        wrong.append("lat and long, address_string or address_id must be provided")
    if len(form.get("description", "")) > LONGEST:
        wrong.append(f"description is longer than {LONGEST} characters")
    if wrong:
        raise Refused(400, "; ".join(wrong))


def _spot(form: Mapping[str, str]) -> bool:
    try:
        latitude, longitude = float(form.get("lat", "")), float(form.get("long", ""))
    except ValueError:
        return False
    return abs(latitude) <= 90 and abs(longitude) <= 180  # noqa: PLR2004  degrees


def _content(row: Mapping[str, Any]) -> tuple[str, ...]:
    attributes = [f"{name}={value}" for name, value in sorted(row.items()) if name.startswith("attribute[")]
    pictures = [str(each["sha256"]) for each in row.get("attachments", [])]
    return (*(str(row.get(name, "")) for name in CONTENT), *attributes, *pictures)
