#!/bin/bash
# Install the bundle in its folder, as root; start.sh then runs it without privileges.
set -euo pipefail
umask 022
cd "$(dirname "$0")"
if ! command -v python3.11 >/dev/null; then
  dnf --quiet --assumeyes install python3.11 # Amazon Linux serves its packages from S3
fi
if [[ ! -e .venv/.complete ]]; then
  rm -rf .venv
  python3.11 -m venv .venv
  .venv/bin/pip --quiet --disable-pip-version-check --no-cache-dir install \
    --no-index --no-deps wheels/any/*.whl wheels/"$(uname -m)"/*.whl
  .venv/bin/python -m compileall -q src # the run cannot write here
  touch .venv/.complete
  rm -rf wheels
fi
