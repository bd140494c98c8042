"""Who did an administrative act, and from where: what set-up events say of it."""

from dataclasses import dataclass
from typing import Final

from callhelm_threecx.identity import Identity

ADMIN_KEY: Final = "admin key"
COMMAND_LINE: Final = "command line"
USER: Final = "user"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    ``by`` is the means: ``admin key``, ``command line``, ``user`` (of the host, whose id and name
    follow), ``program`` (a call of the Python interface that does not say more), or a word of the
    caller's. ``origin`` is the address that a request came from; empty when there was none.
    """

    by: str
    origin: str = ""
    user_id: str = ""
    user_name: str = ""

    @classmethod
    def of_user(cls, identity: Identity, origin: str) -> "Actor":
        """The host's signed-in user."""
        return cls(USER, origin, identity.user_id, identity.name)

    def detail(self) -> dict[str, str]:
        """What an event's raw data say: ``by``, and ``origin``, ``userId``, ``userName`` where
        they are known."""
        known = {"origin": self.origin, "userId": self.user_id, "userName": self.user_name}
        return {"by": self.by, **{name: value for name, value in known.items() if value}}


PROGRAM: Final = Actor("program")
AT_COMMAND_LINE: Final = Actor(COMMAND_LINE)
