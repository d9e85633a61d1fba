"""Simulate the IAM policies of the template."""

from __future__ import annotations

from collections.abc import Mapping

import boto3
import pytest
from template_policy import BUCKET, Stack, as_list, server_policy, simulate

ARN = f"arn:aws:s3:::{BUCKET}"
READ = {"s3:GetObject"}
READ_WRITE = {
    *("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
}
SERVER_ARN = "arn:aws:ec2:eu-west-3:123456789012:instance/Server"


@pytest.fixture(scope="module")
def s3_actions() -> set[str]:
    """Return all actions of the server's policy, and one for each operation of S3."""
    client = boto3.client("s3", region_name="eu-west-3")
    granted = (statement["Action"] for statement in server_policy()["Statement"])
    return {action for actions in granted for action in as_list(actions)} | {
        f"s3:{operation}" for operation in client.meta.service_model.operation_names
    }


def allowed_actions(
    actions: set[str], resource: str, context: Mapping[str, str]
) -> set[str]:
    """Return the actions that the server may perform."""
    policy = server_policy()
    return {
        action
        for action in actions
        if simulate(policy, action, resource, context) == "allowed"
    }


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("photos", READ),
        ("photos/Apple/1.jpg", READ),
        ("data", READ_WRITE),
        ("data/04_feature/features/x.parquet", READ_WRITE),
        ("bundle/fruits-pipeline.tar.gz", READ),
        ("logs/run.log", {"s3:PutObject"}),
        ("other/x", set()),
        ("photos-of-others/x", set()),
        ("database/x", set()),
    ],
)
def test_server_has_least_privilege_on_objects(
    s3_actions: set[str], key: str, expected: set[str]
) -> None:
    assert allowed_actions(s3_actions, f"{ARN}/{key}", {}) == expected


@pytest.mark.parametrize(
    ("prefix", "is_allowed"),
    [
        *[("photos", True), ("photos/Apple/", True), ("data", True), ("data/x", True)],
        *[("", False), ("bundle/", False), ("logs/", False), ("photos-2/", False)],
    ],
)
def test_server_lists_only_photos_and_tables(
    s3_actions: set[str], prefix: str, is_allowed: bool
) -> None:
    expected = {"s3:GetBucketLocation"} | ({"s3:ListBucket"} if is_allowed else set())
    assert allowed_actions(s3_actions, ARN, {"s3:prefix": prefix}) == expected


def test_server_may_not_list_the_complete_bucket(s3_actions: set[str]) -> None:
    assert allowed_actions(s3_actions, ARN, {}) == {"s3:GetBucketLocation"}


@pytest.mark.parametrize("resource", [f"{ARN}-2", f"{ARN}-2/photos/x", "*"])
def test_server_has_no_permission_on_other_buckets(
    s3_actions: set[str], resource: str
) -> None:
    context = {"s3:prefix": "photos/"}
    assert allowed_actions(s3_actions, resource, context) == set()


def test_server_policy_has_no_wildcard_action_and_no_other_folder() -> None:
    for statement in server_policy()["Statement"]:
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & statement.keys()
        assert not any("*" in action for action in as_list(statement["Action"]))
        for resource in as_list(statement["Resource"]):
            bucket, _, key = resource.partition("/")
            assert bucket == ARN
            assert key.partition("/")[0] in {"", "photos", "data", "bundle", "logs"}


def test_server_lists_no_other_folder() -> None:
    conditions = [
        s["Condition"] for s in server_policy()["Statement"] if "Condition" in s
    ]
    assert conditions == [
        {"StringLike": {"s3:prefix": ["photos", "photos/*", "data", "data/*"]}}
    ]


def test_server_role_has_only_this_policy_and_systems_manager() -> None:
    role = Stack().properties("ServerRole")
    assert role["ManagedPolicyArns"] == [
        "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    ]
    assert len(role["Policies"]) == 1


def test_only_ec2_may_assume_the_server_role() -> None:
    trust = Stack().properties("ServerRole")["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert Stack().properties("ServerProfile")["Roles"] == ["ServerRole"]
    assert Stack().properties("Server")["IamInstanceProfile"] == "ServerProfile"


def test_bucket_policy_denies_all_requests_without_tls(s3_actions: set[str]) -> None:
    properties = Stack().properties("BucketPolicy")
    policy = properties["PolicyDocument"]
    assert properties["Bucket"] == BUCKET
    assert {statement["Principal"] for statement in policy["Statement"]} == {"*"}
    for action in s3_actions:
        for resource in (ARN, f"{ARN}/photos/x"):
            decisions = [
                simulate(policy, action, resource, {"aws:SecureTransport": tls})
                for tls in ("false", "true")
            ]
            assert decisions == ["explicitDeny", "implicitDeny"]


def test_schedule_may_only_start_the_server() -> None:
    role = Stack(Schedule="rate(1 day)").properties("ScheduleRole")
    assert "ManagedPolicyArns" not in role
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "ec2:StartInstances"
    assert statement["Resource"] == SERVER_ARN


def test_only_the_scheduler_of_this_account_may_assume_the_schedule_role() -> None:
    role = Stack(Schedule="rate(1 day)").properties("ScheduleRole")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"}
    }
