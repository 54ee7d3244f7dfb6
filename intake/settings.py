"""Settings (设置): one TOML file, read once, checked together, handed in. Only this room reads the environment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from connectors.source import Source
from intake.door.settings import DoorSettings
from intake.exchange.settings import Exchange
from intake.item_keys import Cipher
from intake.pushing.settings import Push
from intake.settings_departments import read_exchanges, read_pushes
from intake.settings_problems import Lines, Problem, Problems, SettingsError, checked_fields
from intake.settings_sources import Kinds, read_sources
from router.cases.asked import COMPOSITE

S = TypeVar("S", bound=msgspec.Struct)

DEMO = Path(__file__).resolve().parent.parent / "demo" / "intake.toml"


class Database(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where appeals are kept; without a URL the embedded server is used."""

    name: str = "intake"
    url: str | None = None

    def __repr__(self) -> str:
        """Show no address: it may hold a password."""
        return f"Database({self.name})"


class Broker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where departments read; without a URL the embedded server is used."""

    vhost: str = "/"
    url: str | None = None
    management_url: str | None = None

    def __repr__(self) -> str:
        """Show no address: it may hold a password."""
        return f"Broker({self.vhost})"


class TableFiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The operator's tables; None is the packaged default."""

    taxonomy: Path | None = None
    words: Path | None = None
    places: Path | None = None
    directory: Path | None = None
    rules: Path | None = None
    deadlines: Path | None = None
    claims: Path | None = None
    holidays: Path | None = None


class Demo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The demonstration city's own server of sources, started with `run`."""

    server: bool = False
    host: str = "127.0.0.1"
    port: int = 28080


class Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the key files are, and what is sealed with."""

    folder: Path | None = None
    cipher: Cipher = Cipher.AES


Days = Annotated[int, msgspec.Meta(ge=1, le=36_500)]


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long personal data is kept (保存期限)."""

    contact_days: Days = 180  #: after a case is closed: contact, matter's data and raw text
    categories: dict[str, Days] = {}  #: the same for single classes: code of the class, or of the one above it
    chatter_days: Days = 7  #: raw text of what is no appeal
    raw_months: Annotated[int, msgspec.Meta(ge=1, le=1200)] = 24  #: whole months of raw texts


class Returns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How returns (退单) are reviewed."""

    automatic: bool = False  #: decided at once where precedents are clear; else a person decides each


class Figures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What 综合分 weighs (domain/KPIS.md: settled by each city); taken as shares of their sum."""

    response: Annotated[float, msgspec.Meta(gt=0)] = COMPOSITE["response"]
    solved: Annotated[float, msgspec.Meta(gt=0)] = COMPOSITE["solved"]
    satisfied: Annotated[float, msgspec.Meta(gt=0)] = COMPOSITE["satisfied"]

    @property
    def weights(self) -> Mapping[str, float]:
        return {"response": self.response, "solved": self.solved, "satisfied": self.satisfied}


class ReleaseLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when on a release of rules is refused (发布门槛), unless it is forced with a reason."""

    moved: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1  #: share of the appeals that would go elsewhere
    triage: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.02  #: by how much the share of triage may grow
    load: Annotated[float, msgspec.Meta(ge=0)] = 0.5  #: by how much the load of one department may grow


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator may set."""

    file: Path
    city: str = ""
    arbiter: str = ""  #: who decides after the third hop (裁定)
    contact: str = ""  #: whom a source's operator may call; part of the User-Agent
    database: Database
    broker: Broker
    tables: TableFiles
    demo: Demo
    keys: Keys
    retention: Retention = Retention()
    release: ReleaseLimits = ReleaseLimits()
    returns: Returns = Returns()
    figures: Figures = Figures()
    door: DoorSettings | None = None  #: None: nobody listens
    pushes: tuple[Push, ...] = ()  #: departments that messages are pushed to
    exchanges: tuple[Exchange, ...] = ()  #: departments that signed files are exchanged with
    sources: tuple[Source, ...]
    environment: Mapping[str, str]  #: handed on by name only (key_env); never shown

    def __repr__(self) -> str:
        """Show which file; its values and the environment may hold secrets."""
        return f"Settings({self.file})"

    def source(self, name: str) -> Source | None:
        return next((source for source in self.sources if source.name == name), None)


_TOP = (
    *("city", "arbiter", "contact", "database", "broker", "tables", "demo", "keys", "retention", "door"),
    *("release", "returns", "push", "exchange", "source"),
)


def find(asked: Path | None, folder: Path) -> tuple[Path, bool]:
    """Choose the settings file: the one asked for, ./intake.toml, or the demonstration's (True: say so)."""
    if asked is not None:
        return asked, False
    here = folder / "intake.toml"
    return (here, False) if here.exists() else (DEMO, True)


def load(file: Path, environment: Mapping[str, str], kinds: Kinds) -> Settings:
    """Read and check a settings file; `kinds` are the connectors' own declarations."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            [Problem(str(file), 1, f"读不了设置文件 · cannot read the settings file: {error}")]
        ) from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([_broken_toml(file, error)]) from error
    problems = Problems(file, Lines(text))
    settings = _settings(file, table, environment, kinds, problems)
    if problems.found:
        raise SettingsError(sorted(problems.found, key=lambda problem: problem.line))
    return settings


def _broken_toml(file: Path, error: tomllib.TOMLDecodeError) -> Problem:
    words = str(error)
    line = words.rpartition("line ")[2].split(",")[0]
    return Problem(str(file), int(line) if line.isdigit() else 1, f"不是合法的 TOML · not valid TOML: {words}")


def _settings(
    file: Path,
    table: dict[str, object],
    environment: Mapping[str, str],
    kinds: Kinds,
    problems: Problems,
) -> Settings:
    problems.known_keys((), table, _TOP)
    database = _part(table, "database", Database, problems)
    broker = _part(table, "broker", Broker, problems)
    return Settings(
        file=file,
        city=_text(table, "city", problems),
        arbiter=_text(table, "arbiter", problems),
        contact=_contact(table, problems),
        database=msgspec.structs.replace(database, url=environment.get("MONGO_URL") or database.url),
        broker=msgspec.structs.replace(
            broker,
            url=environment.get("AMQP_URL") or broker.url,
            management_url=environment.get("AMQP_MANAGEMENT_URL") or broker.management_url,
        ),
        tables=_tables(file, table, problems),
        demo=_part(table, "demo", Demo, problems),
        keys=_keys(file, table, problems),
        retention=_part(table, "retention", Retention, problems),
        release=_part(table, "release", ReleaseLimits, problems),
        returns=_part(table, "returns", Returns, problems),
        figures=_part(table, "figures", Figures, problems),
        door=_door(file, table, problems),
        pushes=tuple(read_pushes(file, table, environment, problems)),
        exchanges=tuple(read_exchanges(table, problems)),
        sources=read_sources(table, environment, kinds, problems),
        environment=environment,
    )


def _text(table: Mapping[str, object], key: str, problems: Problems) -> str:
    value = table.get(key, "")
    if isinstance(value, str):
        return value
    problems.tell((key,), f"{key} 应是文字 · {key} must be text")
    return ""


def _contact(table: Mapping[str, object], problems: Problems) -> str:
    """Read it; it is sent in a header of every request."""
    contact = _text(table, "contact", problems)
    if contact.isascii() and contact.isprintable():
        return contact
    problems.tell(("contact",), "contact 只能写邮箱、网址或电话 · contact must be an address in plain ASCII")
    return ""


def _part(table: Mapping[str, object], name: str, kind: type[S], problems: Problems) -> S:
    part = table.get(name, {})
    if not isinstance(part, dict):
        problems.tell((name,), f"[{name}] 应是一个表 · [{name}] must be a table")
        return kind()
    return kind(**checked_fields(part, kind, (name,), problems))


def _tables(file: Path, table: Mapping[str, object], problems: Problems) -> TableFiles:
    files = _part(table, "tables", TableFiles, problems)
    beside = {}
    for name in TableFiles.__struct_fields__:
        path = getattr(files, name)
        if path is None:
            continue
        beside[name] = file.parent / path
        if not beside[name].is_file():
            problems.tell(("tables", name), f"没有这个表文件 {path} · no such table file: {path}")
    return TableFiles(**beside)


def _door(file: Path, table: Mapping[str, object], problems: Problems) -> DoorSettings | None:
    if "door" not in table:
        return None
    door = _part(table, "door", DoorSettings, problems)
    for problem in door.problems():
        problems.tell(("door", problem.split(" ", 1)[0]), problem)
    beside = {}
    for name in ("certificate", "certificate_key"):
        path = getattr(door, name)
        if path is None:
            continue
        beside[name] = file.parent / path
        if not beside[name].is_file():
            problems.tell(("door", name), f"没有这个文件 {path} · no such file: {path}")
    return msgspec.structs.replace(door, **beside)


def _keys(file: Path, table: Mapping[str, object], problems: Problems) -> Keys:
    keys = _part(table, "keys", Keys, problems)
    return keys if keys.folder is None else msgspec.structs.replace(keys, folder=file.parent / keys.folder)
