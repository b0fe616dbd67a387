"""What may end a command early. Each is named by what the person at the terminal can do about it."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can put right.

    ``message`` is one or two sentences that say what is wrong and what to do next; it reaches the terminal as
    it stands.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NothingToAudit(UserError):
    """The paths hold nothing that Shoreup reads. Apart from other errors, because a pipeline may accept it."""
