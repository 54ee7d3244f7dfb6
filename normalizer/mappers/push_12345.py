"""A pushed work order (12345 工单推送): the newest word on each field of the wide order table, and when it was said."""

from __future__ import annotations

import msgspec

from connectors.raw_appeal import RawAppeal
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.hotline_12345 import read_order
from normalizer.mappers.order import Order
from normalizer.mappers.reading import payload_of


def read(raw: RawAppeal) -> Draft:
    """Map one order."""
    order = payload_of(raw.payload).get("order")
    if not isinstance(order, dict):
        raise Unmappable("the push holds no order")
    return read_order(msgspec.convert(order, Order), raw)
