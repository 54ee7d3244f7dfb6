"""Real servers for a demonstration, the tests and a single machine: START HERE.

Rooms never see this package; the front door asks `embedded` for addresses and hands clients on.

- A server named by `MONGO_URL` or `AMQP_URL` is used as it is and never started or stopped.
- One that runs already for this folder is used too (`.intake/servers.json` remembers it).
- Otherwise it is started, in a session of its own so that a Ctrl-C in the terminal does not reach it, and the last
  command that uses it stops it, unless `intake servers up` asked to keep it.
"""

from intake.servers.addresses import Servers
from intake.servers.errors import NotWritten, ServerError, ServerFailed, ServerMissing
from intake.servers.keeper import ServerStatus, down, embedded, status, up, watch

__all__ = [
    "NotWritten",
    "ServerError",
    "ServerFailed",
    "ServerMissing",
    "ServerStatus",
    "Servers",
    "down",
    "embedded",
    "status",
    "up",
    "watch",
]
