"""The integration at home in the host: its contacts, calls, people, sign-in and contact pages."""

from callhelm_threecx import Settings, ThreeCXMiddleware

from .app import create_host
from .database import HostDatabase
from .identity import identity_hook
from .sessions import Sessions


def mounted(settings: Settings, session_key: str) -> ThreeCXMiddleware:
    """The host with the integration in front of it. Both use one database.

    ``session_key`` is 32 bytes in URL-safe base64. Raises
    `callhelm_threecx.errors.SettingsError` that names the setting at fault.
    """
    database = HostDatabase(settings.database_url)
    sessions = Sessions(session_key, secure=(settings.public_url or "").startswith("https:"))
    return ThreeCXMiddleware(
        create_host(database, sessions, settings.prefix),
        prefix=settings.prefix,
        settings=settings,
        contact_store="callhelm",
        contact_url="/contacts/{id}",  # below what the PBX calls: the host has the same address
        identity=identity_hook(database, sessions),
    )
