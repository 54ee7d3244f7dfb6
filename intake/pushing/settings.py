"""What an operator says of a department that messages are pushed to: a table `[[push]]` each."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from connectors.asking.addresses import is_private
from intake.pushing.signing import BadKey, keys_of


class Push(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """推送给一个单位: where to, signed with what."""

    department: str
    url: str
    key_env: str  #: the variable that holds its key, or two while keys change
    private: bool = False  #: the address is one of our own network (政务外网): private addresses and plain http allowed
    ca: Path | None = None  #: PEM of whoever signed its certificate, where that is no public authority

    def __repr__(self) -> str:
        """Show no address: it may hold a token."""
        return f"Push({self.department})"

    def problems(self, environment: Mapping[str, str]) -> list[str]:
        """What can't be used; the first word names the setting."""
        problems = []
        try:
            address = urlsplit(self.url)
            _ = address.port
        except ValueError:
            return ["url 不是合法的地址 · is no address"]
        if address.scheme != "https" and not (self.private and address.scheme == "http"):
            problems.append(
                "url 要用 https；内网地址可写 private = true 后用 http · must be https, or http with private"
            )
        if not address.hostname or address.username or address.fragment:
            problems.append("url 要有主机名，不带账号和 # · must name a host, without a login and #")
        elif not self.private and _leads_inside(address.hostname):
            problems.append("url 是内网地址：确实是就写 private = true · is of a private network: say private = true")
        try:
            keys_of(environment.get(self.key_env, ""))
        except BadKey as wrong:
            problems.append(f"key_env 环境变量 {self.key_env} 不能用：{wrong}")
        return problems


def _leads_inside(host: str) -> bool:
    """Say it of an address that is written as a number; names are looked at when they are resolved."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower() == "localhost"
    return is_private(host)
