"""Appeals for the tests of this room, written in one line each."""

from __future__ import annotations

from typing import Any

from normalizer.appeal import (
    Appeal,
    Category,
    Citizen,
    Engagement,
    Place,
    Quality,
    RequestType,
    Signals,
    Thread,
    Urgency,
)


def appeal(text: str = "路灯坏了", category: str = "0205", confidence: float = 0.9, **changes: Any) -> Appeal:
    fields: dict[str, Any] = {
        "id": "a" * 24,
        "revision": 1,
        "channel": "hotline",
        "transport": "pull",
        "source": "demo",
        "native_id": "N-1",
        "title": "",
        "text": text,
        "request_type": RequestType.HELP,
        "category": Category(code=category, name="分类", path=["大类", "分类"], confidence=confidence),
        "urgency": Urgency.NORMAL,
        "deadline_class": "P2",
        "place": Place(),
        "citizen": Citizen(ref="r" * 24, display="陈女士"),
        "engagement": Engagement(),
        "thread": Thread(),
        "quality": Quality(),
        "fingerprint": "f",
        "signals": Signals(),
    }
    return Appeal(**(fields | changes))
