"""A real server (真实的服务器) as the people use it who write there: what each test needs of all of them."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Protocol

from intake.servers.processes import free_port

SERVERS = Path(__file__).parent.parent / "servers"
COMES_UP_WITHIN = 180.0


class Site(Protocol):
    """Where people write; `settings` is all that reading it takes."""

    settings: str  #: the source's table in intake.toml
    environment: Mapping[str, str]  #: the keys that it names

    def post(self, title: str, text: str, to: str | None = None) -> str:
        """Write something, perhaps as a reply; its id."""
        ...

    def edit(self, id_: str, text: str) -> None:
        """Write it anew."""
        ...

    def delete(self, id_: str) -> None:
        """Take it back; nothing hangs under it."""
        ...

    def living(self) -> dict[str, str]:
        """Everything that the server itself shows: the judge of what we read."""
        ...

    def count(self) -> int:
        """How many it says they are."""
        ...


class Browser:
    """Asks as a browser would; every answer but 2xx is an error of the test."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.headers = dict(headers or {})
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[Any, Mapping[str, str]]:
        data = None if body is None else json.dumps(body).encode()
        told = {"Content-Type": "application/json", **self.headers, **headers}
        request = urllib.request.Request(self.url + path, data, told, method=method)
        while True:
            try:
                with self._opener.open(request, timeout=60) as answer:
                    raw = answer.read()
                    kind = answer.headers.get("Content-Type", "")
                    return (json.loads(raw) if "json" in kind and raw else raw), answer.headers
            except urllib.error.HTTPError as error:
                if error.code != 429:
                    raise AssertionError(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error
                time.sleep(float(error.headers.get("Retry-After", "1")))

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask(method, path, body, **headers)[0]

    def answers(self, path: str) -> bool:
        try:
            with self._opener.open(self.url + path, timeout=5):
                return True
        except OSError:
            return False


@contextmanager
def started(name: str, folder: Path, is_up: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Start servers/NAME/start in a new folder, and stop it again; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    folder.mkdir()
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [SERVERS / name / "start", folder, str(port)], env=environment, stdout=log, stderr=log, stdin=log
        )
    try:
        wait_until(lambda: server.poll() is not None or Browser(url).answers(is_up), f"{name} to come up")
        said = (folder / "server.log").read_text("utf-8", "replace")[-2000:]
        assert server.poll() is None, f"{name} ended; `make live-servers` installs it. It said: {said}"
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = COMES_UP_WITHIN) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.2)
