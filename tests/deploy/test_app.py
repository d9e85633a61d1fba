"""The template and the upload of the app, on a moto server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.decode import cfn_yaml
from click.testing import CliRunner
from factories import PROJECT, write_files
from fake_s3 import REGION, Cloud, moto_server
from publish_app import FOR_EVER, TYPES, main

TEMPLATE = PROJECT / "deploy/app.yaml"
FILES = {
    "index.html": b"<!doctype html>",
    "sw.js": b"",
    "main-0123456789ab.js": b"",
    "phone_model-0123456789ab.tflite": b"",
    "manifest.webmanifest": b"{}",
    "icons/icon.svg": b"<svg/>",
    "litert-2.5.3/litert_wasm_internal.wasm": b"\0asm",
}


def resources() -> dict[str, Any]:
    found: dict[str, Any] = cfn_yaml.load(str(TEMPLATE))["Resources"]
    return found


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as url:
        yield Cloud(url)


def create(cloud: Cloud, name: str) -> dict[str, str]:
    """Create the stack without publication, and return its outputs.

    Moto's CloudFormation creates no distributions.
    """
    text = TEMPLATE.read_text()
    cloud.cloudformation.create_stack(StackName=name, TemplateBody=text)
    (stack,) = cloud.cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}


def test_cfn_lint_finds_no_problem() -> None:
    assert lint_file(TEMPLATE) == []


def test_app_is_not_published_by_default() -> None:
    template = cfn_yaml.load(str(TEMPLATE))
    assert template["Parameters"]["PublishApp"]["Default"] == "false"
    public = {name for name in template["Resources"] if name.startswith("App")} - {
        "AppBucket",
        "AppBucketPolicy",
    }
    assert public == {"AppAccess", "AppHeaders", "AppDistribution"}
    for name in public:
        assert template["Resources"][name]["Condition"] == "IsPublished"


def test_bucket_is_private_encrypted_and_kept() -> None:
    bucket = resources()["AppBucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    properties = bucket["Properties"]
    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert properties["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_only_the_distribution_can_read_the_bucket() -> None:
    policy = resources()["AppBucketPolicy"]["Properties"]["PolicyDocument"]
    deny, allow = policy["Statement"]
    assert deny["Effect"] == "Deny"
    condition, statement, nothing = allow["Fn::If"]
    assert (condition, nothing) == ("IsPublished", {"Ref": "AWS::NoValue"})
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert statement["Action"] == "s3:GetObject"
    source = statement["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert source.endswith(":distribution/${AppDistribution}")


def test_distribution_uses_https_and_signed_requests() -> None:
    found = resources()["AppDistribution"]["Properties"]["DistributionConfig"]
    (origin,) = found["Origins"]
    assert origin["OriginAccessControlId"] == {"Fn::GetAtt": ["AppAccess", "Id"]}
    behaviour = found["DefaultCacheBehavior"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behaviour["AllowedMethods"] == ["GET", "HEAD"]


def publish(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, folder: Path, stack: str
) -> Any:
    for name, value in {
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(main, [stack, "--folder", str(folder)])


def test_files_have_types_and_ages(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outputs = create(cloud, "private")
    assert "AppAddress" not in outputs
    write_files(tmp_path, FILES)
    result = publish(cloud, monkeypatch, tmp_path, "private")
    assert result.exit_code == 0, result.output
    assert "Not published" in result.output
    for name, content in FILES.items():
        found = cloud.s3.get_object(Bucket=outputs["AppBucketName"], Key=name)
        assert found["Body"].read() == content
        assert found["ContentType"] == TYPES[Path(name).suffix]
        is_constant = "0123456789ab" in name or name.startswith("litert-")
        assert found["CacheControl"] == (FOR_EVER if is_constant else "no-cache")


def test_stack_without_a_bucket_is_named(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_files(tmp_path, FILES)
    result = publish(cloud, monkeypatch, tmp_path, "missing")
    assert result.exit_code == 1
    assert "in the stack missing" in result.output


def test_page_is_built_first(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["any", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "Create it with make app" in result.output
