"""Appeals as the normalizer makes them, for what belongs together."""

from __future__ import annotations

from typing import Any

from normalizer.appeal import Appeal, Category, Citizen, Engagement, Place, Quality, RequestType, Thread, Urgency
from normalizer.appeal import Signals as Seen
from normalizer.matter.portrait import Portrait, portrait_of


def appeal(id_: str, title: str, text: str, **said: Any) -> Appeal:
    return Appeal(
        id=id_,
        revision=1,
        channel="board",
        transport="import",
        source="letters",
        native_id=id_,
        posted_at=said.get("at", "2026-11-01T00:00:00.000Z"),
        title=title,
        text=text,
        request_type=RequestType.COMPLAIN,
        category=Category(code=said.get("code", "0206"), name="路灯", path=["市政", "路灯"], confidence=0.9),
        urgency=Urgency.NORMAL,
        deadline_class="P2",
        place=Place(district=said.get("district")),
        citizen=Citizen(ref=said.get("person", f"person of {id_}")),
        engagement=Engagement(),
        thread=Thread(),
        quality=Quality(),
        fingerprint=id_,
        signals=Seen(),
    )


def portrait(id_: str, title: str, text: str, **said: Any) -> Portrait:
    return portrait_of(appeal(id_, title, text, **said))
