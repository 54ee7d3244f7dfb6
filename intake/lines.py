"""JSON lines in, Appeal JSON lines out with routing: `normalize` and `decide` without any server, one line for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from connectors.raw_appeal import Mode, RawAppeal, appeal_id
from intake.tables import Tables
from normalizer.appeal import Appeal, DecidedBy, Routing
from normalizer.errors import Unmappable
from normalizer.flow import normalize
from router.dispatch import Context
from router.dispatching.decide import decide

SOURCE = "lines"
_CONTEXT = Context(mode=Mode.ROUTE)


#: A message with several requests (一条多诉): as one, and in `parts` each as it is stored and sent.
Parted = dict[str, Any]


class Bad(msgspec.Struct, frozen=True):
    """What stands in the place of a line that could not be read. Never a citizen's words."""

    error: str
    line: int


class _Id(msgspec.Struct, frozen=True):
    """All that is read of a line before its mapper reads it."""

    native_id: str | int | None = None


class Reader:
    """Reads lines with one set of tables."""

    def __init__(self, tables: Tables, channel: str, ref_key: bytes) -> None:
        self._tables = tables
        self._channel = channel
        self._ref_key = ref_key
        self._id = msgspec.json.Decoder(_Id)
        self._encoder = msgspec.json.Encoder()

    def read(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield one line of JSON for each line, in order."""
        for number, line in enumerate(lines, start=1):
            yield self._encoder.encode(self._read(line, number)) + b"\n"

    def _read(self, line: bytes, number: int) -> Appeal | Parted | Bad:
        try:
            return self._appeal(line.strip().removeprefix(b"\xef\xbb\xbf"), number)
        except Unmappable as error:
            return Bad(str(error), number)
        except msgspec.ValidationError as error:
            return Bad(f"the line is not as asked for: {error}", number)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Bad("the line is not JSON in UTF-8", number)
        except Exception as error:  # noqa: BLE001 - a line that fails is the failure of one; its text stays out of sight
            return Bad(f"unexpected {type(error).__name__}", number)

    def _appeal(self, line: bytes, number: int) -> Appeal | Parted:
        named = self._id.decode(line).native_id
        native_id = f"line-{number}" if named in {None, ""} else str(named)
        raw = RawAppeal(
            id=appeal_id(SOURCE, native_id),
            source=SOURCE,
            kind="line",
            channel=self._channel,
            native_id=native_id,
            payload=line,
            transport="import",
        )
        made = normalize(raw, self._tables.normalizer, self._ref_key)
        appeal = self._routed(made.appeal)
        if not made.parts:
            return appeal
        return {**msgspec.to_builtins(appeal), "parts": [self._routed(part.appeal) for part in made.parts]}

    def _routed(self, appeal: Appeal) -> Appeal:
        return msgspec.structs.replace(appeal, routing=self._routing(appeal))

    def _routing(self, appeal: Appeal) -> Routing:
        if appeal.quality.is_appeal:
            return decide(appeal, _CONTEXT, self._tables.router).routing
        return Routing(
            lead=None,
            assist=[],
            district=appeal.place.district,
            decided_by=DecidedBy.RULE,
            rule="not_an_appeal",
            confidence=1.0 - appeal.quality.appeal_score,
            evidence=[],
            alternatives=[],
            versions=self._tables.router.versions,
        )
