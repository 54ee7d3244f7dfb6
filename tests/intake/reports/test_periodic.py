"""Daily, weekly and monthly reports: what they say is what the figures say, in three forms, of nobody by name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from pymongo import MongoClient
from python_calamine import CalamineWorkbook

from intake.focus import Row
from intake.main import main
from intake.migrations import NEWEST
from intake.reports.document import Document, Table, docx, html, xlsx
from intake.reports.material import Material
from intake.reports.period import Length, period_of
from intake.reports.periodic import BY_DEFAULT, Audience, report
from intake.servers import Servers
from router.cases.figures import FIGURES, reckon
from router.cases.measures import Rate
from tests.conftest import Database
from tests.intake.reports.city_ledger import NAME, NUMBER, filled
from tests.router.cases.ledgers import NOW, ledger
from tests.router.city import AT, UNITS, tables

SCRIPT = Path(__file__).resolve().parents[3] / "docs" / "figures.py"
LENGTHS: tuple[Length, ...] = ("daily", "weekly", "monthly")
AUDIENCES: tuple[Audience, ...] = ("调度", "汇总", "通报")


def event(title: str) -> Row:
    told: dict[str, Any] = {"voices": 3, "people": 2, "first": "2026-11-01", "last": "2026-11-09", "days": 8}
    told |= {"growth": None, "recurred": False, "reactions": {}, "criteria": [], "members": ["n1", "n2"], "why": "多"}
    return Row(rank=1, title=title, place="望湖区", category="0104", event="e", titled="a1", **told)


def made_of(length: Length = "monthly", day: date = date(2026, 11, 22), **more: Any) -> Material:
    told: dict[str, Any] = {
        "facts": ledger(),
        "units": {unit.code: unit for unit in UNITS},
        "categories": {"0104": "照明"},
    }
    told |= {"calendar": tables().calendar, "versions": {"分类表": "t1"}, "focus": [event("路灯不亮")]}
    return Material(period=period_of(length, day), now=NOW, **(told | more))


def table_of(document: Document, name: str) -> Table:
    (found,) = [table for table in document.tables if table.name == name]
    return found


@pytest.mark.parametrize(
    ("length", "day", "since", "until", "before"),
    [
        ("daily", "2026-03-01", "2026-03-01", "2026-03-02", "2026-02-28"),
        ("weekly", "2026-11-22", "2026-11-16", "2026-11-23", "2026-11-09"),
        ("weekly", "2027-01-01", "2026-12-28", "2027-01-04", "2026-12-21"),
        ("monthly", "2026-12-31", "2026-12-01", "2027-01-01", "2026-11-01"),
        ("monthly", "2026-03-31", "2026-03-01", "2026-04-01", "2026-02-01"),
    ],
)
def test_a_report_is_of_whole_days_of_the_city(length: Length, day: str, since: str, until: str, before: str) -> None:
    found = period_of(length, date.fromisoformat(day))
    assert [each.date().isoformat() for each in (found.since, found.until, found.before)] == [since, until, before]
    assert found.since.utcoffset() == timedelta(hours=8)


def test_a_report_says_what_the_figures_say() -> None:
    of = made_of()
    found = reckon(of.facts, of.span)
    rows = {row[0]: row[1] for row in table_of(report(of, "通报"), "办理指标").rows}
    for figure in FIGURES:
        if figure.kind != "count":
            assert rows[figure.title] == found[figure.name].text(), figure.name
    overview = {row[0]: row[1] for row in table_of(report(of, "汇总"), "受理概况").rows}
    assert overview["受理量"] == found["accepted"][0]
    for name in ("按渠道", "按类型", "按区县"):
        assert sum(int(str(row[1])) for row in table_of(report(of, "汇总"), name).rows) == found["accepted"][0], name
    defined = table_of(report(of, "通报"), "口径").rows
    assert [row[1] for row in defined] == [figure.name for figure in FIGURES]


@pytest.mark.parametrize(
    ("length", "day", "since", "until"),
    [
        ("daily", "2028-02-29", "2027-03-01", "2027-03-01"),
        ("weekly", "2026-11-22", "2025-11-17", "2025-11-24"),
        ("monthly", "2026-02-03", "2025-02-01", "2025-03-01"),
    ],
)
def test_a_year_ago_is_of_the_same_days(length: Length, day: str, since: str, until: str) -> None:
    found = period_of(length, date.fromisoformat(day)).a_year_ago
    assert [each.date().isoformat() for each in found] == [since, until]


def test_a_span_stands_beside_the_one_a_year_ago_where_anything_is_known_of_that() -> None:
    def year(**more: Any) -> list[Any]:
        overview = table_of(report(made_of(**more), "汇总"), "受理概况")
        assert overview.headings[-2:] == ("上年同期", "同比")
        return [row[-2:] for row in overview.rows if row[0] == "受理量"]

    now = made_of().found["accepted"][0]
    earlier = [replace(fact, opened_at=fact.opened_at.replace(year=2025)) for fact in ledger()]
    then = made_of(facts_a_year_ago=earlier).found_a_year_ago["accepted"][0]
    assert isinstance(now, int)
    assert isinstance(then, int)
    assert year(facts_a_year_ago=earlier) == [(then, (now - then) / then)]
    assert year() == [(None, None)]


def test_what_the_composite_weighs_is_the_citys() -> None:
    weights = {"response": 1, "solved": 1e-9, "satisfied": 1e-9}
    by_default, by_city = made_of().found, made_of(weights=weights).found
    assert by_city["composite"] != by_default["composite"]
    response = by_city["response"]
    assert isinstance(response, Rate)
    assert by_city["composite"][0] == pytest.approx(100 * response.numerator / response.denominator, abs=0.1)


def test_small_samples_have_no_rank_and_nobody_is_ranked_unless_that_is_wanted() -> None:
    known = next(fact for fact in ledger() if fact.satisfied and fact.excluded is None and not fact.hung)
    then = AT + timedelta(days=2)
    moments = {"visited_at": then, "contact_due": then, "close_due": then}
    small_unit = replace(known, case="one", unit="XFJ", hands=(), assist=(), **moments)
    of = made_of(facts=[*ledger(), small_unit])
    plain = table_of(report(of, "通报"), "单位办理情况")
    assert "组内名次" not in plain.headings
    ranked = table_of(report(of, "通报", ranked=True), "单位办理情况")
    rows = [dict(zip(ranked.headings, row, strict=True)) for row in ranked.rows]
    small = [row for row in rows if "样本少" in str(row["按时办结率"]) or row["按时办结率"] == "无件"]
    assert {row["组内名次"] for row in small} == {None}
    assert [row["综合分"] for row in small if row["单位"] == "信访局"] not in (["无件"], []), "it would have a rank"
    big = [row for row in rows if row["组内名次"] is not None]
    assert sorted(int(str(row["组内名次"])) for row in big) == list(range(1, len(big) + 1))
    assert big, "some unit of this ledger has enough cases"
    scores = [
        float(str(row["综合分"]).split("（")[0]) for row in sorted(big, key=lambda row: int(str(row["组内名次"])))
    ]
    assert scores == sorted(scores, reverse=True)


def test_those_on_duty_see_what_is_overdue_and_who_holds_it() -> None:
    of = made_of("daily")
    late = [fact for fact in of.open if fact.close_due is not None and fact.close_due <= NOW]
    document = report(of, "调度")
    listed = table_of(document, "超期未办").rows
    assert {row[0] for row in listed} == {fact.case_no for fact in late}
    assert not any(str(row[7]).endswith(" 00:00") for row in listed), "the end of a day is its 24:00"
    held = {row[0]: row for row in table_of(document, "各单位在办").rows}
    assert sum(int(str(row[4])) for row in held.values()) == len(late)
    assert {row[0] for row in table_of(document, "待研判和挂起的件").rows} == {fact.case_no for fact in of.waiting}


@pytest.mark.parametrize(("length", "audience"), list(zip(LENGTHS, AUDIENCES, strict=True)))
def test_an_empty_city_still_gets_its_report(length: Length, audience: Audience) -> None:
    document = report(made_of(length, facts=[], focus=[]), audience)
    assert all(form(document) for form in (html, xlsx, docx))
    assert table_of(document, "受理概况").rows[0][:2] == ("受理量", 0)


class Page(HTMLParser):
    """The cells of every table, by its heading."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.tables: dict[str, list[list[str]]] = {}
        self._heading, self._within = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._within = tag
        if tag == "h2":
            self._heading = ""
        elif tag == "tr":
            self.tables.setdefault(self._heading, []).append([])
        elif tag in {"td", "th"}:
            self.tables[self._heading][-1].append("")

    def handle_data(self, data: str) -> None:
        if self._within == "h2":
            self._heading += data
        elif self._within in {"td", "th"}:
            self.tables[self._heading][-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._within = ""


def words_of(file: bytes) -> str:
    """The text of a DOCX, cells apart."""
    text = ZipFile(BytesIO(file)).read("word/document.xml").decode()
    return re.sub(r"<[^>]+>", "|", text)


def test_what_citizens_wrote_is_text_in_every_form() -> None:
    evil = '<script>alert(1)</script>=HYPERLINK("http://x")\x07&'
    document = report(made_of("weekly", focus=[event(evil)]), "汇总")
    page = Page(html(document).decode())
    assert page.tags.isdisjoint({"script", "iframe", "link", "img", "a"})
    assert page.tables["重点关注"][1][1] == evil
    book = CalamineWorkbook.from_filelike(BytesIO(xlsx(document)))
    assert any(
        str(cell).startswith("<script>") for row in book.get_sheet_by_name("重点关注").to_python() for cell in row
    )
    assert "&lt;script&gt;" in words_of(docx(document))


@pytest.mark.parametrize("form", [html, xlsx, docx])
def test_the_same_data_gives_the_same_bytes(form: Any) -> None:
    first, again = form(report(made_of(), "通报")), form(report(made_of(), "通报"))
    assert first == again
    if form is not html:
        assert {part.date_time for part in ZipFile(BytesIO(first)).infolist()} == {(1980, 1, 1, 0, 0, 0)}


# ---------------------------------------------------------------- from a real store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mongo: Database, mongo_server: Servers) -> Path:
    """Two hundred cases of the last seventy days, and a row that nobody could read."""
    (tmp_path / "intake.toml").write_text(f'[database]\nname = "{mongo.name}"\n', encoding="utf-8")
    monkeypatch.setenv("MONGO_URL", mongo_server.mongo_url)
    monkeypatch.chdir(tmp_path)
    now = datetime.now(UTC).replace(microsecond=0)
    cases, appeals = filled(200, now)
    with MongoClient[dict[str, Any]](mongo_server.mongo_url) as client:
        db = client[mongo.name]
        db.cases.insert_many(cases)
        db.appeals.insert_many(appeals)
        db.raw.insert_one({"_id": "bad", "source": "s", "parked": {"stage": "parse", "at": now - timedelta(days=9)}})
        db.migrations.insert_one({"_id": "schema", "version": NEWEST})
    return tmp_path


def intake(*words: str) -> str:
    told = CliRunner().invoke(main, list(words))
    assert told.exit_code == 0, told.output
    return told.stdout


def days() -> tuple[str, str]:
    now = datetime.now(UTC)
    return f"{now - timedelta(days=80):%Y-%m-%d}", f"{now + timedelta(days=2):%Y-%m-%d}"


@pytest.mark.parametrize("unit", [[], ["ZJJ"]])
def test_the_exported_ledger_and_the_script_outside_say_what_the_command_says(store: Path, unit: list[str]) -> None:
    since, until = days()
    intake("export", "ledger", "--out", "ledger.jsonl")
    words = [sys.executable, str(SCRIPT), "ledger.jsonl", since, until, *unit]
    outside = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60, cwd=store).stdout
    there = {name: values for name, *values in map(str.split, outside.splitlines())}
    options = ["--unit", *unit] if unit else []
    here = json.loads(intake("export", "figures", "--since", since, "--until", until, *options, "--json"))
    assert {row["name"] for row in here} == set(there)
    for row in here:
        if row["kind"] == "rate":
            assert there[row["name"]] == [str(row["numerator"]), str(row["denominator"])], row["name"]
        elif row["kind"] == "spread" and row["name"] != "open_hours":  # that one goes on between two readings
            assert there[row["name"]][0] == str(row["n"]), row["name"]
        elif row["kind"] == "count":
            assert there[row["name"]] == [str(row["value"])], row["name"]
    text = (store / "ledger.jsonl").read_text("utf-8")
    assert len(text.splitlines()) == 201
    assert NAME not in text
    assert NUMBER not in text


def test_each_figure_opens_to_its_cases(store: Path) -> None:
    since, until = days()
    span = ["--since", since, "--until", until]
    figures = {row["name"]: row for row in json.loads(intake("export", "figures", *span, "--json"))}
    for name in ("on_time_close", "avg_handle_hours", "dq_score", "accepted"):
        opened = json.loads(intake("export", "figures", *span, "--open", name, "--json"))
        assert len(opened) == figures[name]["cases"] > 0, name
    due = figures["on_time_close"]
    assert due["cases"] == due["denominator"] - due["numerator"] > 0
    sources = json.loads(intake("export", "figures", *span, "--each", "source", "--json"))
    assert [each["source"] for each in sources] == ["s"]
    units = json.loads(intake("export", "figures", *span, "--each", "unit", "--json"))
    assert {each["unit"] for each in units} >= {"ZJJ", "CGJ"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["export", "figures", "--since", "2026-11-01", "--until", "2026-12-01", "--unit", "NOBODY"], 2, "NOBODY"),
        (["export", "ledger", "--out", "nowhere/ledger.jsonl"], 1, "nowhere"),
    ],
)
def test_what_is_not_there_is_named(store: Path, words: list[str], code: int, said: str) -> None:
    told = CliRunner().invoke(main, words)
    assert told.exit_code == code, told.output
    assert said in told.stderr
    assert "Traceback" not in told.output


@pytest.mark.parametrize("length", LENGTHS)
def test_reports_are_written_in_three_forms_and_name_nobody(store: Path, length: Length) -> None:
    names = [f"r{suffix}" for suffix in (".html", ".xlsx", ".docx")]
    told = json.loads(intake("report", length, *(word for name in names for word in ("--out", name)), "--json"))
    assert told["kind"] == BY_DEFAULT[length]
    figures = {row["name"]: row for row in told["figures"]}
    accepted = figures["accepted"]["value"]
    page = Page((store / "r.html").read_text("utf-8"))
    assert dict(row[:2] for row in page.tables["受理概况"])["受理量"] == str(accepted)
    sheet = CalamineWorkbook.from_path(store / "r.xlsx").get_sheet_by_name("受理概况").to_python()
    assert [row[1] for row in sheet if row[0] == "受理量"] == [accepted]
    words = words_of((store / "r.docx").read_bytes())
    assert re.search(rf"受理量\|+{accepted}\|", words)
    if length == "monthly":
        assert dict(row[:2] for row in page.tables["办理指标"])["按时办结率"] == figures["on_time_close"]["text"]
    whole = (
        (store / "r.html").read_text("utf-8") + words + str(CalamineWorkbook.from_path(store / "r.xlsx").sheet_names)
    )
    assert NAME not in whole
    assert NUMBER not in whole


@pytest.mark.parametrize(
    "words",
    [
        ["report", "daily", "--out", "x.pdf"],
        ["report", "daily", "--out", "nowhere/x.html"],
        ["report", "daily", "--day", "yesterday", "--out", "x.html"],
        ["report", "monthly", "--month", "2026-13", "--out", "x.html"],
        ["report", "monthly", "--month", "2026-11", "--day", "2026-11-22", "--out", "x.html"],
        ["report", "weekly", "--kind", "年报", "--out", "x.html"],
        ["report", "daily"],
        ["export", "figures", "--since", "2026-11-02", "--until", "2026-11-01"],
        ["export", "figures", "--since", "2026-11-01", "--until", "2026-11-02", "--open", "nothing"],
    ],
)
def test_what_cannot_be_is_bad_usage_and_says_what_can(words: list[str]) -> None:
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 2, told.output
    assert "Traceback" not in told.output


MANY, MEGABYTES = 10_000, 250
_MEASURED = (
    "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:]); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024); sys.exit(done.returncode)"
)


@pytest.mark.live
@pytest.mark.timeout(600)
def test_a_report_of_many_cases_stays_small(store: Path, mongo_server: Servers, mongo: Database) -> None:
    with MongoClient[dict[str, Any]](mongo_server.mongo_url) as client:
        db = client[mongo.name]
        for name in ("cases", "appeals"):
            rows = list(db[name].find({}))
            for copy in range(MANY // len(rows)):
                db[name].insert_many([{**row, "_id": f"{copy:03}{row['_id']}"} for row in rows], ordered=False)
        # What stands is compared once more by the second look; that is another test's matter.
        db.matter_work.delete_many({})
    command = Path(sys.executable).with_name("intake")
    words = [sys.executable, "-c", _MEASURED, str(command), "report", "monthly", "--out", "month.xlsx"]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=500, cwd=store)
    assert int(done.stdout.split()[-1]) < MEGABYTES
