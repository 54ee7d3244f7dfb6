"""The process beside a worker (beside.py): it answers pages with what is made of them, until the pipe is closed.

It loads what `normalize` needs and nothing else, neither drivers nor the loop: two processes share one worker's memory.
"""

from __future__ import annotations

import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from connectors.raw_appeal import RawAppeal
from intake.street.collecting import look_seldom
from normalizer.normalize import finish_all
from normalizer.tables import load_tables

LENGTH = struct.Struct(">I")  #: before every frame of the pipe


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is told first; by the pipe, since a command line is no place for a key."""

    taxonomy: str | None
    places: str | None
    words: str | None
    city: str | None
    ref_key: bytes


def main() -> None:
    """Answer page by page until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the worker's; it closes the pipe when it is done
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    begin = msgspec.msgpack.decode(_read(asked), type=Begin)
    taxonomy, places, words = (path and Path(path) for path in (begin.taxonomy, begin.places, begin.words))
    tables = load_tables(taxonomy or None, places or None, begin.city, words or None)
    _write(answers, msgspec.msgpack.encode(dict(tables.versions)))
    look_seldom()
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(list[RawAppeal]).decode
    while frame := _read(asked):
        _write(answers, encode(finish_all(decode(frame), tables, begin.ref_key)))


def _read(pipe: BinaryIO) -> bytes:
    head = pipe.read(LENGTH.size)
    return pipe.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""


def _write(pipe: BinaryIO, frame: bytes) -> None:
    pipe.write(LENGTH.pack(len(frame)))
    pipe.write(frame)
    pipe.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
