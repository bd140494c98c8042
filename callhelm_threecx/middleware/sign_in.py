"""Asks the host who is signed in, and trusts no more of its answer than was promised."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import falcon

from callhelm_threecx.errors import StorageUnavailableError, ThreeCXError
from callhelm_threecx.identity import Identity, IdentityHook, Role
from callhelm_threecx.plugins import Plugins
from callhelm_threecx.settings import Settings

GROUP: Final = "callhelm_threecx.identity"
MAX_USER_ID: Final = 256
"""Longest id of a user, in characters."""
MAX_NAME: Final = 320
"""What is kept of a user's name, in characters."""

_PLUGINS: Final = Plugins(GROUP, "THREECX_IDENTITY", "identity hook")


class IdentityHookError(ThreeCXError):
    """The host's identity hook failed, or gave what is no identity: a bug of the host, 500."""

    code = "internal_error"


def hook_of(settings: Settings, given: object = None) -> IdentityHook | None:
    """The identity hook: the one that was given, else the one that the settings name, else None.

    Raises `SettingsError` that names the setting, for an entry point that cannot be loaded and
    for what cannot be called.
    """
    if given is not None:
        return _hook(given, "the argument is")
    if settings.identity is None:
        return None
    made = _PLUGINS.make(settings.identity, settings)
    return _hook(made, f"{_PLUGINS.home_of(settings.identity)} gives")


def _hook(candidate: object, source: str) -> IdentityHook:
    if not callable(candidate):
        raise _PLUGINS.refusal(f"{source} no identity hook, which is a callable")
    return candidate


class SignIn:
    """The host's identity hook, behind a guard."""

    def __init__(self, hook: IdentityHook | None) -> None:
        self._hook = hook

    def identity(self, req: falcon.Request) -> Identity | None:
        """The host's signed-in user, or None.

        Raises `IdentityHookError` when the hook fails, whatever it raises, because a host's own
        exception must not choose our answer; only `StorageUnavailableError` passes.
        """
        if self._hook is None:
            return None
        try:
            identity = self._hook(_environ_for_host(req))
            return None if identity is None else _checked(identity)
        except StorageUnavailableError:
            raise
        except Exception as ex:
            raise IdentityHookError("The host's identity hook failed.") from ex


def _environ_for_host(req: falcon.Request) -> dict[str, Any]:
    """A copy of the environ as the server gave it to us, but for the body.

    The query is in it again, which `hide_query` took out. The body is ours to read: a host that
    parses forms for its sign-in finds an empty one.
    """
    return {
        **req.env,
        **req.context.hidden,
        "wsgi.input": io.BytesIO(),
        "CONTENT_LENGTH": "0",
    }


def _checked(identity: object) -> Identity:
    """The identity with its ids as texts and its roles as `Role`, which a host may read from its
    database as they are. Raises `TypeError` or `ValueError` for what cannot be trusted."""
    if not isinstance(identity, Identity):
        raise TypeError(f"An identity hook gives an Identity or None, not {_kind(identity)}.")
    user_id = str(identity.user_id).strip()
    if identity.user_id is None or not 0 < len(user_id) <= MAX_USER_ID:
        raise ValueError(f"An Identity needs a user_id of 1 to {MAX_USER_ID} characters.")
    admin: object = identity.is_system_admin
    if not isinstance(admin, bool):  # the text "false" is true
        raise TypeError(f"is_system_admin must be True or False, not {_kind(admin)}.")
    if not isinstance(identity.roles, Mapping):
        raise TypeError(f"roles must map organizations to roles, not be {_kind(identity.roles)}.")
    roles = {str(organization): Role(role) for organization, role in identity.roles.items()}
    name = str(identity.name or "")[:MAX_NAME]
    return replace(identity, user_id=user_id, name=name, roles=roles)


def _kind(value: object) -> str:
    return type(value).__name__
