"""The server's own list of what it offered: the outside proof of the balance.

The rule: whatever row was put into an answer with status 200 is written here at that moment, under the native id that
a connector of that kind uses. A 304, an error, a 429 or a broken answer offers nothing.

* hotline_12345: `orderId`; a row that has none: `row-` and blake2b of its compact JSON, 9 bytes in hexadecimal
* feed: the guid (RSS), id (Atom, JSON Feed)
* discuz: `t<tid>` for a thread and its first post, `p<pid>` for a reply
* waline: `objectId`, as text

A row that cannot be read has `malformed`, which says why: whoever balances it finds it parked.
"""

from __future__ import annotations

import msgspec


class Row(msgspec.Struct):
    """What became of one offered item, as it was last sent."""

    state: str = "live"  #: live or withdrawn
    edited: int = 0  #: how often its content had been changed when it was last sent
    sent: int = 0  #: in how many answers
    malformed: str | None = None  #: why it cannot be read, if so


class Offered:
    """One list a source, in the order of first offer."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Row]] = {}

    def sent(
        self, source: str, native_id: str, *, edited: int = 0, withdrawn: bool = False, malformed: str | None = None
    ) -> None:
        """Write down that an answer held this row."""
        row = self._rows.setdefault(source, {}).setdefault(native_id, Row())
        row.sent += 1
        row.edited = edited
        row.state = "withdrawn" if withdrawn else "live"
        row.malformed = malformed

    def gone(self, source: str, native_id: str) -> None:
        """The source took it back; only what was offered before is of interest."""
        row = self._rows.get(source, {}).get(native_id)
        if row is not None:
            row.state = "withdrawn"

    def listing(self) -> dict[str, dict[str, Row]]:
        """Everything, as GET /demo/offered shows it: source -> native id -> row."""
        return {name: dict(rows) for name, rows in sorted(self._rows.items())}
