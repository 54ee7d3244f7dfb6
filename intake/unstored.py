"""An item as the normalizer would be handed it, before it is stored: to look at, never to keep."""

from __future__ import annotations

from connectors.base import Item
from connectors.raw_appeal import RawAppeal, appeal_id
from connectors.source import Source


def unstored(item: Item, source: Source) -> RawAppeal:
    """The raw item that this would become."""
    return RawAppeal(
        id=appeal_id(source.name, item.native_id),
        source=source.name,
        kind=source.kind,
        channel=source.channel,
        native_id=item.native_id,
        payload=item.payload,
        context=item.context,
        zone=source.zone,
        mode=source.mode,
    )
