"""Versions of the contract with departments (接口版本): which are in force, and what a version may never change.

A version may grow: fields and coded values that a message did not have, fields of feedback that may be left out, kinds
that nobody has to send. Whatever else breaks a program that was written for it is a new version, which runs beside the
old one for six months. `differences` is the judge; docs/contract holds each version as it was promised. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

Schema = Mapping[str, Any]

#: What says nothing of what may stand there.
_WORDS = {"title", "description", "default", "discriminator", "examples"}
_TAGS = ("kind", "type")


class Way(StrEnum):
    """Who writes it: what is a promise to a reader is a demand on a writer."""

    OUT = "out"  #: we send it
    IN = "in"  #: departments send it


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """接口版本: in force from one day, and where another follows until another day."""

    version: int
    since: str
    until: str | None = None  #: six months after its successor, told when that is announced
    parts: list[str]


#: The next one joins by its line here, and by its folder in docs/contract.
VERSIONS = (Version(version=1, since="2026-11-22", parts=["dispatch", "outcome", "statement", "feedback"]),)
WAYS: Mapping[str, Way] = {"dispatch": Way.OUT, "outcome": Way.OUT, "statement": Way.OUT, "feedback": Way.IN}


def differences(old: Schema, new: Schema, way: Way) -> list[str]:
    """Name every change that breaks a program written for the old schema, each with its place."""
    return list(dict.fromkeys(_Comparison(old, new, way).of(old, new, "", frozenset())))


class _Comparison:
    def __init__(self, old: Schema, new: Schema, way: Way) -> None:
        self._old, self._new, self._way = old.get("$defs", {}), new.get("$defs", {}), way

    def of(self, old: Schema, new: Schema, where: str, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        step = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True)) if "$ref" in old else None
        if step is not None and step in seen:
            return  # a record within itself
        seen |= {step} if step is not None else set()
        before, after = _kinds(old, self._old), _kinds(new, self._new)
        yield from self._values(before, after, where)
        for tag, shape in before.records.items():
            if tag not in after.records:
                yield f"{where or '/'}: {tag or 'the object'} is gone"
            else:
                yield from self._record(shape, after.records[tag], f"{where}[{tag}]" if tag else where, seen)
        if self._way is Way.OUT:
            more = after.records.keys() - before.records.keys()
            yield from (f"{where or '/'}: may now be {tag or 'an object'}" for tag in sorted(more))
        if before.items is not None and after.items is not None:
            yield from self.of(before.items, after.items, f"{where}[]", seen)
        elif (before.items is None) is not (after.items is None):
            gone = before.items is not None
            if gone or self._way is Way.OUT:
                yield f"{where or '/'}: {'is no list any more' if gone else 'may now be a list'}"

    def _values(self, before: _Kinds, after: _Kinds, where: str) -> Iterator[str]:
        """A reader must know every type that is sent; of a writer every type and every coded value must be taken."""
        if self._way is Way.OUT:
            odd, says = after.types - before.types, "may now be"
        else:
            odd, says = before.types - after.types, "may no longer be"
            open_ = after.types  # any text is taken now: so is every code of before
            odd |= set() if open_ else before.codes - after.codes
        yield from (f"{where or '/'}: {says} {each}" for each in sorted(odd))
        if before.codes and not (after.codes or after.types):
            yield f"{where or '/'}: is of another type"

    def _record(self, old: Schema, new: Schema, where: str, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        had, has = set(old.get("required", ())), set(new.get("required", ()))
        yield from (f"{where}/{name}: is gone" for name in before if name not in after)
        if self._way is Way.IN:
            yield from (f"{where}/{name}: must now be there" for name in sorted(has - had))
        else:
            yield from (f"{where}/{name}: may now be missing" for name in sorted((had - has) & after.keys()))
        for name in before:
            if name in after:
                yield from self.of(before[name], after[name], f"{where}/{name}", seen)


class _Kinds(msgspec.Struct):
    """What may stand at one place."""

    types: set[str]
    codes: set[str]  #: an enumeration's values: of what we send there may be more some day
    records: dict[str, Schema]  #: by what tells them apart, "" for the only one
    items: Schema | None


def _kinds(shape: Schema, records: Schema) -> _Kinds:
    found = _Kinds(set(), set(), {}, None)
    for each in _alternatives(shape, records):
        match each.get("type"):
            case "object" if "properties" in each:
                found.records[_tag(each)] = each
            case "array" if "items" in each:
                found.items = each["items"]
            case _ if "enum" in each:
                found.codes |= {json.dumps(value, ensure_ascii=False) for value in each["enum"]}
            case _:
                plain = {name: value for name, value in each.items() if name not in _WORDS}
                found.types.add(json.dumps(plain, sort_keys=True, ensure_ascii=False))
    return found


def _alternatives(shape: Schema, records: Schema) -> Iterator[Schema]:
    if "$ref" in shape:
        yield from _alternatives(records[shape["$ref"].rpartition("/")[2]], records)
    elif "anyOf" in shape:
        for each in shape["anyOf"]:
            yield from _alternatives(each, records)
    else:
        yield shape


def _tag(record: Schema) -> str:
    """Read what tells this record from the others of a union: the one value that its kind may have."""
    for name in _TAGS:
        values = record["properties"].get(name, {}).get("enum", [])
        if len(values) == 1:
            return str(values[0])
    return ""
