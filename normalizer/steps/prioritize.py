"""Say how urgent it is (紧急程度) and which deadline class follows (时限档), by DOMAIN section 4.2.

A word of danger counts only where nothing beside it takes the danger out: 火灾隐患 is no fire, 去年触电 is over.
"""

from __future__ import annotations

from enum import Enum

from normalizer.appeal import RequestType, Urgency
from normalizer.draft import Draft
from normalizer.tables import Calm, Now, Tables

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
        found = sense.level
        if found == "P0":
            acute = _acuteness(draft.body, start, end, tables.now, told=sense.refer is not None)
            if acute is Acute.TOLD:
                found = "P1"
            elif acute is Acute.NOW and sense.refer is not None and draft.emergency is None:
                draft.emergency = sense.refer
        draft.evident(start, end, f"{found} {sense.why}")
        if level is None or found < level:
            level = found
    return level


class Acute(Enum):
    """How near a danger is."""

    NOW = 1  #: it happens: the emergency service must come
    SOON = 2  #: somebody must look at it at once
    TOLD = 3  #: a letter tells of it among other things


def _acuteness(body: str, start: int, end: int, now: Now, *, told: bool) -> Acute:
    """Weigh length and wording. `told`: of this danger people also write long after it is over."""
    near = body[max(0, start - now.near) : end + now.near]
    if len(body) > now.long:
        return Acute.NOW if any(word in near for word in now.at_once) else Acute.TOLD
    if len(body) <= now.short:
        happens = not any(word in body for word in now.story)
        return Acute.NOW if happens or any(word in body for word in now.at_once) else Acute.SOON
    if not told:
        return Acute.SOON
    return Acute.NOW if any(word in near for word in now.words) else Acute.TOLD


def is_calm(body: str, start: int, end: int, calm: Calm) -> bool:
    """Say whether words close by take the danger out of what stands there, within the same sentence."""
    before = body[max(0, start - calm.within) : start]
    cut = max(before.rfind("。"), before.rfind("！"), before.rfind("\n"))
    before = before[cut + 1 :]
    if any(word in before for word in calm.before):
        return True
    after = body[end : end + calm.within]
    return any(after.startswith(word) or after[1:].startswith(word) for word in calm.after)
