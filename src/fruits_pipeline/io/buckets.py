"""Checks of S3 buckets before Spark starts: existence, region, credentials and clock.

Spark's own first request would fail without a description of the cause.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from fruits_pipeline.errors import FruitsError, TransientError


def bucket_names(locations: Iterable[str]) -> list[str]:
    """Return the sorted names of the S3 buckets in paths and URLs, each once."""
    urls = (path for path in locations if path.startswith(("s3://", "s3a://")))
    return sorted({url.split("/")[2] for url in urls})


def check_bucket(bucket: str, regions: Iterable[str]) -> str:
    """Return the region of a bucket, if it is in `regions` and accessible.

    Raises:
        FruitsError: The bucket does not exist, is not accessible, or is in another
            region; or the credentials or the clock of this machine are wrong.
    """
    region = _request_region(bucket)
    if region not in regions:
        raise FruitsError(
            f"Found bucket {bucket} in {region}; expected one of storage.regions = "
            f"{', '.join(regions)}. Use a bucket in one of them, or change "
            "parameters_storage.yml if data protection law permits."
        )
    configured = os.environ.get("AWS_REGION") or region
    if configured != region:
        raise FruitsError(
            f"Found bucket {bucket} in {region}; expected AWS_REGION = {configured}. "
            f"Set AWS_REGION={region}, or FRUITS_BUCKET to a bucket in {configured}."
        )
    return region


def _request_region(bucket: str) -> str:
    # Imported here because they are slow to import, and only runs on S3 need them.
    from botocore.exceptions import BotoCoreError, ClientError

    from fruits_pipeline.io.s3 import PatientS3

    try:
        file_system = PatientS3(skip_instance_cache=True)
        file_system.patience = START_PATIENCE
        response = file_system.call_s3("get_bucket_location", Bucket=bucket)
    except (OSError, ValueError, BotoCoreError, ClientError) as exc:
        raise _access_error(bucket, exc) from exc
    location = response.get("LocationConstraint")
    return str(LEGACY_LOCATIONS.get(location, location))


START_PATIENCE = 20
"""Seconds until the first request fails; most reasons are wrong settings."""

LEGACY_LOCATIONS = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}
"""Regions of `LocationConstraint` values that are not the name of a region."""

NO_ROLE = "Give this server an instance profile, as deploy/template.yaml does."
LOG_IN = "Log in again with `aws sso login`, or unset AWS_PROFILE to use a role."
CONFIGURATION = "Correct ~/.aws/config and ~/.aws/credentials, and AWS_PROFILE."
NETWORK = "Check the network, AWS_REGION, AWS_ENDPOINT_URL and proxy variables."

SOLUTIONS = {
    "NoSuchBucket": "The bucket does not exist: correct FRUITS_BUCKET, `photos` or `root`.",
    "ParamValidationError": "Set FRUITS_BUCKET to the name of a bucket, not a URL.",
    "AccessDenied": "Allow s3:GetBucketLocation on arn:aws:s3:::{bucket} in the role "
    "of this server, as deploy/template.yaml does.",
    "RequestTimeTooSkewed": "The clock of this machine is wrong: set it with "
    "`chronyc makestep` or `timedatectl set-ntp true`.",
    "ExpiredToken": "The credentials have expired: restart the server, or renew them.",
    "InvalidAccessKeyId": "Correct AWS_ACCESS_KEY_ID, or unset it to use a role.",
    "SignatureDoesNotMatch": "Correct AWS_SECRET_ACCESS_KEY, or unset it to use a role.",
    "InvalidToken": "Correct AWS_SESSION_TOKEN, or unset it to use a role.",
    "AuthorizationHeaderMalformed": "AWS_REGION is not the region of the bucket.",
    "NoCredentialsError": NO_ROLE,
    "MetadataRetrievalError": NO_ROLE,
    "ProfileNotFound": "Set AWS_PROFILE to a profile in ~/.aws/config, or unset it.",
    "SSOTokenLoadError": LOG_IN,
    "TokenRetrievalError": LOG_IN,
    "UnauthorizedSSOTokenError": LOG_IN,
    "ConfigParseError": CONFIGURATION,
    "ConfigNotFound": CONFIGURATION,
    "CredentialRetrievalError": CONFIGURATION,
    "InvalidConfigError": CONFIGURATION,
    "PartialCredentialsError": "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "ValueError": "Correct AWS_ENDPOINT_URL and AWS_REGION.",
    "EndpointConnectionError": NETWORK,
    "ConnectTimeoutError": NETWORK,
    "ProxyConnectionError": NETWORK,
    "SSLError": NETWORK,
}
"""Solutions by error code of S3, or class name of the exception."""


def _access_error(bucket: str, exc: Exception) -> FruitsError:
    code = type(exc).__name__
    for error in (exc, exc.__cause__):
        code = getattr(error, "response", {}).get("Error", {}).get("Code", code)
    solution = SOLUTIONS.get(code, NETWORK)
    reason = " ".join(str(exc).split())
    kind = TransientError if solution is NETWORK else FruitsError
    return kind(
        f"Found no access to bucket {bucket} ({code}: {reason}); expected to read its "
        f"region. {solution.format(bucket=bucket)}"
    )
