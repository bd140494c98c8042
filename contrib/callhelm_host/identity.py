"""The identity hook: how the integration learns who is signed in to this host.

The integration calls the hook with the WSGI environ of a request to its set-up or its log that
shows no key. The answer says who it is and what they are in which organization; what follows from
that (who may read, who may set up) the integration knows itself.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import OperationalError

from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.identity import Identity, IdentityHook, Role

from .database import HostDatabase
from .sessions import Sessions


def identity_hook(database: HostDatabase, sessions: Sessions) -> IdentityHook:
    """A hook that reads the host's cookie, and its table of members."""

    def identify(environ: Mapping[str, Any]) -> Identity | None:
        session = sessions.read(environ)
        if session is None or not session.user_id:
            return None
        try:
            person = database.person(session.user_id)
        except OperationalError as ex:  # the one failure that the integration answers with 503
            raise StorageUnavailableError("The host's database does not answer.") from ex
        if person is None:
            return None
        return Identity(
            user_id=person.user_id,
            name=person.name,
            roles={m.organization_id: Role(m.role) for m in person.memberships if m.role},
            is_system_admin=person.is_system_admin,
        )

    return identify
