"""The cloud that `deploy/template.yaml` describes, point by point."""

from __future__ import annotations

import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_file
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from fake_s3 import REGION, STACK, Cloud
from template_policy import TEMPLATE, chain_policy, load_template, user_data

BUCKET = "fruits-bucket"
ARN = f"arn:aws:s3:::{BUCKET}"
SIDS = [
    *("LocateBucket", "ListPhotosAndTables", "ReadPhotos", "WriteTables"),
    *("ReadBundle", "WriteLogs"),
]


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return load_template()


def properties(template: dict[str, Any], name: str) -> dict[str, Any]:
    return template["Resources"][name]["Properties"]


def allowed(action: str, arn: str) -> bool:
    """Say whether some statement of the server's role grants an action."""
    return any(
        action in aslist(statement["Action"])
        and any(fnmatchcase(arn, one) for one in aslist(statement["Resource"]))
        for statement in chain_policy(BUCKET)["Statement"]
    )


def aslist(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_linter_finds_nothing() -> None:
    assert lint_file(TEMPLATE) == []


def test_the_bucket_is_closed_to_the_public_in_all_four_ways(
    template: dict[str, Any],
) -> None:
    block = properties(template, "Bucket")["PublicAccessBlockConfiguration"]
    assert block == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }


def test_the_bucket_has_no_access_lists(template: dict[str, Any]) -> None:
    ownership = properties(template, "Bucket")["OwnershipControls"]
    assert ownership == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_the_bucket_encrypts_what_it_holds(template: dict[str, Any]) -> None:
    rules = properties(template, "Bucket")["BucketEncryption"]
    (rule,) = rules["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_the_bucket_is_reached_over_tls_only(template: dict[str, Any]) -> None:
    (statement,) = properties(template, "BucketPolicy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert (statement["Principal"], statement["Action"]) == ("*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [
        {"Fn::GetAtt": ["Bucket", "Arn"]},
        {"Fn::Sub": "${Bucket.Arn}/*"},
    ]


def test_the_bucket_outlives_the_stack(template: dict[str, Any]) -> None:
    bucket = template["Resources"]["Bucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


def test_versions_are_kept_by_choice(template: dict[str, Any]) -> None:
    status = properties(template, "Bucket")["VersioningConfiguration"]["Status"]
    assert status == {"Ref": "Versioning"}
    choices = template["Parameters"]["Versioning"]["AllowedValues"]
    assert set(choices) == {"Enabled", "Suspended"}


def test_stale_uploads_are_aborted_after_a_day(template: dict[str, Any]) -> None:
    stale, *_ = properties(template, "Bucket")["LifecycleConfiguration"]["Rules"]
    assert stale["Status"] == "Enabled"
    assert stale["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Prefix" not in stale


def test_only_intermediate_tables_expire_and_only_by_choice(
    template: dict[str, Any],
) -> None:
    rules = properties(template, "Bucket")["LifecycleConfiguration"]["Rules"]
    chosen = [rule["Fn::If"] for rule in rules if "Fn::If" in rule]
    expiring = {
        rule["Prefix"]: (condition, rule["ExpirationInDays"], otherwise)
        for condition, rule, otherwise in chosen
    }
    how = ("IntermediateExpires", {"Ref": "IntermediateDays"}, {"Ref": "AWS::NoValue"})
    assert expiring == {"data/02_intermediate/": how, "data/03_primary/": how}
    assert template["Parameters"]["IntermediateDays"]["Default"] == 0
    always = [rule for rule in rules if "Fn::If" not in rule]
    assert not any("ExpirationInDays" in rule for rule in always)


@pytest.mark.parametrize(
    ("action", "key", "is_allowed"),
    [
        ("s3:GetObject", "photos/Apple/1.jpg", True),
        ("s3:PutObject", "photos/Apple/1.jpg", False),
        ("s3:DeleteObject", "photos/Apple/1.jpg", False),
        ("s3:GetObject", "data/04_feature/features/_recipe.json", True),
        ("s3:PutObject", "data/04_feature/features/_recipe.json", True),
        ("s3:DeleteObject", "data/04_feature/features/_recipe.json", True),
        ("s3:AbortMultipartUpload", "data/04_feature/features/x.parquet", True),
        ("s3:GetObject", "bundle/fruits-pipeline.tar.gz", True),
        ("s3:PutObject", "bundle/fruits-pipeline.tar.gz", False),
        ("s3:DeleteObject", "bundle/fruits-pipeline.tar.gz", False),
        ("s3:PutObject", "logs/run.log", True),
        ("s3:GetObject", "logs/run.log", False),
        ("s3:DeleteObject", "logs/run.log", False),
        ("s3:GetObject", "other/x", False),
        ("s3:GetObject", "photos-of-others/x", False),
        ("s3:PutObject", "database/x", False),
    ],
)
def test_the_role_may_do_what_the_chain_needs_and_no_more(
    action: str, key: str, is_allowed: bool
) -> None:
    assert allowed(action, f"{ARN}/{key}") is is_allowed


@pytest.mark.parametrize(
    ("action", "path"), [("s3:GetObject", "photos"), ("s3:PutObject", "data")]
)
def test_a_path_is_granted_with_and_without_what_lies_below(
    action: str, path: str
) -> None:
    assert allowed(action, f"{ARN}/{path}")
    assert allowed(action, f"{ARN}/{path}/x")


def test_no_other_bucket_is_granted() -> None:
    assert not allowed("s3:GetObject", f"{ARN}-2/photos/x")
    for statement in chain_policy(BUCKET)["Statement"]:
        for arn in aslist(statement["Resource"]):
            assert arn == ARN or arn.startswith(f"{ARN}/")


def test_no_action_is_granted_by_wildcard() -> None:
    for statement in chain_policy(BUCKET)["Statement"]:
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in aslist(statement["Action"]))


def test_only_photos_and_tables_are_listed() -> None:
    (listing,) = (
        statement
        for statement in chain_policy(BUCKET)["Statement"]
        if "s3:ListBucket" in aslist(statement["Action"])
    )
    assert listing["Condition"] == {
        "StringLike": {"s3:prefix": ["photos", "photos/*", "data", "data/*"]}
    }


@pytest.mark.parametrize("sid", SIDS)
def test_a_statement_can_be_left_out_by_name(sid: str) -> None:
    left = [one["Sid"] for one in chain_policy(BUCKET, without=sid)["Statement"]]
    assert left == [one for one in SIDS if one != sid]


def test_beyond_the_bucket_the_role_may_only_open_a_shell(
    template: dict[str, Any],
) -> None:
    role = properties(template, "ServerRole")
    (managed,) = role["ManagedPolicyArns"]
    assert managed["Fn::Sub"].endswith(":policy/AmazonSSMManagedInstanceCore")
    assert len(role["Policies"]) == 1


def test_only_ec2_may_take_the_servers_role(template: dict[str, Any]) -> None:
    trust = properties(template, "ServerRole")["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert properties(template, "ServerProfile")["Roles"] == [{"Ref": "ServerRole"}]


def test_nothing_comes_in_and_only_https_goes_out(template: dict[str, Any]) -> None:
    group = properties(template, "SecurityGroup")
    assert group["SecurityGroupIngress"] == []
    (out,) = group["SecurityGroupEgress"]
    assert (out["IpProtocol"], out["FromPort"], out["ToPort"]) == ("tcp", 443, 443)
    types = {one["Type"] for one in template["Resources"].values()}
    assert "AWS::EC2::SecurityGroupIngress" not in types
    assert "KeyName" not in properties(template, "Server")


def test_the_way_to_s3_is_a_gateway_on_the_route_table(
    template: dict[str, Any],
) -> None:
    endpoint = properties(template, "S3Endpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["RouteTableIds"] == [{"Ref": "RouteTableId"}]


def test_the_servers_metadata_needs_a_token_and_stays_on_it(
    template: dict[str, Any],
) -> None:
    options = properties(template, "Server")["MetadataOptions"]
    assert options["HttpTokens"] == "required"
    assert options["HttpPutResponseHopLimit"] == 1


def test_the_disk_is_encrypted_and_goes_with_the_server(
    template: dict[str, Any],
) -> None:
    (disk,) = properties(template, "Server")["BlockDeviceMappings"]
    assert disk["Ebs"] == {
        "VolumeType": "gp3",
        "VolumeSize": {"Ref": "DiskGiB"},
        "Encrypted": True,
        "DeleteOnTermination": True,
    }


def test_shutting_down_stops_the_server_and_keeps_its_disk(
    template: dict[str, Any],
) -> None:
    behaviour = properties(template, "Server")["InstanceInitiatedShutdownBehavior"]
    assert behaviour == "stop"


def test_every_instance_type_has_an_architecture_and_a_price(
    template: dict[str, Any],
) -> None:
    types = set(template["Parameters"]["InstanceType"]["AllowedValues"])
    architectures = template["Mappings"]["Architectures"]
    prices = yaml.safe_load((TEMPLATE.parent / "prices.yml").read_text())
    assert set(architectures) == types == set(prices["instances"])
    for name, architecture in architectures.items():
        is_arm = name.split(".")[0].endswith("g")
        assert architecture["Ami"] == ("arm64" if is_arm else "x86_64")


def test_the_image_is_the_newest_amazon_linux_of_that_architecture(
    template: dict[str, Any],
) -> None:
    text, values = properties(template, "Server")["ImageId"]["Fn::Sub"]
    assert "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-" in text
    assert values["Ami"]["Fn::FindInMap"][1] == {"Ref": "InstanceType"}


def test_the_schedule_may_start_this_server_and_no_more(
    template: dict[str, Any],
) -> None:
    (policy,) = properties(template, "ScheduleRole")["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "ec2:StartInstances"
    assert statement["Resource"]["Fn::Sub"].endswith(":instance/${Server}")


def test_only_the_scheduler_of_this_account_may_take_that_role(
    template: dict[str, Any],
) -> None:
    role = properties(template, "ScheduleRole")["AssumeRolePolicyDocument"]
    (statement,) = role["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    source = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert statement["Condition"] == {"StringEquals": source}


def test_a_schedule_needs_a_server_that_stops(template: dict[str, Any]) -> None:
    (assertion,) = template["Rules"]["ScheduleNeedsAutoStop"]["Assertions"]
    stops = {"Fn::Not": [{"Fn::Equals": [{"Ref": "AutoStopMinutes"}, "0"]}]}
    assert assertion["Assert"] == stops


def test_the_budget_tells_before_ten_dollars_are_spent(
    template: dict[str, Any],
) -> None:
    assert template["Parameters"]["BudgetUsd"]["MaxValue"] <= 10
    budget = properties(template, "Budget")
    told = {
        one["Notification"]["NotificationType"]: one["Notification"]["Threshold"]
        for one in budget["NotificationsWithSubscribers"]
    }
    assert told["ACTUAL"] < 100
    assert "FORECASTED" in told


def test_everything_that_can_be_tagged_is(template: dict[str, Any]) -> None:
    untagged = []
    for name, resource in template["Resources"].items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource["Type"])
        taggable = {"Tags", "ResourceTags"} & schema.schema["properties"].keys()
        tags = [tag for key in taggable for tag in resource["Properties"].get(key, [])]
        if taggable and not {"Project", "Stack"} <= {tag["Key"] for tag in tags}:
            untagged.append(name)
    assert untagged == []
    assert properties(template, "Server")["PropagateTagsToVolumeOnCreation"] is True


def test_there_is_no_key_in_what_the_server_runs() -> None:
    script = user_data(BUCKET, REGION, 15)
    assert f"FRUITS_BUCKET={BUCKET}\nAWS_REGION={REGION}\n" in script
    assert "AWS_ACCESS_KEY_ID" not in script
    assert "AWS_SECRET_ACCESS_KEY" not in script


def test_what_the_server_runs_is_a_script(tmp_path: Path) -> None:
    script = tmp_path / "user-data"
    script.write_text(user_data(BUCKET, REGION, 15))
    assert script.read_text().startswith("#cloud-boothook\n#!/bin/bash\n")
    subprocess.run(["bash", "-n", script], check=True)


def test_the_stack_is_created(stack: Cloud) -> None:
    described = stack.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    assert described["StackStatus"] == "CREATE_COMPLETE"


def test_the_stacks_role_has_the_policy_of_the_template(stack: Cloud) -> None:
    outputs = _outputs(stack)
    role = outputs["ServerRoleArn"].rpartition("/")[-1]
    held = stack.iam.get_role_policy(RoleName=role, PolicyName="chain")
    # moto keeps the document as Python writes it, which YAML reads as well as JSON.
    document = yaml.safe_load(str(held["PolicyDocument"]))
    assert document == chain_policy(outputs["BucketName"])


def test_the_stacks_server_is_of_the_chosen_type_and_has_the_profile(
    stack: Cloud,
) -> None:
    found = stack.ec2.describe_instances(InstanceIds=[_outputs(stack)["ServerId"]])
    (server,) = found["Reservations"][0]["Instances"]
    assert server["InstanceType"] == "t3.micro"
    assert server["IamInstanceProfile"]["Arn"]
    assert {"Key": "Project", "Value": "fruits-pipeline"} in server["Tags"]


def test_the_stacks_way_to_s3_is_there(stack: Cloud) -> None:
    (endpoint,) = stack.ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert endpoint["ServiceName"] == f"com.amazonaws.{REGION}.s3"
    assert endpoint["RouteTableIds"]


def _outputs(stack: Cloud) -> dict[str, str]:
    described = stack.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
