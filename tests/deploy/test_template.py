import json
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from factories import TABLES
from metrics import NAMESPACE, metric_data
from template_policy import BUCKET, EVERYTHING, TEMPLATE, Stack

from fruits_pipeline.costs.prices import load_prices

PARAMETERS = Stack().template["Parameters"]
MAX_BYTES = 51_200
"""Limit of `aws cloudformation deploy` without a bucket for the template."""


def lifecycle_rules(**parameters: object) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = Stack(**parameters).properties("Bucket")[
        "LifecycleConfiguration"
    ]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    return rules


def test_cfn_lint_finds_no_problem() -> None:
    assert lint_file(TEMPLATE) == []


def test_template_can_be_deployed_without_a_bucket_for_it() -> None:
    assert TEMPLATE.stat().st_size < MAX_BYTES


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


def test_current_objects_do_not_expire() -> None:
    assert not any("ExpirationInDays" in rule for rule in lifecycle_rules())


def test_existing_bucket_is_neither_created_nor_changed() -> None:
    stack = Stack(ExistingBucket="shared", **EVERYTHING)
    types = {resource["Type"] for resource in stack.resources.values()}
    assert not {t for t in types if t.startswith("AWS::S3::")}
    assert stack.evaluate(stack.template["Outputs"]["BucketName"]["Value"]) == "shared"


def test_server_accepts_no_connections() -> None:
    stack = Stack(**EVERYTHING)
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


def test_image_changes_only_if_the_parameter_changes() -> None:
    assert PARAMETERS["ImageId"]["Type"] == "AWS::EC2::Image::Id"
    assert Stack(ImageId="ami-1").properties("Server")["ImageId"] == "ami-1"
    assert "{{resolve:" not in TEMPLATE.read_text()


def test_every_instance_type_has_a_price() -> None:
    types = set(PARAMETERS["InstanceType"]["AllowedValues"])
    assert types <= set(load_prices().instances)


def test_interface_endpoints_accept_https_from_the_server_only() -> None:
    stack = Stack(InterfaceEndpoints="true")
    (ingress,) = stack.properties("EndpointSecurityGroup")["SecurityGroupIngress"]
    assert ingress["FromPort"] == ingress["ToPort"] == 443
    assert ingress["SourceSecurityGroupId"] == "SecurityGroup"
    services = {
        resource["Properties"]["ServiceName"]
        for resource in stack.resources.values()
        if resource["Properties"].get("VpcEndpointType") == "Interface"
    }
    names = ("ssm", "ssmmessages", "monitoring", "sns")
    assert services == {f"com.amazonaws.eu-west-3.{name}" for name in names}
    assert not [name for name in Stack().resources if name.endswith("Endpoint")]


def test_schedule_is_optional_and_starts_the_server() -> None:
    assert not any(name.startswith("Schedule") for name in Stack().resources)
    assert "RunSchedule" not in Stack().resources
    schedule = Stack(Schedule="cron(0 3 * * ? *)").properties("RunSchedule")
    assert schedule["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert schedule["Target"]["Arn"].endswith(":aws-sdk:ec2:startInstances")
    assert json.loads(schedule["Target"]["Input"]) == {"InstanceIds": ["Server"]}


@pytest.mark.parametrize("start", [{"Schedule": "rate(1 day)"}, {"QuietMinutes": 15}])
@pytest.mark.parametrize(("minutes", "is_valid"), [(15, True), (0, False)])
def test_start_requires_auto_stop(
    start: dict[str, object], minutes: int, is_valid: bool
) -> None:
    stack = Stack(AutoStopMinutes=minutes, **start)
    rule = stack.evaluate(stack.template["Rules"]["StartNeedsAutoStop"])
    assert rule["RuleCondition"]
    assert rule["Assertions"][0]["Assert"] is is_valid


def test_nothing_is_sent_or_measured_without_an_email() -> None:
    types = {resource["Type"] for resource in Stack().resources.values()}
    prefixes = ("AWS::SNS", "AWS::CloudWatch", "AWS::Budgets", "AWS::Events")
    assert not [name for name in types if name.startswith(prefixes)]


def alarms() -> dict[str, dict[str, Any]]:
    """Return the properties of the alarms that send e-mails, by name."""
    stack = Stack(**EVERYTHING)
    found = {name: r["Properties"] for name, r in stack.resources.items()}
    return {name: p for name, p in found.items() if "AlarmActions" in p}


def test_alarms_use_metrics_that_a_run_publishes() -> None:
    summary = {
        "photos": 100,
        "rejected": 3,
        "new_photos": 7,
        "seconds": {"ingest": 1.5, "report": 2.5},
        "cost": {"total_usd": 0.25},
    }
    data = {metric["MetricName"]: metric for metric in metric_data(summary, "fruits")}
    assert data["RejectedPercent"]["Value"] == pytest.approx(3)
    assert data["Seconds"]["Value"] == pytest.approx(4)
    for alarm in alarms().values():
        assert alarm["Namespace"] == NAMESPACE
        assert alarm["Dimensions"] == data[alarm["MetricName"]]["Dimensions"]
        assert alarm["AlarmActions"] == ["Topic"]


def test_no_run_for_some_hours_is_an_alarm() -> None:
    alarm = alarms()["NoRunAlarm"]
    hours = int(alarm["EvaluationPeriods"]) * alarm["Period"] / 3600
    assert hours == EVERYTHING["MaxHoursWithoutRun"]
    # CloudWatch permits seven days of periods of an hour.
    assert PARAMETERS["MaxHoursWithoutRun"]["MaxValue"] <= 7 * 24
    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)


def test_rejects_and_cost_are_alarms() -> None:
    assert alarms().keys() == {"NoRunAlarm", "RejectedAlarm", "CostAlarm"}
    assert alarms()["RejectedAlarm"]["Threshold"] == "5"
    assert alarms()["CostAlarm"]["Period"] == 86400


def test_cost_is_unknown_without_a_price() -> None:
    counts = {"photos": 0, "rejected": 0, "new_photos": 0, "seconds": {}}
    summary = {**counts, "cost": {"total_usd": None}}
    names = {metric["MetricName"] for metric in metric_data(summary, "fruits")}
    assert "CostUsd" not in names
    assert "RejectedPercent" in names


def test_budget_counts_the_resources_of_the_stack() -> None:
    budget = Stack(Email="someone@example.org").properties("Budget")["Budget"]
    assert budget["CostFilters"] == {"TagKeyValue": ["user:Stack$fruits"]}


def test_budget_alerts_before_ten_dollars_are_spent() -> None:
    assert PARAMETERS["BudgetUsd"]["MaxValue"] <= 10
    budget = Stack(BudgetUsd=10, Email="someone@example.org").properties("Budget")
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
    stack = Stack(**EVERYTHING)
    assert stack.resources.keys() == stack.template["Resources"].keys()
    for name, resource in stack.resources.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(
            "eu-west-3", resource["Type"]
        )
        taggable = {"Tags", "ResourceTags"} & schema.schema["properties"].keys()
        tags = [tag for key in taggable for tag in resource["Properties"].get(key, [])]
        assert not taggable or {"Project", "Stack"} <= {t["Key"] for t in tags}, name
    assert stack.properties("Server")["PropagateTagsToVolumeOnCreation"] is True
