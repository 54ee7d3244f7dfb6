"""Whether what is strange means that the source has changed. Pure.

A sign is weighed twice: by the rows that show it, and by how often a reading of this source showed it with nothing
wrong. Two readings in a row must show it; the same page again is one piece of evidence, not two.
"""

from __future__ import annotations

import math

from connectors.watching.causes import Drift
from connectors.watching.learned import Learned, Suspicion
from connectors.watching.signs import SURE, Sign

READINGS = 2  #: in a row that must show it
ENOUGH = 3.2  #: decades of readings that never showed it


def judge(learned: Learned, found: list[Sign], body: str) -> list[Drift]:
    """Say what has changed; what is only suspected is remembered in `learned`."""
    best: dict[str, Sign] = {}
    for sign in found:
        if sign.key not in best or best[sign.key].decades < sign.decades:
            best[sign.key] = sign
    unusual = {key: sign for key, sign in best.items() if _is_unusual(learned, key, sign)}
    for key in best.keys() - unusual.keys():
        learned.habits[key] += 1
    _forget(learned, unusual)
    return [sign.drift for key, sign in unusual.items() if _weigh(learned, key, sign, body)]


def _is_unusual(learned: Learned, key: str, sign: Sign) -> bool:
    """What shows itself now and then is a habit: it neither alarms nor keeps us from learning."""
    return key not in learned.habits or _decades_of_habit(learned, key, sign) * READINGS >= ENOUGH


def _decades_of_habit(learned: Learned, key: str, sign: Sign) -> float:
    route = learned.routes.get(sign.drift.route or "")
    readings = route.readings if route else learned.readings
    return -math.log10((learned.habits.get(key, 0.0) + 0.5) / (readings + 1.0))


def _weigh(learned: Learned, key: str, sign: Sign, body: str) -> bool:
    before = learned.suspicions.get(key)
    if before is None:
        weighed = Suspicion(sign.decades, 1, body)
    elif before.body == body:
        weighed = Suspicion(max(before.decades, sign.decades), before.readings + 1, body)
    else:
        weighed = Suspicion(before.decades + sign.decades, before.readings + 1, body)
    learned.suspicions[key] = weighed
    enough = 1 if sign.at_once else READINGS
    habit = _decades_of_habit(learned, key, sign)
    return weighed.readings >= enough and weighed.decades >= SURE and habit * READINGS >= ENOUGH


def _forget(learned: Learned, shown: dict[str, Sign]) -> None:
    """A reading that does not show it any more: it was chance, and counts as a habit from now on."""
    for key in [key for key in learned.suspicions if key not in shown]:
        del learned.suspicions[key]
        if len(learned.habits) < _MOST_HABITS or key in learned.habits:
            learned.habits[key] = learned.habits.get(key, 0.0) + 1


_MOST_HABITS = 200
