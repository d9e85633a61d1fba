import json
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_file
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from factories import TABLES
from template_policy import BUCKET, TEMPLATE, Stack

PARAMETERS = Stack().template["Parameters"]


def lifecycle_rules(**parameters: object) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = Stack(**parameters).properties("Bucket")[
        "LifecycleConfiguration"
    ]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    return rules


def test_cfn_lint_finds_no_problem() -> None:
    assert lint_file(TEMPLATE) == []


def test_bucket_blocks_public_access() -> None:
    assert Stack().properties("Bucket")["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }


def test_bucket_disables_access_control_lists() -> None:
    ownership = Stack().properties("Bucket")["OwnershipControls"]
    assert ownership == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_bucket_is_encrypted() -> None:
    rules = Stack().properties("Bucket")["BucketEncryption"]
    (rule,) = rules["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_bucket_is_kept_when_the_stack_is_deleted() -> None:
    bucket = Stack().resources["Bucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_versioning_is_optional(status: str) -> None:
    bucket = Stack(Versioning=status).properties("Bucket")
    assert bucket["VersioningConfiguration"]["Status"] == status
    assert status in PARAMETERS["Versioning"]["AllowedValues"]


def test_incomplete_uploads_are_aborted_after_a_day() -> None:
    (rule,) = (r for r in lifecycle_rules() if "AbortIncompleteMultipartUpload" in r)
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Prefix" not in rule


def test_current_objects_do_not_expire_by_default() -> None:
    assert not any("ExpirationInDays" in rule for rule in lifecycle_rules())


def test_only_intermediate_tables_expire_on_request() -> None:
    rules = lifecycle_rules(IntermediateDays=7)
    assert {
        rule["Prefix"]: rule["ExpirationInDays"]
        for rule in rules
        if "ExpirationInDays" in rule
    } == {"data/02_intermediate/": "7", "data/03_primary/": "7"}


def test_server_accepts_no_connections() -> None:
    stack = Stack(Schedule="rate(1 day)", RouteTableId="rtb-1")
    assert stack.properties("SecurityGroup")["SecurityGroupIngress"] == []
    types = {resource["Type"] for resource in stack.resources.values()}
    assert "AWS::EC2::SecurityGroupIngress" not in types
    server = stack.properties("Server")
    (interface,) = server["NetworkInterfaces"]
    assert interface["GroupSet"] == ["SecurityGroup"]
    assert not {"KeyName", "SecurityGroups", "SecurityGroupIds"} & server.keys()


def test_server_connects_only_by_https() -> None:
    (egress,) = Stack().properties("SecurityGroup")["SecurityGroupEgress"]
    ports = (egress["IpProtocol"], egress["FromPort"], egress["ToPort"])
    assert ports == ("tcp", 443, 443)


def test_s3_gateway_endpoint_is_added_to_the_given_route_table() -> None:
    assert "S3Endpoint" not in Stack().resources
    endpoint = Stack(RouteTableId="rtb-1").properties("S3Endpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["RouteTableIds"] == ["rtb-1"]


def test_metadata_service_requires_imdsv2_without_forwarding() -> None:
    options = Stack().properties("Server")["MetadataOptions"]
    assert options["HttpTokens"] == "required"
    assert options["HttpPutResponseHopLimit"] == 1


def test_disk_is_encrypted_and_deleted_with_the_server() -> None:
    (disk,) = Stack(DiskGiB=20).properties("Server")["BlockDeviceMappings"]
    assert disk["Ebs"] == {
        "VolumeType": "gp3",
        "VolumeSize": "20",
        "Encrypted": True,
        "DeleteOnTermination": True,
    }


def test_shutdown_stops_the_server_and_keeps_it() -> None:
    server = Stack().properties("Server")
    assert server["InstanceInitiatedShutdownBehavior"] == "stop"


@pytest.mark.parametrize("name", PARAMETERS["InstanceType"]["AllowedValues"])
def test_instance_type_gets_amazon_linux_of_its_architecture(name: str) -> None:
    architecture = "arm64" if "g." in name else "x86_64"
    image = Stack(InstanceType=name).properties("Server")["ImageId"]
    folder = "/aws/service/ami-amazon-linux-latest"
    expected = f"{folder}/al2023-ami-kernel-default-{architecture}"
    assert image == f"{{{{resolve:ssm:{expected}}}}}"


def test_every_instance_type_has_a_price() -> None:
    prices = yaml.safe_load(TEMPLATE.with_name("prices.yml").read_text())
    types = set(PARAMETERS["InstanceType"]["AllowedValues"])
    assert set(prices["instances"]) == types
    assert set(Stack().template["Mappings"]["Architectures"]) == types


def test_schedule_is_optional_and_starts_the_server() -> None:
    assert not any(name.startswith("Schedule") for name in Stack().resources)
    assert "RunSchedule" not in Stack().resources
    schedule = Stack(Schedule="cron(0 3 * * ? *)").properties("RunSchedule")
    assert schedule["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert schedule["Target"]["Arn"].endswith(":aws-sdk:ec2:startInstances")
    assert json.loads(schedule["Target"]["Input"]) == {"InstanceIds": ["Server"]}


@pytest.mark.parametrize(("minutes", "is_valid"), [(15, True), (0, False)])
def test_schedule_requires_auto_stop(minutes: int, is_valid: bool) -> None:
    stack = Stack(Schedule="rate(1 day)", AutoStopMinutes=minutes)
    rule = stack.evaluate(stack.template["Rules"]["ScheduleNeedsAutoStop"])
    assert rule["RuleCondition"]
    assert rule["Assertions"][0]["Assert"] is is_valid


def test_budget_alerts_before_ten_dollars_are_spent() -> None:
    assert PARAMETERS["BudgetUsd"]["MaxValue"] <= 10
    budget = Stack(BudgetUsd=10).properties("Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": "10", "Unit": "USD"}
    thresholds = {
        alert["Notification"]["NotificationType"]: alert["Notification"]["Threshold"]
        for alert in budget["NotificationsWithSubscribers"]
    }
    assert thresholds["ACTUAL"] < 100
    assert "FORECASTED" in thresholds


QUERIES = ("QueryDatabase", "ReducedTable", "ImagesTable", "QueryWorkGroup")


def test_queries_are_optional() -> None:
    assert not {*QUERIES, "QueryPolicy"} & Stack().resources.keys()
    assert not any(rule.get("Prefix") == "queries/" for rule in lifecycle_rules())
    assert {*QUERIES, "QueryPolicy"} <= Stack(Queries="On").resources.keys()


@pytest.mark.parametrize("name", ["reduced", "images"])
def test_tables_of_athena_are_native_delta_tables(name: str) -> None:
    table = Stack(Queries="On").properties(f"{name.title()}Table")["TableInput"]
    assert table["Name"] == name
    assert table["TableType"] == "EXTERNAL_TABLE"
    assert table["Parameters"]["table_type"] == "DELTA"
    location = f"s3://{BUCKET}/data/{TABLES[name]}/"
    assert table["StorageDescriptor"] == {"Location": location}


def test_queries_are_limited_and_their_results_expire() -> None:
    stack = Stack(Queries="On")
    settings = stack.properties("QueryWorkGroup")["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["EngineVersion"]["SelectedEngineVersion"].endswith("version 3")
    assert settings["BytesScannedCutoffPerQuery"] == 100 * 1024**3
    assert (
        settings["ResultConfiguration"]["OutputLocation"] == f"s3://{BUCKET}/queries/"
    )
    (rule,) = (r for r in lifecycle_rules(Queries="On") if "ExpirationInDays" in r)
    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("queries/", 7)


def test_people_who_query_can_read_two_tables_and_change_none() -> None:
    policy = Stack(Queries="On").properties("QueryPolicy")["PolicyDocument"]
    by_action: dict[str, set[str]] = {}
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        actions, resources = statement["Action"], statement["Resource"]
        for action in [actions] if isinstance(actions, str) else actions:
            found = [resources] if isinstance(resources, str) else resources
            by_action.setdefault(action, set()).update(found)
    bucket = f"arn:aws:s3:::{BUCKET}"
    tables = {f"{bucket}/data/{TABLES[name]}/*" for name in ("reduced", "images")}
    assert by_action["s3:GetObject"] == tables | {f"{bucket}/queries/*"}
    assert by_action["s3:PutObject"] == {f"{bucket}/queries/*"}
    assert not any("*" in action or "Delete" in action for action in by_action)
    assert all("*" not in {*resources} for resources in by_action.values())


def test_all_taggable_resources_are_tagged() -> None:
    stack = Stack(Schedule="rate(1 day)", RouteTableId="rtb-1", Queries="On")
    assert stack.resources.keys() == stack.template["Resources"].keys()
    for name, resource in stack.resources.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(
            "eu-west-3", resource["Type"]
        )
        taggable = {"Tags", "ResourceTags"} & schema.schema["properties"].keys()
        tags = [tag for key in taggable for tag in resource["Properties"].get(key, [])]
        assert not taggable or {"Project", "Stack"} <= {t["Key"] for t in tags}, name
    assert stack.properties("Server")["PropagateTagsToVolumeOnCreation"] is True
