"""A 12345 work order (12345 工单): the wide order table of WIRE_SHAPES 5b, in which None, "" and 0 all mean nothing."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Attachment, Given
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.order import Order
from normalizer.mappers.reading import (
    count_in,
    location_of,
    moment_of,
    object_of,
    says_yes,
    sex_of,
    text_in,
    words_in,
)

#: 受理渠道 -> the finer code of domain/DOMAIN.md section 2.
_DETAILS = {
    "电话": "phone",
    "12345热线": "phone",
    "热线": "phone",
    "微信": "wechat",
    "公众号": "wechat",
    "小程序": "miniprogram",
    "网站": "web",
    "网络": "web",
    "邮箱": "email",
    "邮件": "email",
    "信箱": "gov_mailbox",
    "APP": "app",
    "来信": "letter",
    "来访": "window",
    "110": "emergency_transfer",
    "上级": "superior",
    "省平台": "superior",
    "信访": "petition",
    "12315": "proline",
}


_OFTEN_EMPTY = Order.__struct_fields__.index("address")
_ORDER = msgspec.json.Decoder(Order)


def read(raw: RawAppeal) -> Draft:
    """Map one order."""
    return read_order(object_of(raw.payload, _ORDER), raw)


def read_order(order: Order, raw: RawAppeal) -> Draft:
    """Map the fields of one order."""
    posted_at = moment_of(order.call_time, raw.zone)
    if posted_at is None and order.call_time:
        raise Unmappable("callTime is no time; ask the source's operator to correct the order")
    text = text_in(order.major_content) or text_in(order.content)
    title = text_in(order.title) or text_in(order.call_subject)
    if not text.strip() and not title.strip():
        raise Unmappable("the order has neither title nor majorContent")
    draft = Draft(title, text, raw.channel)
    draft.posted_at = posted_at
    draft.channel_detail = _detail(words_in(order.source_type))
    draft.author_name = words_in(order.caller_name)
    draft.sex = sex_of(words_in(order.caller_sex))
    draft.phone = words_in(order.caller_phone) or words_in(order.caller_contact)
    draft.secret = says_yes(order.is_secret)
    if any(msgspec.structs.astuple(order)[_OFTEN_EMPTY:]):
        _read_rest(draft, order, raw)
    return draft


def _read_rest(draft: Draft, order: Order, raw: RawAppeal) -> None:
    """Read what many orders leave empty."""
    draft.address = words_in(order.address)
    draft.location = location_of(words_in(order.address_points))
    draft.occurred_at = moment_of(order.occur_time, raw.zone)
    draft.url = words_in(order.url)
    draft.author_id = words_in(order.caller_id)
    draft.mail = words_in(order.mail)
    draft.type_given = words_in(order.caller_type)
    draft.light = words_in(order.pilot_light)
    code, name = words_in(order.question_code), words_in(order.question_name)
    draft.given = Given(scheme=raw.source, code=code, name=name) if code or name else None
    draft.handler = words_in(order.organization_name)
    draft.sent_back = count_in(order.back_num) or (1 if words_in(order.back_reason) else 0)
    draft.subject_entity = words_in(order.reflect_name) or words_in(order.company_name)
    draft.reply_text = text_in(order.reply_content) or text_in(order.handle_result) or None
    draft.reply_by = words_in(order.reply_organization)
    draft.reply_at = moment_of(order.complete_time, raw.zone)
    draft.attachments = _recording(words_in(order.call_record_file_id))


@lru_cache(maxsize=256)  # a source has few channels of its own, and writes one into every order
def _detail(source_type: str | None) -> str | None:
    if source_type is None:
        return None
    for name, code in _DETAILS.items():
        if name in source_type:
            return code
    return "other"


def _recording(file: str | None) -> list[Attachment]:
    """Refer to the call's recording (录音)."""
    return [Attachment(id=file, media_type="audio/*")] if file else []
