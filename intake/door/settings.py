"""What an operator may set of the door: the table `[door]`; without it nobody listens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

MIB = 1 << 20


class DoorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the door is, and how much a caller may bring."""

    listen: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 28090
    public_url: str = ""  #: how callers write it, such as https://12345.example.gov.cn/door
    largest_body: Annotated[int, msgspec.Meta(ge=1024, le=256 * MIB)] = 24 * MIB  #: bytes
    seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 20.0  #: for a whole request
    requests_per_minute: Annotated[float, msgspec.Meta(gt=0)] = 30_000.0  #: of one address, before it shows a key
    behind_proxy: bool = False  #: a proxy of ours is in front: the address is the last of X-Forwarded-For
    departments: bool = False  #: departments may fetch and answer here over HTTP, with their logins of the broker
    visits: bool = False  #: citizens answer the call-back here, by one-time links (回访链接)
    certificate: Path | None = None  #: PEM; without it a proxy in front must do TLS
    certificate_key: Path | None = None

    def problems(self) -> list[str]:
        """What does not fit together; the first word names the setting."""
        problems = []
        if (self.certificate is None) != (self.certificate_key is None):
            problems.append("certificate 与 certificate_key 要一起写 · certificate and certificate_key go together")
        if self.public_url and not self.public_url.startswith(("http://", "https://")):
            problems.append("public_url 要以 http:// 或 https:// 开头 · must begin with http:// or https://")
        safe = self.certificate is not None or self.behind_proxy or self.listen in {"127.0.0.1", "::1", "localhost"}
        if self.departments and not safe:
            problems.append(
                "departments 要加密：写 certificate，或放在代理后面（behind_proxy）· passwords come in: "
                "write certificate, or put a proxy in front (behind_proxy)"
            )
        return problems
