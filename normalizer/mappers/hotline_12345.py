"""A 12345 work order (12345 工单): the wide order table of WIRE_SHAPES 5b, in which None, "" and 0 all mean nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Attachment, Given
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.reading import count_of, location_of, moment_of, payload_of, says_yes, sex_of, text_of, words_of

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


def read(raw: RawAppeal) -> Draft:
    """Map one order."""
    return read_order(payload_of(raw.payload), raw)


def read_order(order: Mapping[str, Any], raw: RawAppeal) -> Draft:
    """Map the fields of one order."""
    posted = order.get("callTime")
    posted_at = moment_of(posted, raw.zone)
    if posted_at is None and posted:
        raise Unmappable("callTime is no time; ask the source's operator to correct the order")
    text = text_of(order, "majorContent", "content")
    title = text_of(order, "title", "callSubject")
    if not text.strip() and not title.strip():
        raise Unmappable("the order has neither title nor majorContent")
    name = words_of(order, "questionName")
    code = words_of(order, "questionCode")
    return Draft(
        title=title,
        text=text,
        channel=raw.channel,
        channel_detail=_detail(words_of(order, "sourceType")),
        url=words_of(order, "url"),
        posted_at=posted_at,
        occurred_at=moment_of(order.get("occurTime"), raw.zone),
        address=words_of(order, "address"),
        location=location_of(words_of(order, "addressPoints")),
        author_name=words_of(order, "callerName"),
        author_id=words_of(order, "callerId"),
        sex=sex_of(words_of(order, "callerSex")),
        phone=words_of(order, "callerPhone", "callerContact"),
        mail=words_of(order, "mail"),
        type_given=words_of(order, "callerType"),
        secret=says_yes(order.get("isSecret")),
        light=words_of(order, "pilotLight"),
        given=Given(scheme=raw.source, code=code, name=name) if code or name else None,
        handler=words_of(order, "organizationName"),
        sent_back=count_of(order, "backNum") or (1 if words_of(order, "backReason") else 0),
        subject_entity=words_of(order, "reflectName", "companyName"),
        reply_text=text_of(order, "replyContent", "handleResult") or None,
        reply_by=words_of(order, "replyOrganization"),
        reply_at=moment_of(order.get("completeTime"), raw.zone),
        attachments=_recording(words_of(order, "callRecordFileId")),
    )


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
