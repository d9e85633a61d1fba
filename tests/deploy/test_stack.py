"""Create the stack on a moto server."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from fake_s3 import REGION, Cloud, moto_server
from template_policy import TEMPLATE, server_policy


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
        parameters = {
            "VpcId": subnet["VpcId"],
            "SubnetId": subnet["SubnetId"],
            "RouteTableId": route_table["RouteTableId"],
            "BudgetEmail": "someone@example.org",
            "Schedule": "cron(0 3 * * ? *)",
        }
        cloud.cloudformation.create_stack(
            StackName="fruits",
            TemplateBody=TEMPLATE.read_text(),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
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


def test_s3_gateway_endpoint_exists(stack: CreatedStack) -> None:
    (endpoint,) = stack.cloud.ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert endpoint["ServiceName"] == f"com.amazonaws.{REGION}.s3"
    assert endpoint["RouteTableIds"]
