"""What may go wrong while normalizing, grouped by what the caller does next.

NormalizeError
├── Unmappable   set this one item aside in `unmapped` and go on with the others
├── TableError   stop at start: .problems lists every mistake of the tables at once
└── StoreAway    wait, then run the same page again
"""


class NormalizeError(Exception):
    """Normalizing failed; the message says what happened and never holds a citizen's words."""


class Unmappable(NormalizeError):
    """This item cannot be read as an appeal; the message is the reason that stands in `unmapped`."""


class TableError(NormalizeError):
    """A table cannot be used as it stands."""

    def __init__(self, problems: list[str]) -> None:
        """Keep all problems, so that they can be told at once."""
        super().__init__("\n".join(problems))
        self.problems = problems


class StoreAway(NormalizeError):
    """The database does not answer: wait, then run the same page again; all that was done can be repeated."""
