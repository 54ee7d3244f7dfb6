"""The columns of a 12345 work order that are read (工单字段): the wide table of WIRE_SHAPES 5b."""

from __future__ import annotations

import msgspec


class Order(msgspec.Struct, frozen=True, rename="camel"):
    """The columns that are read, whatever a source put into them; all others are passed over unread."""

    call_time: object = None
    title: object = None
    call_subject: object = None
    major_content: object = None
    content: object = None
    source_type: object = None
    caller_name: object = None
    caller_sex: object = None
    caller_phone: object = None
    caller_contact: object = None
    is_secret: object = None
    # --- from here on: what many orders leave empty
    address: object = None
    address_points: object = None
    occur_time: object = None
    url: object = None
    caller_id: object = None
    mail: object = None
    caller_type: object = None
    pilot_light: object = None
    question_code: object = None
    question_name: object = None
    organization_name: object = None
    back_num: object = None
    back_reason: object = None
    reflect_name: object = None
    company_name: object = None
    reply_content: object = None
    handle_result: object = None
    reply_organization: object = None
    complete_time: object = None
    call_record_file_id: object = None
