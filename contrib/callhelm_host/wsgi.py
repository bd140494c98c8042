"""What a server runs:

    gunicorn -c contrib/gunicorn.conf.py --pythonpath contrib callhelm_host.wsgi:application

The settings of the integration come from the environment (``THREECX_…``); so does the key that
seals the host's cookies, ``CALLHELM_SESSION_KEY``: 32 bytes in URL-safe base64, as
``callhelm-threecx keygen`` prints them.
"""

import os

from callhelm_threecx.errors import SettingsError
from callhelm_threecx.keys import check_secret_key
from callhelm_threecx.settings import Settings

from .mounted import mounted
from .sessions import SESSION_KEY


def session_key() -> str:
    """The key of the environment. Raises `SettingsError` when it is missing or no key."""
    key = os.environ.get(SESSION_KEY, "")
    try:
        check_secret_key(key)
    except ValueError as ex:
        raise SettingsError(f"{SESSION_KEY}: {ex}.") from ex
    return key


application = mounted(Settings.load(), session_key())
