#!/usr/bin/env bash
# What the browser tests drive: Debian's Chromium, unless one is there or THREECX_TEST_CHROMIUM
# names another, and the accessibility engine from its npm package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

browser=${THREECX_TEST_CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$browser" ]; then
  echo "Installing chromium with apt-get."
  export DEBIAN_FRONTEND=noninteractive
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core
fi
wanted=$(sed -n 's/.*"axe-core": "\(.*\)".*/\1/p' package.json)
found=$(sed -n 's/^  *"version": "\(.*\)".*/\1/p' node_modules/axe-core/package.json 2>/dev/null || true)
if [ "$found" != "$wanted" ]; then
  npm install --no-package-lock --no-audit --no-fund --ignore-scripts
fi
