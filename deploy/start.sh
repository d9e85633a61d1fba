#!/bin/bash
# Install the bundle, run the pipeline, and upload the log to the bucket; see README.md.
# Requires S3, the metadata service and an instance profile; no other network access.
set -euo pipefail
cd "$(dirname "$0")"
: "${FRUITS_BUCKET:?is not set; expected the name of the bucket}"
: "${AWS_REGION:?is not set; expected the region of the bucket}"
# boto3 reads this variable, and falls back to us-east-1 without it.
export AWS_DEFAULT_REGION=$AWS_REGION
export DO_NOT_TRACK=1
export FRUITS_JARS=$PWD/jars
export MPLCONFIGDIR=$PWD/.matplotlib
export PYTHONPATH=$PWD/src
# Save memory: two malloc arenas, return freed memory early, one BLAS thread.
export MALLOC_ARENA_MAX=2
export MALLOC_TRIM_THRESHOLD_=131072
export OPENBLAS_NUM_THREADS=1

if ! command -v python3.11 >/dev/null; then
  dnf --quiet --assumeyes install python3.11 # Amazon Linux serves its packages from S3
fi
if [[ ! -e .venv/.complete ]]; then
  rm -rf .venv
  python3.11 -m venv .venv
  .venv/bin/pip --quiet --disable-pip-version-check --no-cache-dir install \
    --no-index --no-deps wheels/any/*.whl wheels/"$(uname -m)"/*.whl
  touch .venv/.complete
  rm -rf wheels
fi

log_url=s3://$FRUITS_BUCKET/logs/$(uname -n)-$(date -u +%Y%m%dT%H%M%SZ).log
upload_log() {
  local status=$?
  .venv/bin/python - run.log "$log_url" <<'PYTHON' || echo "Could not write $log_url" >&2
import sys

import fsspec

log, url = sys.argv[1:]
fsspec.filesystem("s3").put_file(log, url)
PYTHON
  exit "$status"
}
trap upload_log EXIT
mkdir -p /var/tmp/fruits-pipeline
.venv/bin/kedro run --env ec2 2>&1 | tee run.log
