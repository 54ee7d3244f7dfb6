"""The people of the simulated centre: they read what departments write, know the city fairly well, and err.

Their odds were set before the lessons were tuned, and are the same with and without learning, and for the oracle.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

ERRS = 0.05  #: a reviewer takes a right refusal for a wrong one, or the other way round
KNOWS = 0.6  #: a clerk without a proposal knows who has it
JOINT_REVIEW_RIGHT = 0.9  #: 会商: the units sit at one table


def upholds(rightly_refused: bool, advice: str | None, chance: Random) -> bool:
    """Judge a return; whom the advice contradicts looks a second time, as well and as badly as the first time."""
    verdict = rightly_refused != (chance.random() < ERRS)
    if advice == ("refuse" if verdict else "uphold"):
        verdict = rightly_refused != (chance.random() < ERRS)
    return verdict


def sends_to(
    owner: str, proposed: str | None, alternatives: Sequence[str], tried: Sequence[str], chance: Random
) -> str:
    """Choose where an upheld return goes: as proposed, or to whoever comes to mind."""
    if proposed is not None and proposed not in tried:
        return proposed
    others = [code for code in alternatives if code not in tried]
    return owner if not others or chance.random() < KNOWS else others[0]


def settles(owner: str, alternatives: Sequence[str], tried: Sequence[str], chance: Random) -> str:
    """Settle it in a joint review (会商)."""
    others = [code for code in alternatives if code not in tried]
    return owner if not others or chance.random() < JOINT_REVIEW_RIGHT else others[0]
