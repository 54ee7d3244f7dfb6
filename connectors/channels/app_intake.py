"""Appeals from a mini-program or an app (小程序、客户端): a JSON body or a form, with pictures; the app shows a key."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from connectors.base import BadItem, Item, Page
from connectors.receiving.contract import File, Medium, Pushed, PushSource, Received, Refused
from connectors.receiving.keys import BadKeys, bearer_of, client_of, clients_of
from connectors.receiving.pictures import NoPicture, medium_of

MIB = 1 << 20
_KEY = re.compile(r"[!-~]{1,128}")


class AppIntakeSettings(PushSource, frozen=True, kw_only=True):
    """Settings of the apps of one operator."""

    keys_env: str  #: the variable that holds name:sha256-of-its-key of each app
    channel_detail: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,31}$")] = "miniprogram"
    most_images: Annotated[int, msgspec.Meta(ge=0, le=20)] = 9
    largest_image: Annotated[int, msgspec.Meta(ge=1, le=12 * MIB)] = 5 * MIB  #: bytes


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A picture inside a JSON body (图片)."""

    data: str  #: base64, with or without `data:image/…;base64,`
    name: str = ""


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is (位置), WGS-84 degrees."""

    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]


class AppAppeal(msgspec.Struct, frozen=True, kw_only=True):
    """What an app sends (诉求提交). Unknown names are ignored."""

    text: Annotated[str, msgspec.Meta(max_length=20_000)] = ""  #: what happened; here or in the title
    title: Annotated[str, msgspec.Meta(max_length=500)] = ""
    openid: Annotated[str, msgspec.Meta(max_length=128)] = ""  #: the app's own id of the citizen: kept one-way only
    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    sex: str = ""
    phone: Annotated[str, msgspec.Meta(max_length=32)] = ""
    email: Annotated[str, msgspec.Meta(max_length=128)] = ""
    address: Annotated[str, msgspec.Meta(max_length=500)] = ""
    location: Spot | None = None
    category_code: str = ""  #: one of `intake schema taxonomy`
    request_type: str = ""
    occurred_at: str = ""
    secret: bool = False  #: 要求保密
    images: list[Image] = []


#: What the citizen wrote; a change there under the same key is a new revision.
CONTENT = (
    "title", "text", "author_id", "author", "sex", "phone", "email", "address", "location", "category_code",
    "request_type", "occurred_at", "secret",
)  # fmt: skip


class AppIntake:
    """Reads what the apps of one operator send."""

    def __init__(self, settings: AppIntakeSettings, environment: Mapping[str, str]) -> None:
        self._settings = settings
        self._clients = clients_of(settings.keys_env, environment)
        if not self._clients:
            raise BadKeys(f"环境变量 {settings.keys_env} 没有密钥 · variable {settings.keys_env} holds no key")

    def client(self, headers: Mapping[str, str]) -> str:
        """Which app asks."""
        return client_of(bearer_of(headers), self._clients)

    def admit(self, head: Pushed) -> None:
        self.client(head.headers)

    def receive(self, pushed: Pushed) -> Received:
        client = self.client(pushed.headers)
        appeal = _appeal(pushed)
        if not appeal.text.strip() and not appeal.title.strip():
            raise Refused(400, "text 与 title 都是空的 · neither text nor title")
        files = [*(_decoded(image) for image in appeal.images), *pushed.files]
        media = self._media(files)
        row = self._row(appeal, files, media)
        native_id = f"{client}:{key_of(pushed)}"
        item = Item(native_id=native_id, payload=msgspec.json.encode(row), content=_content(row))
        page = Page(offered=(native_id,), items=(item,), cursor=None)
        return Received(page=page, media={native_id: tuple(media)} if media else {}, client=client)

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        """Whatever an app sends is read or refused; nothing of it is ever parked here."""
        row = msgspec.json.decode(payload)
        return Item(native_id=native_id, payload=payload, content=_content(row), context=context)

    def _media(self, files: list[File]) -> list[Medium]:
        settings = self._settings
        if len(files) > settings.most_images:
            raise Refused(413, f"图片多于 {settings.most_images} 张 · more pictures than that")
        if any(len(file.body) > settings.largest_image for file in files):
            raise Refused(413, f"有图片大于 {settings.largest_image} 字节 · a picture has more bytes than that")
        return [picture_of(file) for file in files]

    def _row(self, appeal: AppAppeal, files: list[File], media: list[Medium]) -> dict[str, Any]:
        """Under the plain names of normalizer/mappers/plain.py."""
        row = {
            "title": appeal.title, "text": appeal.text, "author": appeal.name, "author_id": appeal.openid,
            "sex": appeal.sex, "phone": appeal.phone, "email": appeal.email, "address": appeal.address,
            "location": f"{appeal.location.lng},{appeal.location.lat}" if appeal.location else "",
            "category_code": appeal.category_code, "request_type": appeal.request_type,
            "occurred_at": appeal.occurred_at, "secret": appeal.secret,
            "channel_detail": self._settings.channel_detail, "attachments": attachments_of(files, media),
        }  # fmt: skip
        return {name: value for name, value in row.items() if value}


def attachments_of(files: list[File], media: list[Medium]) -> list[dict[str, Any]]:
    """Name what is kept beside the item."""
    return [
        {
            "id": medium.sha256,
            "name": file.name,
            "media_type": medium.media_type,
            "size": len(medium.body),
            "sha256": medium.sha256,
        }
        for file, medium in zip(files, media, strict=True)
    ]


def picture_of(file: File) -> Medium:
    """Read one picture by its first bytes, whatever it calls itself."""
    try:
        return medium_of(file.body)
    except NoPicture as wrong:
        raise Refused(415, f"附件不是可用的图片 · {wrong}") from None


def key_of(pushed: Pushed) -> str:
    """Name an appeal by what its caller would send again; without that each request is a new one."""
    key = pushed.headers.get("idempotency-key")
    if key is not None and _KEY.fullmatch(key) is None:
        raise Refused(400, "Idempotency-Key 要写 1–128 个 ASCII 字符 · 1 to 128 plain ASCII characters")
    return key or pushed.nonce


def _appeal(pushed: Pushed) -> AppAppeal:
    """JSON, a form with the JSON in its field `appeal`, or a form of the same names."""
    body = pushed.form["appeal"].encode() if "appeal" in pushed.form else pushed.body
    try:
        if pushed.form and "appeal" not in pushed.form:
            return msgspec.convert(_nested(pushed.form), AppAppeal, strict=False)
        return msgspec.json.decode(body, type=AppAppeal)
    except msgspec.ValidationError as wrong:
        raise Refused(400, f"字段不对 · {wrong}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "请求体不是 JSON · the body is not JSON") from None


def _nested(form: Mapping[str, str]) -> dict[str, Any]:
    lng, _, lat = form.get("location", "").partition(",")
    spot = {"location": {"lng": lng, "lat": lat}} if "location" in form else {}
    return {**form, **spot}


def _decoded(image: Image) -> File:
    head, comma, data = image.data.partition(",")
    try:
        body = b64decode(data if comma and head.startswith("data:") else image.data, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400, "images 里有的不是 base64 · one of `images` is not base64") from None
    return File(field="images", name=image.name, body=body)


def _content(row: Mapping[str, Any]) -> tuple[str, ...]:
    pictures = [str(each["sha256"]) for each in row.get("attachments", [])]
    return (*(str(row.get(name, "")) for name in CONTENT), *pictures)
