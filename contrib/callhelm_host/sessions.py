"""Who is signed in, in a cookie that only this host can make.

The cookie is sealed (Fernet: encrypted, authenticated and dated), so that no table of sessions is
needed. What its owner may do is not in it: that is read from the tables at each request, and a
member who is switched off is out at once.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import falcon
from cryptography.fernet import Fernet, InvalidToken

COOKIE: Final = "callhelm_session"
SESSION_KEY: Final = "CALLHELM_SESSION_KEY"
"""The variable of the environment that holds the key which seals the cookie."""

LIFETIME_S: Final = 8 * 60 * 60
"""Seconds until one has to sign in again: a working day."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that has been here. ``form_token`` is in every form that the host gave it, so that
    no other site can fill one in; ``user_id`` is empty until somebody signs in."""

    form_token: str
    user_id: str = ""


class Sessions:
    """Reads and writes the cookie.

    ``secret`` is 32 bytes in URL-safe base64; ``secure`` keeps the cookie to https.
    """

    def __init__(self, secret: str, *, secure: bool) -> None:
        self._fernet = Fernet(secret)
        self._secure = secure

    def read(self, environ: Mapping[str, Any]) -> Session | None:
        """The session of a request, or None when its cookie is missing, forged or too old."""
        cookies = falcon.Request(dict(environ)).get_cookie_values(COOKIE) or []
        for cookie in cookies:
            try:
                clear = self._fernet.decrypt(cookie.encode(), ttl=LIFETIME_S)
            except (InvalidToken, UnicodeEncodeError):
                continue
            return Session(**json.loads(clear))
        return None

    def begin(self, resp: falcon.Response, user_id: str = "") -> Session:
        """Give the browser a new session. Signing in begins one too: a cookie that was planted
        before is worth nothing afterwards."""
        session = Session(secrets.token_urlsafe(32), user_id)
        clear = json.dumps({"form_token": session.form_token, "user_id": user_id}).encode()
        resp.set_cookie(
            COOKIE,
            self._fernet.encrypt(clear).decode(),
            max_age=LIFETIME_S,
            path="/",
            secure=self._secure,
            http_only=True,
            same_site="Lax",
        )
        return session

    def end(self, resp: falcon.Response) -> None:
        """Take the cookie away."""
        resp.unset_cookie(COOKIE, path="/", samesite="Lax")
