#!/bin/bash
# Run the installed pipeline, and publish metrics of the run; see README.md.
# Requires S3, the metadata service and an instance profile; no other network access, and no
# privileges. Writes to the folders that systemd names in the environment, and to /tmp and
# /var/tmp.
set -euo pipefail
cd "$(dirname "$0")"
: "${FRUITS_BUCKET:?is not set; expected the name of the bucket}"
: "${AWS_REGION:?is not set; expected the region of the bucket}"
: "${CACHE_DIRECTORY:?is not set; expected a writable folder}"
: "${LOGS_DIRECTORY:?is not set; expected a writable folder}"
# boto3 reads this variable, and falls back to us-east-1 without it.
export AWS_DEFAULT_REGION=$AWS_REGION
export DO_NOT_TRACK=1
export FRUITS_JARS=$PWD/jars
# Temporary files on the disk: /tmp is in memory on Amazon Linux.
export TMPDIR=/var/tmp
export MPLCONFIGDIR=$CACHE_DIRECTORY/matplotlib
export PYTHONPATH=$PWD/src
export XDG_CACHE_HOME=$CACHE_DIRECTORY
# Save memory: two malloc arenas, return freed memory early, also that of PyArrow, whose own
# allocator keeps it; one BLAS thread.
export ARROW_DEFAULT_MEMORY_POOL=system
export MALLOC_ARENA_MAX=2
export MALLOC_TRIM_THRESHOLD_=131072
export OPENBLAS_NUM_THREADS=1

# Wait for the lease of another server: an update of the stack may have replaced it.
parameters=concurrent_run=wait
parameters+=,photos=s3://$FRUITS_BUCKET/${FRUITS_PHOTOS:-photos}
parameters+=,root=s3://$FRUITS_BUCKET/${FRUITS_PREFIX:-}data
if ((${RETENTION_DAYS:-0} > 0)); then
  parameters+=,retention.content_days=$RETENTION_DAYS
fi
# The parameters of this run come last, so they replace those above.
.venv/bin/kedro run --env ec2 --params "$parameters${RUN_PARAMETERS:+,$RUN_PARAMETERS}"
.venv/bin/python metrics.py || echo "Could not publish metrics" >&2
