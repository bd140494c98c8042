"""``callhelm_threecx.wsgi:app``, for gunicorn and other WSGI servers. Settings: environment."""

import sys

from callhelm_threecx import logs
from callhelm_threecx.app import ThreeCXApp, create_app
from callhelm_threecx.errors import ThreeCXError
from callhelm_threecx.settings import Settings

_CANNOT_START = 3
"""gunicorn's own status of a worker that will never start: it ends, rather than try for ever."""


def _build() -> ThreeCXApp:
    try:
        settings = Settings.load()
        logs.configure(settings.log_level, settings.log_format)
        return create_app(settings)
    except ThreeCXError as ex:
        sys.stderr.write(f"{ex.message}\n")
        sys.exit(_CANNOT_START)


app = _build()
