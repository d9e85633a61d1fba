from pathlib import Path

import pytest
from fake_s3 import fixed_response

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.buckets import bucket_names, check_bucket

REGIONS = ["eu-west-1", "eu-west-3"]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize(
    ("status", "code", "solution"),
    [
        (404, "NoSuchBucket", "correct FRUITS_BUCKET, `photos`"),
        (403, "AccessDenied", "s3:GetBucketLocation on arn:aws:s3:::fruits"),
        (403, "RequestTimeTooSkewed", "clock of this machine is wrong"),
        (400, "ExpiredToken", "credentials have expired"),
        (400, "AuthorizationHeaderMalformed", "AWS_REGION is not the region"),
    ],
)
def test_error_of_s3_is_reported_with_a_solution(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, solution: str
) -> None:
    error = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    with fixed_response(status, error) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(FruitsError) as caught:
            check_bucket("fruits", REGIONS)
    assert code in str(caught.value)
    assert solution in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "code", "solution"),
    [
        ({"AWS_PROFILE": "gone"}, "ProfileNotFound", "Set AWS_PROFILE"),
        ({"AWS_ENDPOINT_URL": "localhost:9"}, "ValueError", "AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "EndpointConnection", "network"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "PartialCredentials", "Set both"),
    ],
)
def test_wrong_configuration_is_reported_with_a_solution(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], code: str, solution: str
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("fruits_pipeline.io.buckets.START_PATIENCE", 1)
    with pytest.raises(FruitsError) as caught:
        check_bucket("fruits", REGIONS)
    assert code in str(caught.value)
    assert solution in str(caught.value)


@pytest.mark.parametrize(
    ("content", "code", "solution"),
    [
        ("[profile x\n", "ConfigParseError", "Correct ~/.aws/config"),
        (
            "[default]\nsso_start_url=https://x\nsso_region=eu-west-1\n"
            "sso_account_id=1\nsso_role_name=r\n",
            "SSOTokenLoadError",
            "aws sso login",
        ),
        ("[default]\ncredential_process=/bin/false\n", "CredentialRetrieval", "config"),
    ],
)
def test_wrong_configuration_file_is_reported_with_a_solution(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    content: str,
    code: str,
    solution: str,
) -> None:
    (tmp_path / "config").write_text(content)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(FruitsError) as caught:
        check_bucket("fruits", REGIONS)
    assert code in str(caught.value)
    assert solution in str(caught.value)


def test_url_as_bucket_is_reported_in_one_line() -> None:
    with pytest.raises(FruitsError, match="Set FRUITS_BUCKET to the name") as caught:
        check_bucket("s3:", REGIONS)
    assert "\n" not in str(caught.value)


def test_old_location_eu_is_ireland(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "<LocationConstraint>EU</LocationConstraint>"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with fixed_response(200, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert check_bucket("fruits", REGIONS) == "eu-west-1"


@pytest.mark.parametrize(
    ("region", "error"),
    [
        ("eu-west-3", None),
        ("eu-west-1", "expected AWS_REGION = eu-west-3. Set AWS_REGION=eu-west-1"),
        ("us-west-2", "expected one of storage.regions = eu-west-1, eu-west-3"),
        ("", "Found bucket fruits in us-east-1"),
    ],
)
def test_region_is_returned_or_refused(
    monkeypatch: pytest.MonkeyPatch, region: str, error: str | None
) -> None:
    body = f"<LocationConstraint>{region}</LocationConstraint>"
    with fixed_response(200, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        if error is None:
            assert check_bucket("fruits", REGIONS) == region
        else:
            with pytest.raises(FruitsError, match=error):
                check_bucket("fruits", REGIONS)


def test_bucket_names_are_sorted_and_unique() -> None:
    locations = ["s3://b/photos", "s3a://a/x", "s3://b", "/data/s3", "data/x", ""]
    assert bucket_names(locations) == ["a", "b"]
