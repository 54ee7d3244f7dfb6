"""robots.txt as RFC 9309 has it."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.asking.robots import Rule, read_robots

FILE = b"""\xef\xbb\xbf# a forum
User-agent: Baiduspider
Disallow: /only-baidu

User-Agent: *
User-agent: other
Disallow: /admin/   # closed
Disallow: /*.pdf$
Disallow: /search?q=
Allow: /admin/open
Disallow:
Crawl-delay: 2.5
Disallow: /%E4%BF%A1

Sitemap: https://example.cn/sitemap.xml
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/only-baidu", True),
        ("/admin/users", False),
        ("/admin/open/1", True),
        ("/files/plan.pdf", False),
        ("/files/plan.pdf?page=2", True),
        ("/search?q=a", False),
        ("/search", True),
        ("/\u4fe1/1", False),
        ("/%E4%BF%A1/1", False),
        ("/robots.txt", True),
    ],
)
def test_the_longest_rule_for_us_counts(path: str, allowed: bool) -> None:
    assert read_robots(FILE).allows(path) is allowed


def test_how_long_to_wait_is_read_too() -> None:
    assert read_robots(FILE).delay == 2.5
    assert read_robots(b"User-agent: *\nCrawl-delay: soon").delay == 0
    assert read_robots(b"User-agent: *\nCrawl-delay: 86400").delay == 60


def test_a_group_of_our_own_name_is_the_only_one_that_counts() -> None:
    robots = read_robots(b"User-agent: *\nDisallow: /\n\nUser-agent: Intake/1\nDisallow: /private")
    assert robots.allows("/list")
    assert not robots.allows("/private")


def test_of_two_equally_long_rules_the_kinder_one_counts() -> None:
    assert read_robots(b"User-agent: *\nDisallow: /page\nAllow: /page").allows("/page")


def test_no_file_and_an_html_page_in_its_place_close_nothing() -> None:
    assert read_robots(b"").allows("/")
    assert read_robots(b"<html><body>Not: found</body></html>").allows("/")


@given(st.binary(max_size=300))
def test_whatever_the_file_holds_it_is_read(body: bytes) -> None:
    read_robots(b"User-agent: *\n" + body).allows("/a/b?c=d")


def test_a_line_of_many_stars_is_judged_at_once() -> None:
    start = time.monotonic()
    robots = read_robots(b"User-agent: *\nDisallow: /" + b"*a" * 40 + b"*b$\nDisallow: /x*y**z$\n")

    assert robots.allows("/" + "a" * 200)
    assert not robots.allows("/x-y-yz")
    assert robots.allows("/x-z-y")
    assert robots.allows("/x-y-z-")
    assert time.monotonic() - start < 2


@given(st.text("ab*$", max_size=8), st.text("ab$", max_size=10))
def test_stars_mean_what_they_mean(rule: str, path: str) -> None:
    body = re.escape(rule.removesuffix("$")).replace(r"\*", ".*") + ("$" if rule.endswith("$") else "")

    assert Rule(f"/{rule}", allows=False).fits(f"/{path}") is (re.match(f"/{body}", f"/{path}") is not None)
