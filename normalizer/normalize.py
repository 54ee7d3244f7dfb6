"""What is made of an item, without any store: mapped into a draft, sent through the steps, built.

`normalize` is pure: no I/O, no clock, no chance; the same input gives the same output, byte for byte. So it does not
matter where it runs: a page of a backlog is normalized in a process beside its worker (intake/street/beside.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Normalized
from normalizer.build import normalized
from normalizer.document import encoded
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.finished import Failed, Finished
from normalizer.mappers import MAPPERS
from normalizer.parting.parts import into_parts
from normalizer.steps.classify import classify
from normalizer.steps.clean import clean
from normalizer.steps.fingerprint import fingerprint
from normalizer.steps.judge import judge
from normalizer.steps.locate import locate
from normalizer.steps.mask import mask
from normalizer.steps.prioritize import prioritize
from normalizer.steps.recount import recount
from normalizer.steps.refer import refer
from normalizer.steps.repair.apply import repair
from normalizer.steps.repair.page import take_off_page
from normalizer.steps.scan import SCAN
from normalizer.steps.simplify import simplify
from normalizer.steps.title import entitle
from normalizer.tables import Tables

Step = Callable[[Draft, Tables], None]

#: What reads the masked text; each part of a message with several requests is read for itself.
READING: tuple[Step, ...] = (*SCAN, classify, prioritize, locate, recount, judge, refer, fingerprint, entitle)


def part(draft: Draft, tables: Tables) -> None:
    """Part a message with several requests (一条多诉)."""
    into_parts(draft, tables, READING)


#: The order is the meaning: bytes first (cleaning would strip what tells how they broke), wording next, then masking,
#: then everything that reads the masked text.
STEPS: tuple[Step, ...] = (repair, clean, simplify, take_off_page, mask, part, *READING)


def normalize(raw: RawAppeal, versions: Tables, ref_key: bytes) -> Normalized:
    """Turn one item of a source into an appeal and its secrets. Raises Unmappable where that cannot be done."""
    draft = _mapped(raw)
    for step in STEPS:
        step(draft, versions)
    return normalized(raw, draft, versions, ref_key)


#: How many drafts go through a step before the next step begins. One at a time, each step finds the processor's cache
#: full of the other steps' tables: measured, a page takes a quarter less time in groups of 50, and on a machine that is
#: busy with other things a tenth less again in groups of 250.
GROUP = 250


def normalize_all(raws: Sequence[RawAppeal], versions: Tables, ref_key: bytes) -> list[Normalized | Exception]:
    """Do `normalize` to many; where one cannot be turned into an appeal, its error stands in its place."""
    done: list[Normalized | Exception] = []
    for start in range(0, len(raws), GROUP):
        done += _group(raws[start : start + GROUP], versions, ref_key)
    return done


def _group(raws: Sequence[RawAppeal], versions: Tables, ref_key: bytes) -> list[Normalized | Exception]:
    # Whatever goes wrong is the failure of that one item alone.
    drafts: list[Draft | Exception] = []
    for raw in raws:
        try:
            drafts.append(_mapped(raw))
        except Exception as error:  # noqa: BLE001
            drafts.append(error)
    whole = [draft for draft in drafts if isinstance(draft, Draft)]
    failed: dict[int, Exception] = {}
    for step in STEPS:
        if failed_now := _each(step, whole, versions):
            whole = [draft for draft in whole if id(draft) not in failed_now]
            failed |= failed_now
    done: list[Normalized | Exception] = []
    for raw, draft in zip(raws, drafts, strict=True):
        if isinstance(draft, Exception):
            done.append(draft)
            continue
        try:
            done.append(failed.get(id(draft)) or normalized(raw, draft, versions, ref_key))
        except Exception as error:  # noqa: BLE001
            done.append(error)
    return done


def _each(step: Step, drafts: Sequence[Draft], versions: Tables) -> dict[int, Exception]:
    """Do a step to each draft; give the errors of those that failed. One `try` stands around all that go well."""
    failed: dict[int, Exception] = {}
    left = iter(drafts)
    while True:
        try:
            for draft in left:
                step(draft, versions)
        except Exception as error:  # noqa: BLE001
            failed[id(draft)] = error
        else:
            return failed


def _mapped(raw: RawAppeal) -> Draft:
    mapper = MAPPERS.get(raw.kind)
    if mapper is None:
        raise Unmappable(f"no mapper knows kind {raw.kind!r}; its file belongs into normalizer/mappers")
    return mapper(raw)


def finish_all(raws: Sequence[RawAppeal], tables: Tables, ref_key: bytes) -> list[Finished | Failed]:
    """Normalize many, each as far as it can be brought without the store; pure, like `normalize`."""
    done: list[Finished | Failed] = []
    for start in range(0, len(raws), GROUP):  # serialised while a group is warm
        some = raws[start : start + GROUP]
        done += [
            _finished(one, withdrawn=raw.withdrawn) if isinstance(one, Normalized) else Failed(_reason(one))
            for raw, one in zip(some, _group(some, tables, ref_key), strict=True)
        ]
    return done


def _finished(one: Normalized, *, withdrawn: bool) -> Finished:
    """Serialise what is stored: of a message with several requests its parts, in place of the whole."""
    first, *more = one.parts or [one]
    return Finished(
        first.appeal,
        first.secrets,
        encoded(first.appeal, withdrawn=withdrawn),
        [_finished(each, withdrawn=withdrawn) for each in more],
    )


def _reason(error: Exception) -> str:
    """Say why one was not turned into an appeal: an error of ours in its words; of any other only the kind is kept."""
    return str(error) if isinstance(error, Unmappable) else f"unexpected {type(error).__name__} in the normalizer"
