"""Look at a bucket before Spark starts: is it there, where it may be, and ours to use?"""

from __future__ import annotations

import os
from collections.abc import Iterable

from fruits_pipeline.errors import FruitsError


def buckets_of(places: Iterable[str]) -> list[str]:
    """Return the buckets that places lie in, each once."""
    urls = (p for p in places if p.startswith(("s3://", "s3a://")))
    return sorted({url.split("/")[2] for url in urls})


def check_bucket(bucket: str, regions: Iterable[str]) -> str:
    """Ask where a bucket is, which also shows whether it can be used.

    Args:
        bucket: Its name.
        regions: That photos and tables may lie in.

    Returns:
        Its region.

    Raises:
        FruitsError: It is missing, closed to us, or elsewhere; or our credentials or
            our clock are wrong.
    """
    region = _region(bucket)
    if region not in regions:
        raise FruitsError(
            f"Found bucket {bucket} in {region}; expected one of storage.regions = "
            f"{', '.join(regions)}. Use a bucket there, or change "
            "parameters_storage.yml if the law that your data is under allows."
        )
    ours = os.environ.get("AWS_REGION", region)
    if ours != region:
        raise FruitsError(
            f"Found bucket {bucket} in {region}; expected AWS_REGION = {ours}. "
            f"Set AWS_REGION={region}, or FRUITS_BUCKET to a bucket in {ours}."
        )
    return region


def _region(bucket: str) -> str:
    import s3fs  # heavy, and only a run on S3 needs it
    from botocore.exceptions import BotoCoreError, ClientError

    file_system = s3fs.S3FileSystem(skip_instance_cache=True)
    try:
        answer = file_system.call_s3("get_bucket_location", Bucket=bucket)
    except (OSError, BotoCoreError, ClientError) as exc:
        raise _in_words(bucket, exc) from exc
    return answer.get("LocationConstraint") or "us-east-1"


NO_ROLE = "Give this server an instance profile, as deploy/template.yaml does."

WHAT_TO_DO = {
    "NoSuchBucket": "There is no such bucket: set FRUITS_BUCKET to yours.",
    "AccessDenied": "Allow s3:GetBucketLocation on arn:aws:s3:::{bucket} in the role "
    "of this server, as deploy/template.yaml does.",
    "RequestTimeTooSkewed": "The clock of this machine is wrong: set it, with "
    "`chronyc makestep` or `timedatectl set-ntp true`.",
    "ExpiredToken": "The credentials have expired: restart the server, or renew them.",
    "AuthorizationHeaderMalformed": "AWS_REGION is not the region of the bucket.",
    "NoCredentialsError": NO_ROLE,
    "MetadataRetrievalError": NO_ROLE,
}


def _in_words(bucket: str, exc: Exception) -> FruitsError:
    code = type(exc).__name__
    for cause in (exc, exc.__cause__):
        code = getattr(cause, "response", {}).get("Error", {}).get("Code", code)
    what = WHAT_TO_DO.get(code, "See whether this machine reaches S3 at all.")
    return FruitsError(
        f"Found that bucket {bucket} cannot be asked for its region ({code}: {exc}); "
        f"expected an answer. {what.format(bucket=bucket)}"
    )
