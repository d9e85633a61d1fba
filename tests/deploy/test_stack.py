"""Create the stack on a moto server.

moto ignores alarms, budgets, schedules and topic policies, and does not run state machines.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from fake_s3 import REGION, Cloud, moto_server
from template_policy import EVERYTHING, TEMPLATE, server_policy

IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


class CreatedStack(NamedTuple):
    """Description and outputs of a stack, and the cloud that runs it."""

    cloud: Cloud
    description: dict[str, Any]
    outputs: dict[str, str]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CreatedStack]:
    """Create the stack, with its schedule, in moto's default VPC."""
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as url:
        cloud = Cloud(url)
        subnet = cloud.ec2.describe_subnets()["Subnets"][0]
        route_table = cloud.ec2.describe_route_tables()["RouteTables"][0]
        image = cloud.ssm.get_parameter(Name=IMAGE)["Parameter"]["Value"]
        parameters = {
            **EVERYTHING,
            "VpcId": subnet["VpcId"],
            "SubnetId": subnet["SubnetId"],
            "RouteTableId": route_table["RouteTableId"],
            "ImageId": image,
        }
        cloud.cloudformation.create_stack(
            StackName="fruits",
            TemplateBody=TEMPLATE.read_text(),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": str(value)}
                for key, value in parameters.items()
            ],
        )
        (description,) = cloud.cloudformation.describe_stacks(StackName="fruits")[
            "Stacks"
        ]
        outputs = {o["OutputKey"]: o["OutputValue"] for o in description["Outputs"]}
        yield CreatedStack(cloud, description, outputs)


def test_stack_is_created(stack: CreatedStack) -> None:
    assert stack.description["StackStatus"] == "CREATE_COMPLETE"


def test_role_has_the_policy_of_the_template(stack: CreatedStack) -> None:
    role = stack.outputs["ServerRoleArn"].rpartition("/")[-1]
    policy = stack.cloud.iam.get_role_policy(RoleName=role, PolicyName="pipeline")
    # moto returns the repr of a dict instead of JSON; both are valid YAML.
    document = yaml.safe_load(str(policy["PolicyDocument"]))
    assert document == server_policy(stack.outputs["BucketName"])


def test_server_has_the_chosen_type_a_profile_and_tags(stack: CreatedStack) -> None:
    ids = [stack.outputs["ServerId"]]
    found = stack.cloud.ec2.describe_instances(InstanceIds=ids)
    (server,) = found["Reservations"][0]["Instances"]
    assert server["InstanceType"] == "t3.micro"
    assert server["IamInstanceProfile"]["Arn"]
    assert {"Key": "Project", "Value": "fruits-pipeline"} in server["Tags"]


def test_endpoints_exist(stack: CreatedStack) -> None:
    endpoints = stack.cloud.ec2.describe_vpc_endpoints()["VpcEndpoints"]
    services = {e["ServiceName"].rpartition(".")[2]: e for e in endpoints}
    assert services.keys() == {"s3", "ssm", "ssmmessages", "monitoring", "sns"}
    assert services["s3"]["RouteTableIds"]


def test_rule_matches_uploads_of_photos_only(stack: CreatedStack) -> None:
    cloud, bucket = stack.cloud, stack.outputs["BucketName"]
    (rule,) = (r for r in rules(stack) if r["Description"] == "Uploads of photos")
    # As the template does, which moto ignores, and as an existing bucket needs.
    cloud.s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    queue = cloud.sqs.create_queue(QueueName="uploads")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:uploads"
    cloud.events.remove_targets(
        Rule=rule["Name"], Ids=["topic"]
    )  # moto cannot send to it
    cloud.events.put_targets(Rule=rule["Name"], Targets=[{"Id": "test", "Arn": arn}])
    for key in ("photos/Apple/1.jpg", "data/photos/1.parquet", "photos-2/1.jpg"):
        cloud.s3.put_object(Bucket=bucket, Key=key, Body=b"")
    received = cloud.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    keys = [
        json.loads(message["Body"])["detail"]["object"]["key"]
        for message in received["Messages"]
    ]
    assert keys == ["photos/Apple/1.jpg"]


def test_end_of_the_quiet_period_starts_the_state_machine(stack: CreatedStack) -> None:
    (rule,) = (r for r in rules(stack) if r["Description"].startswith("The end of"))
    targets = stack.cloud.events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    (machine,) = stack.cloud.stepfunctions.list_state_machines()["stateMachines"]
    assert [target["Arn"] for target in targets] == [machine["stateMachineArn"]]
    described = stack.cloud.stepfunctions.describe_state_machine(
        stateMachineArn=machine["stateMachineArn"]
    )
    assert stack.outputs["ServerId"] in described["definition"]


def rules(stack: CreatedStack) -> list[dict[str, Any]]:
    """Return the rules of EventBridge."""
    found: list[dict[str, Any]] = stack.cloud.events.list_rules()["Rules"]
    return found
