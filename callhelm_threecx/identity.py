"""Who is signed in to the host: what a host tells the plugin about its own user.

A host that has a sign-in of its own gives the plugin a callable that reads it from the WSGI
environ; set-up and the log are then open to the host's administrators without a second key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Role(str, Enum):
    """What a user may do in one organization; the values are Call-Helm's."""

    SUPER_ADMIN = "super_admin"
    ORG_ADMIN = "org_admin"
    TEAM_LEAD = "team_lead"
    AGENT = "agent"
    BILLING_ADMIN = "billing_admin"

    @property
    def may_set_up(self) -> bool:
        """Whether this role may change the organization's integration; every role may read it."""
        return self in {Role.SUPER_ADMIN, Role.ORG_ADMIN}


@dataclass(frozen=True, slots=True)
class Identity:
    """The host's signed-in user.

    ``roles`` holds the user's role in each organization that they belong to. ``is_system_admin``
    opens every organization. ``name`` is what a page greets and the log names: a name or an e-mail
    address.
    """

    user_id: str
    name: str = ""
    roles: Mapping[str, Role] = field(default_factory=dict)
    is_system_admin: bool = False

    def may_read(self, organization_id: str) -> bool:
        """Whether the user belongs to the organization."""
        return self.is_system_admin or organization_id in self.roles

    def may_set_up(self, organization_id: str) -> bool:
        """Whether the user administers the organization."""
        role = self.roles.get(organization_id)
        return self.is_system_admin or (role is not None and role.may_set_up)


IdentityHook = Callable[[Mapping[str, Any]], Identity | None]
"""The host's answer to "who is this?": from the WSGI environ; None when nobody is signed in."""
