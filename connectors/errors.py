"""What may go wrong while reading a channel, grouped by what the reader does next.

ConnectorError
├── TryLater           wait, then ask again
│   ├── SourceDown     no answer, a 5xx, a broken connection
│   └── Resting        not asked for .seconds: its quiet hours, or it failed too often
│       └── RateLimited    the source itself asked us to wait
├── StopSource         stop this source and call an operator; the others go on
│   ├── AccessDenied   401, 403, a log-in page
│   └── FormatChanged  the answer is not what this connector knows
│       └── LeadsAway  an address that is none of the source's hosts: nothing was asked
└── ClaimLapsed        another worker reads this source by now: drop what you hold
"""


class ConnectorError(Exception):
    """Reading a channel failed; the message says what happened, where, and what to do next."""


class TryLater(ConnectorError):
    """Wait, then ask for the same page again."""


class SourceDown(TryLater):
    """The source does not answer, or answers that it is broken."""


class Resting(TryLater):
    """The source is left alone for a known time: nothing was asked."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class RateLimited(Resting):
    """The source asks for patience."""


class StopSource(ConnectorError):
    """Stop this source and call an operator."""


class AccessDenied(StopSource):
    """The key, the password or the permission is refused."""


class FormatChanged(StopSource):
    """The source answers in a form that this connector does not know."""


class LeadsAway(FormatChanged):
    """An address leads to a host that the settings do not name; where it is a row's own, that row alone is parked."""


class ClaimLapsed(ConnectorError):
    """Another worker reads this source by now; what it stores stands, and this worker drops what it holds."""
