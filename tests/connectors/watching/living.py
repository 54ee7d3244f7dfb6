"""Lets a recording live: the same source on other days, with new ids, times, words and counts, and nothing wrong.

What is answered grows by generations: whenever something new was posted, every row has other ids, other minutes and
other words of other lengths. What a connector asks is translated back, so that the recorded answers are found.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from connectors.base import BadItem, Item, Page, Request, Response
from connectors.channels.http_json.presets import FOLDER as PRESETS
from connectors.errors import ConnectorError
from connectors.keeping.offers import ROWS, UNREADABLE
from connectors.reading.encoding import text_of
from connectors.receiving.contract import Pushed, Refused
from connectors.watching.reading import Reading
from connectors.watching.shape import route_of
from tests.connectors.push_recording import PushRecording
from tests.connectors.recording import Recording
from tests.connectors.watching.documents import Mail, document_of

#: A change of one answer: its bytes, and what they are called (Content-Type).
Alter = Callable[[bytes, str], tuple[bytes, str]]

_WORDS = re.compile(r"[\u4e00-\u9fff]{4,}")
_POOL = "路灯水电气暖楼道门口积垃圾噪声夜里施工公交站台树枝井盖漏停车位物业电梯维修学校门前斑马线信号广场小区河边异味"
_TIME = re.compile(
    r"(?<!\d)(\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?[T ]|\d{1,2} [A-Z][a-z]{2} \d{4} )(\d{1,2}):(\d{2})(?=\D)"
)
_EPOCH = re.compile(r"(?<![\d.])(1[5-9]\d{8})(\d{3})?(?![\d.])")
_COUNTS = re.compile(r'("(?:like|likes|views|vote|agree|hits|ups|downs|dislikes|reply_count|views)"\s*:\s*)(\d+)')

#: An id of one digit, where the name before it says so, or the line begins with it.
_LONE = re.compile(r'((?:"(?:id|tid|pid|parent|ticketId|orderId|ticket_id)"\s*:\s*"?)|^)(\d)(?=["}\s,])', re.MULTILINE)


def plain(body: bytes, content_type: str) -> tuple[bytes, str]:
    """Nothing is wrong."""
    return body, content_type


class Living:
    """One recorded source, as it goes through time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_pushed = (folder / "push.toml").exists()
        self.recording: Any = PushRecording(folder) if self.is_pushed else Recording(folder)
        self.is_asked = not self.is_pushed and self.recording.kind.open_file is None
        self.told: str = (folder / ("push.toml" if self.is_pushed else "recording.toml")).read_text("utf-8")
        preset = PRESETS / f"{self.recording.told['source'].get('preset')}.toml"
        self.told += preset.read_text("utf-8") if preset.exists() else ""
        self.settings = self.recording.settings
        self._ids = _ids_of(self.recording)
        self._back: dict[str, str] = {}
        self._grown: dict[tuple[str, int], bytes] = {}
        self.bodies: list[bytes] = []  #: what the last reading was told
        self.routes: dict[str, set[bytes]] = {}  #: … by kind of question
        self.route = ""  #: which is being answered

    async def read(self, generation: int, alter: Alter = plain) -> tuple[Reading, ConnectorError | None]:
        """Read it whole."""
        reading = Reading(self.settings.zone)
        self.bodies, self.routes = [], {}
        try:
            if self.is_pushed:
                self._receive(reading, generation, alter)
            elif self.recording.kind.open_file is not None:
                await self._read_file(reading, generation, alter)
            else:
                await self._read_server(reading, generation, alter)
        except ConnectorError as error:
            return reading, error
        return reading, None

    async def _read_server(self, reading: Reading, generation: int, alter: Alter) -> None:
        asked = 0

        async def fetch(request: Request) -> Response:
            nonlocal asked
            asked += 1
            if asked > 40:
                raise ConnectorError("the reading does not end")
            response = await self._answer(request, generation, alter)
            reading.heard(request, response)
            return response

        connector = self.recording.kind.open(self.settings, fetch, self.recording.told.get("environment", {}))
        async for page in connector.pages(None):
            reading.read(page)

    async def _answer(self, request: Request, generation: int, alter: Alter) -> Response:
        self.recording.asked.clear()
        response: Response = await self.recording.fetch(self._as_recorded(request))
        if response.status != 200:
            return response
        self.route = route_of(request)
        body, content_type = alter(self._grow(response.body, generation), response.headers["content-type"])
        self.bodies.append(body)
        self.routes.setdefault(self.route, set()).add(body)
        return msgspec.structs.replace(response, body=body, headers={**response.headers, "content-type": content_type})

    async def _read_file(self, reading: Reading, generation: int, alter: Alter) -> None:
        """A file is asked of nobody: its rows are all that is seen of it."""
        name = self.recording.told["file"]
        body, _ = alter(self._grow((self.folder / name).read_bytes(), generation), "")
        self.bodies.append(body)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, name)
            file.write_bytes(body)
            async for page in self.recording.connect(file).pages(None):
                reading.read(page)

    def _receive(self, reading: Reading, generation: int, alter: Alter) -> None:
        """What is pushed is stored or turned away; the sentinel looks at what is stored (keeping/offers.py)."""
        receiver = self.recording.receiver()
        stored: dict[str, Item | BadItem] = {}
        for pushed in self.recording.pushes():
            try:
                page = receiver.receive(self._pushed(pushed, generation, alter)).page
            except Refused as refused:
                reading.refused[refused.reason] += 1
                continue
            for row in (*page.items, *page.bad):
                before = stored.get(row.native_id)
                if isinstance(before, Item) and isinstance(row, Item) and hasattr(receiver, "merge"):
                    row = receiver.merge(before.payload, row.payload)  # noqa: PLW2901
                stored[row.native_id] = row
        if stored:
            reading.read(_looked_at(list(stored.values())))

    def _pushed(self, pushed: Pushed, generation: int, alter: Alter) -> Pushed:
        if pushed.form:  # short words too: a form holds little else
            body, _ = alter(self._other_form(pushed.form, generation), "")
            self.bodies.append(body)
            return _form(pushed, body)
        body, _ = alter(self._grow(pushed.body, generation), pushed.headers.get("content-type", ""))
        self.bodies.append(body)
        changed: Pushed = self.recording.with_body(pushed, body)
        return changed

    def _as_recorded(self, request: Request) -> Request:
        return Request(
            url=self._backwards(request.url),
            query={name: self._backwards(value) for name, value in request.query.items()},
            headers=request.headers,
            method=request.method,
            body=None if request.body is None else self._backwards(request.body.decode()).encode(),
        )

    def _backwards(self, text: str) -> str:
        for new in sorted(self._back, key=len, reverse=True):
            if new in text:
                text = re.sub(rf"(?<!\w){re.escape(new)}(?!\w)", self._back[new], text)
        return text

    def _grow(self, body: bytes, generation: int) -> bytes:
        key = (body.hex() if len(body) < 64 else str(hash(body)), generation)
        if key not in self._grown:
            if len(self._grown) > 64:
                self._grown.clear()
            self._grown[key] = self._made(body, generation)
        return self._grown[key]

    def _made(self, body: bytes, generation: int) -> bytes:
        document = document_of(body)
        if isinstance(document, Mail):  # its words are wrapped
            row = document.rows[0]
            row |= {name: self._others(row[name], generation) for name in ("Subject", "text") if name in row}
            body = document.body()
        text = text_of(body)
        encoding = "utf-8" if text.encode("utf-8", "replace") == body.removeprefix(b"\xef\xbb\xbf") else "gb18030"
        chance = random.Random(generation)
        minutes = chance.randrange(0, 28)  # never half an hour apart: that would be a shift
        text = _TIME.sub(lambda match: self._later(match, minutes), text)
        text = _EPOCH.sub(lambda match: self._later_epoch(match, minutes), text)
        text = _LONE.sub(lambda match: match[1] + self._lone(match[2], generation), self._new_ids(text, generation))
        text = self._others(text, generation)
        text = _COUNTS.sub(lambda match: match[1] + str(int(match[2]) + chance.randrange(9)), text)
        return text.encode(encoding, "replace")

    def _later(self, match: re.Match[str], minutes: int) -> str:
        if int(match[2]) > 23 or int(match[3]) > 59:
            return match[0]  # recorded so: a row with a broken time
        moved = datetime(2000, 1, 1, int(match[2]), int(match[3]), tzinfo=UTC) + timedelta(minutes=minutes)
        if moved.day != 1:
            return match[0]
        hour = f"{moved:%H}" if len(match[2]) == 2 else str(moved.hour)
        made = f"{match[1]}{hour}:{moved:%M}"
        self._back[made] = match[0]
        return made

    def _later_epoch(self, match: re.Match[str], minutes: int) -> str:
        made = str(int(match[1]) + 60 * minutes) + (match[2] or "")
        self._back[made] = match[0]
        return made

    def _new_ids(self, text: str, generation: int) -> str:
        if generation == 0 or not self._ids:
            return text
        names = "|".join(re.escape(each) for each in sorted(self._ids, key=len, reverse=True))
        standing = rf'(?<=["\'>,/\s:=|])({names})(?=["\'<,}}\]\s|])'

        def changed(match: re.Match[str]) -> str:
            made = _id_of(match[1], generation)
            self._back[made] = match[1]
            return made

        return re.sub(standing, changed, text)

    def _lone(self, id_: str, generation: int) -> str:
        if generation == 0 or id_ not in self.recording.told.get("ids", ()):
            return id_
        made = _id_of(id_, generation)
        self._back[made] = id_
        return made

    def _other_form(self, form: Mapping[str, str], generation: int) -> bytes:
        grown = {
            name: re.sub(r"[\u4e00-\u9fff]{2,}", lambda match: self._other_words(match[0] * 3, generation), value)
            for name, value in form.items()
        }
        return msgspec.json.encode(grown)

    def _others(self, text: str, generation: int) -> str:
        return _WORDS.sub(lambda match: self._other_words(match[0], generation), text)

    def _other_words(self, words: str, generation: int) -> str:
        if words in self.told:
            return words  # the settings know this word
        chance = random.Random(f"{generation} {words}")
        length = max(4, round(len(words) * chance.lognormvariate(0, 0.35)))
        return "".join(chance.choice(_POOL) for _ in range(length))


def _form(pushed: Pushed, body: bytes) -> Pushed:
    """A form has no null, and writes what is in a field as name[key]; what is no form any more is the whole body."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.structs.replace(pushed, form={}, body=body)
    form: dict[str, str] = {}
    for name, value in fields.items():
        inner = {f"{name}[{key}]": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
        form |= {key: str(each) for key, each in inner.items() if each is not None}
    return msgspec.structs.replace(pushed, form=form)


def _looked_at(rows: list[Item | BadItem]) -> Page:
    """One look of the sentinel at what was pushed to us: a few items opened, of the others that they came."""
    items = [row for row in rows if isinstance(row, Item)][-ROWS:]
    return Page(
        offered=tuple(row.native_id for row in rows),
        items=tuple(Item(native_id=item.native_id, payload=item.payload, content=()) for item in items),
        bad=tuple(
            BadItem(native_id=row.native_id, payload=b"", reason=UNREADABLE) for row in rows if isinstance(row, BadItem)
        ),
        cursor=None,
    )


def _ids_of(recording: Any) -> set[str]:
    """The ids that can be told from other numbers: a lone 1 is also a page, a count or a state."""
    named = {each for id_ in recording.told.get("ids", ()) for each in (id_, re.sub(r"^[a-z]+(?=\d+$)", "", id_))}
    return {each for each in named if len(each) > 1 or not each.isdigit()}


def _id_of(id_: str, generation: int) -> str:
    return str(int(id_) + generation * 10 ** max(6, len(id_))) if id_.isdigit() else f"{id_}{generation:03d}"
