#!/usr/bin/env bash
# What the benchmark asks with: Debian's wrk, unless one is there.
set -euo pipefail

if ! command -v wrk >/dev/null; then
  echo "Installing wrk with apt-get."
  export DEBIAN_FRONTEND=noninteractive
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" apt-get install -y -q --no-install-recommends wrk
fi
