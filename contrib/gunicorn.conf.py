"""gunicorn as `callhelm-threecx serve` runs it, for people who start gunicorn themselves:

    gunicorn -c gunicorn.conf.py callhelm_threecx.wsgi:app

The settings of the integration come from the environment (THREECX_…). A host application that has
`ThreeCXMiddleware` around it is served in the same way, by its own name in place of the last word.
Change what you like; the lines below the rule keep events complete and keys out of the logs.
"""

from callhelm_threecx import gunicorn as threecx

settings = threecx.prepare()
_options = threecx.options(settings)

bind = "127.0.0.1:8080"
workers = threecx.default_workers()
worker_class = _options["worker_class"]
threads = _options["threads"]
keepalive = _options["keepalive"]
graceful_timeout = _options["graceful_timeout"]
preload_app = _options["preload_app"]
loglevel = _options["loglevel"]
accesslog = None  # the application logs one line for each request by itself

# ------------------------------------------------------------------------------------------------
logger_class = _options["logger_class"]
forwarded_allow_ips = _options["forwarded_allow_ips"]
control_socket_disable = _options["control_socket_disable"]
pre_fork = _options["pre_fork"]
worker_exit = _options["worker_exit"]
