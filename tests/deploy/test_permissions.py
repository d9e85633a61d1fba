"""Permissions of the roles and of the bucket."""

from fnmatch import fnmatchcase
from typing import Any

import pytest
from template_policy import BUCKET, Stack, server_policy

ARN = f"arn:aws:s3:::{BUCKET}"
READ = {"s3:GetObject"}
WRITE = {"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
LOCATE = {"s3:GetBucketLocation"}


def as_list(value: Any) -> list[Any]:
    """Return a policy element, which may be one item or a list of items, as a list."""
    return value if isinstance(value, list) else [value]


def allowed_actions(resource: str, prefix: str | None = None) -> set[str]:
    """Return the actions that the server may perform.

    Other tests ensure that all statements allow actions without wildcards, and that
    `s3:prefix` is the only condition.

    Args:
        resource: ARN of a bucket or an object.
        prefix: Value of the condition key `s3:prefix`; None if it is missing.
    """

    def matches(patterns: Any, value: str | None) -> bool:
        return any(fnmatchcase(value or "", pattern) for pattern in as_list(patterns))

    return {
        action
        for statement in server_policy()["Statement"]
        if matches(statement["Resource"], resource)
        if "Condition" not in statement
        or matches(statement["Condition"]["StringLike"]["s3:prefix"], prefix)
        for action in as_list(statement["Action"])
    }


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("photos", READ),
        ("photos/Apple/1.jpg", READ),
        ("data", READ | WRITE),
        ("data/04_feature/features/x.parquet", READ | WRITE),
        ("bundle/fruits-pipeline.tar.gz", READ),
        ("logs/run.log", {"s3:PutObject"}),
        ("other/x", set()),
        ("photos-of-others/x", set()),
        ("database/x", set()),
    ],
)
def test_server_has_least_privilege_on_objects(key: str, expected: set[str]) -> None:
    assert allowed_actions(f"{ARN}/{key}") == expected


@pytest.mark.parametrize("prefix", ["photos", "photos/Apple/", "data", "data/x"])
def test_server_may_list_photos_and_tables(prefix: str) -> None:
    assert allowed_actions(ARN, prefix) == LOCATE | {"s3:ListBucket"}


@pytest.mark.parametrize("prefix", [None, "", "bundle/", "logs/", "photos-2/"])
def test_server_may_not_list_anything_else(prefix: str | None) -> None:
    assert allowed_actions(ARN, prefix) == LOCATE


@pytest.mark.parametrize("resource", [f"{ARN}-2", f"{ARN}-2/photos/x", "*"])
def test_server_has_no_permission_on_other_buckets(resource: str) -> None:
    assert allowed_actions(resource, "photos/") == set()


def test_statements_allow_named_actions_on_the_known_folders() -> None:
    for statement in server_policy()["Statement"]:
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & statement.keys()
        assert not any("*" in action for action in as_list(statement["Action"]))
        for resource in as_list(statement["Resource"]):
            bucket, _, key = resource.partition("/")
            assert bucket == ARN
            assert key.partition("/")[0] in {"", "photos", "data", "bundle", "logs"}


def test_only_condition_is_the_prefix_of_a_list_request() -> None:
    statements = server_policy()["Statement"]
    assert [s["Condition"] for s in statements if "Condition" in s] == [
        {"StringLike": {"s3:prefix": ["photos", "photos/*", "data", "data/*"]}}
    ]


def test_server_role_has_no_other_permission_than_session_manager() -> None:
    role = Stack().properties("ServerRole")
    assert "ManagedPolicyArns" not in role
    names = [policy["PolicyName"] for policy in role["Policies"]]
    assert sorted(names) == ["pipeline", "service", "session-manager"]
    (policy,) = (p for p in role["Policies"] if p["PolicyName"] == "session-manager")
    (statement,) = policy["PolicyDocument"]["Statement"]
    # As in the AWS managed policy AWSCloud9SSMInstanceProfile.
    assert set(statement["Action"]) == {
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    }


def service_statements(**parameters: object) -> dict[str, dict[str, Any]]:
    """Return the permissions to operate the service, by Sid."""
    policies = Stack(**parameters).properties("ServerRole")["Policies"]
    (policy,) = (p for p in policies if p["PolicyName"] == "service")
    return {s["Sid"]: s for s in policy["PolicyDocument"]["Statement"]}


def test_server_may_read_and_delete_one_ssm_parameter() -> None:
    statement = service_statements()["TakeRunParameters"]
    assert statement["Action"] == ["ssm:GetParameters", "ssm:DeleteParameter"]
    name = "arn:aws:ssm:eu-west-3:123456789012:parameter/fruits/run-parameters"
    assert statement["Resource"] == name


def test_server_may_publish_metrics_of_one_namespace() -> None:
    statement = service_statements()["PublishMetrics"]
    assert statement["Action"] == "cloudwatch:PutMetricData"
    condition = {"cloudwatch:namespace": "fruits-pipeline"}
    assert statement["Condition"] == {"StringEquals": condition}


def test_server_may_publish_to_the_topic_of_the_stack_if_there_is_one() -> None:
    assert service_statements().keys() == {"TakeRunParameters", "PublishMetrics"}
    statements = service_statements(Email="someone@example.org")
    assert statements["ReportFailures"]["Action"] == "sns:Publish"
    assert statements["ReportFailures"]["Resource"] == "Topic"


def test_prefixes_limit_the_server_in_an_existing_bucket() -> None:
    stack = Stack(ExistingBucket="shared", PhotosPrefix="in/photos", Prefix="fruits/")
    policies = stack.properties("ServerRole")["Policies"]
    (policy,) = (p for p in policies if p["PolicyName"] == "pipeline")
    statements = {s["Sid"]: s for s in policy["PolicyDocument"]["Statement"]}
    bucket = "arn:aws:s3:::shared"
    assert statements["ReadPhotos"]["Resource"] == [
        f"{bucket}/in/photos",
        f"{bucket}/in/photos/*",
    ]
    assert statements["WriteTables"]["Resource"] == [
        f"{bucket}/fruits/data",
        f"{bucket}/fruits/data/*",
    ]
    assert statements["ReadBundle"]["Resource"] == f"{bucket}/fruits/bundle/*"
    assert statements["WriteLogs"]["Resource"] == f"{bucket}/fruits/logs/*"
    assert statements["ListPhotosAndTables"]["Condition"]["StringLike"] == {
        "s3:prefix": ["in/photos", "in/photos/*", "fruits/data", "fruits/data/*"]
    }


def test_only_ec2_may_assume_the_server_role() -> None:
    stack = Stack()
    trust = stack.properties("ServerRole")["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert stack.properties("ServerProfile")["Roles"] == ["ServerRole"]
    assert stack.properties("Server")["IamInstanceProfile"] == "ServerProfile"


def test_bucket_policy_denies_all_requests_without_tls_and_nothing_else() -> None:
    properties = Stack().properties("BucketPolicy")
    assert properties["Bucket"] == BUCKET
    (statement,) = properties["PolicyDocument"]["Statement"]
    del statement["Sid"]
    assert statement == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [ARN, f"{ARN}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_schedule_may_only_start_the_server() -> None:
    role = Stack(Schedule="rate(1 day)").properties("ScheduleRole")
    assert "ManagedPolicyArns" not in role
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "ec2:StartInstances"
    server = "arn:aws:ec2:eu-west-3:123456789012:instance/Server"
    assert statement["Resource"] == server


def test_only_the_scheduler_of_this_account_may_assume_the_schedule_role() -> None:
    role = Stack(Schedule="rate(1 day)").properties("ScheduleRole")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"}
    }


def test_state_machine_may_only_look_at_servers_and_start_one() -> None:
    role = Stack(QuietMinutes=15).properties("StartRole")
    (policy,) = role["Policies"]
    look, start = policy["PolicyDocument"]["Statement"]
    assert (look["Action"], look["Resource"]) == ("ec2:DescribeInstances", "*")
    server = "arn:aws:ec2:eu-west-3:123456789012:instance/Server"
    assert (start["Action"], start["Resource"]) == ("ec2:StartInstances", server)


def test_rule_may_only_start_the_state_machine() -> None:
    role = Stack(QuietMinutes=15).properties("QuietRole")
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "states:StartExecution"
    assert statement["Resource"] == "StartMachine"


@pytest.mark.parametrize(
    ("role", "service"),
    [("StartRole", "states.amazonaws.com"), ("QuietRole", "events.amazonaws.com")],
)
def test_only_services_of_this_account_may_assume_the_roles(
    role: str, service: str
) -> None:
    trust = Stack(QuietMinutes=15).properties(role)["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"Service": service}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"}
    }


def test_only_the_rule_may_publish_uploads() -> None:
    policy = Stack(QuietMinutes=15).properties("UploadTopicPolicy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": "UploadRule.Arn"}}
