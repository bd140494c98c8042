"""``callhelm_threecx.wsgi:app``, for gunicorn and other WSGI servers. Settings: environment."""

from callhelm_threecx import logs
from callhelm_threecx.app import create_app
from callhelm_threecx.settings import Settings

_settings = Settings.load()
logs.configure(_settings.log_level, _settings.log_format)
app = create_app(_settings)
