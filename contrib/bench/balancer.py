"""nginx in front of several nodes, each asked in turn."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import servers

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream nodes {{
{nodes}
    keepalive 32;
  }}
  server {{
    listen 127.0.0.1:{port};
    keepalive_requests 1000000;
    location / {{
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""


@contextlib.contextmanager
def in_front_of(ports: Sequence[int]) -> Iterator[servers.Server]:
    """A load balancer on a port of its own, until the end of the block."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        raise RuntimeError("nginx is not installed: run contrib/bench/install.sh nginx.")
    with tempfile.TemporaryDirectory(prefix="threecx-bench-") as folder:
        port = servers.free_port()
        nodes = "\n".join(f"    server 127.0.0.1:{node};" for node in ports)
        configuration = Path(folder) / "nginx.conf"
        text = CONFIGURATION.format(folder=folder, nodes=nodes, port=port)
        configuration.write_text(text, "utf-8")
        command = [nginx, "-p", folder, "-c", str(configuration), "-e", "stderr"]
        with servers.running(command, {}, port) as server:
            yield server
