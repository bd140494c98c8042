#!/usr/bin/env bash
# Debian's programs that the benchmark uses and that are not there yet: wrk, which asks, and those
# that are named, such as nginx, which shares what is asked among several nodes.
set -euo pipefail

missing=()
command -v wrk >/dev/null || missing+=(wrk)
for name in "$@"; do
  # nginx is in a folder that not everybody's path has
  PATH="$PATH:/usr/sbin" command -v "$name" >/dev/null || missing+=("$name")
done
if [ "${#missing[@]}" -gt 0 ]; then
  echo "Installing ${missing[*]} with apt-get."
  export DEBIAN_FRONTEND=noninteractive
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"
fi
