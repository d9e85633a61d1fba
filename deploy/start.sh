#!/bin/bash
# Runs the chain on a server with a role, and puts its log into the bucket; see README.md.
# Needs S3 and the metadata service, and nothing else.
set -euo pipefail
cd "$(dirname "$0")"
: "${FRUITS_BUCKET:?is not set; expected the name of the bucket}"
: "${AWS_REGION:?is not set; expected the region of the bucket}"
# Python's clients know the region by this name; without it they ask for another's S3.
export AWS_DEFAULT_REGION=$AWS_REGION
export DO_NOT_TRACK=1
export FRUITS_JARS=$PWD/jars
export MPLCONFIGDIR=$PWD/.matplotlib
export PYTHONPATH=$PWD/src
# Memory is what is short: few arenas, freed memory given back, one thread for algebra.
export MALLOC_ARENA_MAX=2
export MALLOC_TRIM_THRESHOLD_=131072
export OPENBLAS_NUM_THREADS=1

if ! command -v python3.11 >/dev/null; then
  dnf --quiet --assumeyes install python3.11 # comes from S3, as all of Amazon Linux
fi
if [[ ! -e .venv/.complete ]]; then
  rm -rf .venv
  python3.11 -m venv .venv
  .venv/bin/pip --quiet --disable-pip-version-check --no-cache-dir install \
    --no-index --no-deps wheels/any/*.whl wheels/"$(uname -m)"/*.whl
  touch .venv/.complete
  rm -rf wheels
fi

place=s3://$FRUITS_BUCKET/logs/$(uname -n)-$(date -u +%Y%m%dT%H%M%SZ).log
ship_log() {
  local status=$?
  .venv/bin/python - run.log "$place" <<'EOF' || echo "Could not write $place" >&2
import sys

import fsspec

log, place = sys.argv[1:]
fsspec.filesystem("s3").put_file(log, place)
EOF
  exit "$status"
}
trap ship_log EXIT
mkdir -p /var/tmp/fruits-pipeline
.venv/bin/kedro run --env ec2 2>&1 | tee run.log
