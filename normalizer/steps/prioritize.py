"""Say how urgent it is (紧急程度) and which deadline class follows (时限档), by DOMAIN section 4.2.

A word of danger counts only where nothing beside it takes the danger out: 火灾隐患 is no fire, 去年触电 is over.
"""

from __future__ import annotations

from normalizer.appeal import RequestType, Urgency
from normalizer.draft import Draft
from normalizer.tables import Calm, Tables

_CALM_TYPES = (RequestType.SUGGEST, RequestType.PRAISE, RequestType.INVALID)
_BLAMING = (RequestType.COMPLAIN, RequestType.REPORT)


def prioritize(draft: Draft, tables: Tables) -> None:
    """Set urgency, deadline class and, for what is happening now, the emergency number."""
    level: str | None = None
    if draft.request_type not in _CALM_TYPES:
        level = _level(draft, tables)
    light = tables.given_lights.get(draft.light or "")
    if light is not None and (level is None or light < level):
        level = light
    if level == "P0":
        draft.urgency, draft.deadline_class = Urgency.CRITICAL, "P0"
    elif level == "P1" and not (draft.asked and draft.request_type is RequestType.CONSULT):
        draft.urgency, draft.deadline_class = Urgency.URGENT, "P1"
    else:
        draft.deadline_class = _calm_class(draft, tables)


def _calm_class(draft: Draft, tables: Tables) -> str:
    kind = draft.request_type
    if kind is RequestType.PRAISE:
        return "P9"
    if kind is RequestType.CONSULT:
        return "P3"
    if kind in _BLAMING and tables.classes[draft.code].legal:
        return "PL"
    return "P2"


def _level(draft: Draft, tables: Tables) -> str | None:
    """Find the gravest danger that nothing calms, and keep its words as evidence."""
    level: str | None = None
    for number, start, end in draft.patterns:
        sense = tables.senses[number]
        if sense.level is None or (sense.level == "P0" and is_calm(draft.body, start, end, tables.calm)):
            continue
        draft.evident(start, end, f"{sense.level} {sense.why}")
        if level is None or sense.level < level:
            level = sense.level
        if sense.level == "P0" and sense.refer is not None and draft.emergency is None:
            draft.emergency = sense.refer
    return level


def is_calm(body: str, start: int, end: int, calm: Calm) -> bool:
    """Say whether words close by take the danger out of what stands there, within the same sentence."""
    before = body[max(0, start - calm.within) : start]
    cut = max(before.rfind("。"), before.rfind("！"), before.rfind("\n"))
    before = before[cut + 1 :]
    if any(word in before for word in calm.before):
        return True
    after = body[end : end + calm.within]
    return any(after.startswith(word) or after[1:].startswith(word) for word in calm.after)
