"""Where the servers are: the addresses that the environment names, or those of our own."""

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

import msgspec

MANAGEMENT_PORT = 15672


class Servers(msgspec.Struct, frozen=True):
    """Addresses with credentials: hand them to a client, never to a log. Empty: was not asked for."""

    mongo_url: str = ""
    amqp_url: str = ""
    management_url: str = ""

    def __repr__(self) -> str:
        return f"Servers(mongo={host(self.mongo_url)}, broker={host(self.amqp_url)})"


def named(environment: Mapping[str, str]) -> Servers:
    """The addresses that the environment names."""
    amqp_url = environment.get("AMQP_URL", "")
    return Servers(
        mongo_url=environment.get("MONGO_URL", ""),
        amqp_url=amqp_url,
        management_url=environment.get("AMQP_MANAGEMENT_URL") or management_beside(amqp_url),
    )


def management_beside(amqp_url: str) -> str:
    """The management API's usual address for a broker: same host and user, port 15672."""
    if not amqp_url:
        return ""
    parts = urlsplit(amqp_url)
    login, at, _ = parts.netloc.rpartition("@")
    scheme = "https" if parts.scheme == "amqps" else "http"
    return urlunsplit((scheme, f"{login}{at}{parts.hostname}:{MANAGEMENT_PORT}", "", "", ""))


def host(url: str) -> str:
    """What of an address may be shown: where, without who and with what password."""
    return urlsplit(url).netloc.rpartition("@")[2] or "-"
