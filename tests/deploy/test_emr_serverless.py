"""The template of EMR Serverless, and the command that starts jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import submit
from cfnlint.api import lint_file
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from click.testing import CliRunner, Result
from fake_s3 import REGION, Cloud, moto_server
from template_policy import BUCKET, EMR_TEMPLATE, Stack, server_policy

SERVICE = "emr-serverless.amazonaws.com"
ACCOUNT = "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/fruits:0.3"
APPLICATIONS = f"arn:aws:emr-serverless:{REGION}:{ACCOUNT}:/applications/*"
OF_THIS_ACCOUNT = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "StringLike": {"aws:SourceArn": APPLICATIONS},
}


def emr_stack(**parameters: object) -> Stack:
    """Return the stack with all its resources, and changed parameters."""
    chosen = {"BucketName": BUCKET, "ImageUri": IMAGE, "Schedule": "rate(1 day)"}
    return Stack(BUCKET, EMR_TEMPLATE, **chosen | parameters)


def test_cfn_lint_finds_no_problem() -> None:
    assert lint_file(EMR_TEMPLATE) == []


def test_jobs_have_the_permissions_of_the_server_on_photos_and_tables() -> None:
    (policy,) = emr_stack().properties("JobRole")["Policies"]
    of_server = {s["Sid"]: s for s in server_policy()["Statement"]}
    of_job = {s["Sid"]: s for s in policy["PolicyDocument"]["Statement"]}
    assert of_server.keys() - of_job.keys() == {"ReadBundle", "WriteLogs"}
    assert of_job == {sid: of_server[sid] for sid in of_job}


def test_only_applications_of_this_account_may_assume_the_role() -> None:
    role = emr_stack().properties("JobRole")
    assert "ManagedPolicyArns" not in role
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": SERVICE}
    assert statement["Condition"] == OF_THIS_ACCOUNT


def test_only_applications_of_this_account_may_pull_the_image() -> None:
    repository = emr_stack().properties("Repository")
    (statement,) = repository["RepositoryPolicyText"]["Statement"]
    assert statement["Principal"] == {"Service": SERVICE}
    assert statement["Condition"] == OF_THIS_ACCOUNT
    assert not any("Put" in a or "*" in a for a in statement["Action"])
    assert json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]


def test_schedule_may_only_start_jobs_of_the_application_with_its_role() -> None:
    (policy,) = emr_stack().properties("ScheduleRole")["Policies"]
    start, pass_role = policy["PolicyDocument"]["Statement"]
    assert start["Action"] == "emr-serverless:StartJobRun"
    assert start["Resource"] == "Application.Arn"
    assert pass_role["Action"] == "iam:PassRole"
    assert pass_role["Resource"] == "JobRole.Arn"
    assert pass_role["Condition"] == {"StringEquals": {"iam:PassedToService": SERVICE}}


def uncapitalised(value: Any) -> Any:
    """Return a request of the scheduler with the names of the API."""
    if isinstance(value, dict):
        names = {
            k: k if k in ("Project", "Stack") else k[0].lower() + k[1:] for k in value
        }
        return {names[k]: uncapitalised(v) for k, v in value.items()}
    return value


def test_schedule_sends_the_request_of_the_command(
    cloud: Cloud, application: str
) -> None:
    target = emr_stack().properties("JobSchedule")["Target"]
    assert target["Arn"].endswith(":aws-sdk:emrserverless:startJobRun")
    request = uncapitalised(json.loads(target["Input"]))
    assert request["clientToken"] == "<aws.scheduler.execution-id>"

    sent: dict[str, Any] = {}
    emr = getattr(cloud, "emr-serverless")
    emr.meta.events.register(
        "provide-client-params.emr-serverless.StartJobRun",
        lambda params, **_: sent.update(params),
    )
    outputs = {
        "ApplicationId": application,
        "JobRoleArn": f"arn:aws:iam::{ACCOUNT}:role/job",
        "RunMinutes": request["executionTimeoutMinutes"],
    }
    submit.start(emr, outputs, "fruits", ())
    changes = {
        "applicationId": "Application",
        "clientToken": request["clientToken"],
        "executionRoleArn": "JobRole.Arn",
    }
    assert sent | changes == request


def test_application_stops_when_idle_and_is_limited() -> None:
    application = emr_stack().properties("Application")
    assert application["AutoStopConfiguration"]["Enabled"] is True
    assert application["MaximumCapacity"] == {"Cpu": "16 vCPU", "Memory": "64 GB"}
    assert "InitialCapacity" not in application  # billed while no job runs


def test_smallest_capacity_is_sufficient_for_the_driver_and_an_executor() -> None:
    stack = emr_stack()
    (defaults,) = stack.properties("Application")["RuntimeConfiguration"]
    settings = defaults["Properties"]
    workers = ("driver", "executor")
    parameters = stack.template["Parameters"]
    cores = sum(int(settings[f"spark.{w}.cores"]) for w in workers)
    assert cores <= parameters["MaxVcpu"]["MinValue"]
    gib = sum(
        int(settings[f"spark.{w}.{name}"].removesuffix("g"))
        for w in workers
        for name in ("memory", "memoryOverhead")
    )
    assert gib <= parameters["MaxMemoryGiB"]["MinValue"]


def test_first_deployment_creates_no_application() -> None:
    stack = emr_stack(ImageUri="", Schedule="")
    assert stack.resources.keys() == {"Repository", "JobRole", "Budget"}
    rule = emr_stack(ImageUri="").template["Rules"]["ScheduleNeedsImage"]
    assert emr_stack(ImageUri="").evaluate(rule["Assertions"][0]["Assert"]) is False


def test_all_taggable_resources_are_tagged() -> None:
    stack = emr_stack()
    assert stack.resources.keys() == stack.template["Resources"].keys()
    for name, resource in stack.resources.items():
        manager = PROVIDER_SCHEMA_MANAGER
        schema = manager.get_resource_schema(REGION, resource["Type"]).schema
        taggable = {"Tags", "ResourceTags"} & schema["properties"].keys()
        tags = [tag for key in taggable for tag in resource["Properties"].get(key, [])]
        assert not taggable or {"Project", "Stack"} <= {t["Key"] for t in tags}, name


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as url:
        yield Cloud(url)


@pytest.fixture
def application(cloud: Cloud) -> str:
    """Create an application, and a stack with its outputs; return the ID.

    moto does not create applications of a template.
    """
    emr = getattr(cloud, "emr-serverless")
    created: str = emr.create_application(
        name="fruits", releaseLabel="emr-7.0.0", type="SPARK"
    )["applicationId"]
    role = f"arn:aws:iam::{ACCOUNT}:role/job"
    values = {"ApplicationId": created, "JobRoleArn": role, "RunMinutes": "360"}
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in values.items()},
    }
    cloud.cloudformation.create_stack(
        StackName=created, TemplateBody=json.dumps(template)
    )
    return created


@pytest.fixture(autouse=True)
def account(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command find the moto server."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", REGION)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(submit.main, arguments)


def test_job_is_started_and_awaited(cloud: Cloud, application: str) -> None:
    done = call("--stack", application, "--wait", "--", "--params", "a=b")
    assert done.exit_code == 0, done.output
    job, link, state = done.output.splitlines()
    job_id = job.removeprefix("Job ")
    assert link.endswith(f"#/serverless/applications/{application}/{job_id}")
    assert state == "SUCCESS"
    emr = getattr(cloud, "emr-serverless")
    run = emr.get_job_run(applicationId=application, jobRunId=job_id)["jobRun"]
    driver = run["jobDriver"]["sparkSubmit"]
    assert driver["entryPoint"] == submit.ENTRY_POINT
    assert driver["entryPointArguments"] == ["--env", "cluster", "--params", "a=b"]


def test_state_of_a_job_that_did_not_succeed_is_returned(
    cloud: Cloud, application: str
) -> None:
    job = call("--stack", application).output.splitlines()[0].removeprefix("Job ")
    emr = getattr(cloud, "emr-serverless")
    emr.cancel_job_run(applicationId=application, jobRunId=job)
    assert submit.wait(emr, application, job) == ("CANCELLED", "")


def test_unknown_stack_is_reported() -> None:
    done = call("--stack", "no-such-stack")
    assert done.exit_code == 1
    assert "no-such-stack" in done.output
    assert "Traceback" not in done.output


def named_repository(template: str) -> str:
    """Return the template with a name for the repository; moto invents an invalid one."""
    line = "ImageTagMutability: IMMUTABLE"
    return template.replace(line, f"{line}\n      RepositoryName: fruits")


def test_stack_without_an_application_is_reported(cloud: Cloud) -> None:
    cloud.cloudformation.create_stack(
        StackName="first",
        TemplateBody=named_repository(EMR_TEMPLATE.read_text()),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": "BucketName", "ParameterValue": BUCKET},
            {"ParameterKey": "BudgetEmail", "ParameterValue": "someone@example.org"},
        ],
    )
    done = call("--stack", "first")
    assert done.exit_code == 1
    assert "Found no output ApplicationId in the stack first" in done.output
    (repository,) = cloud.ecr.describe_repositories()["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"


def test_failure_is_shown_with_its_message(
    application: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "wait", lambda *_: ("FAILED", "the reason"))
    done = call("--stack", application, "--wait")
    assert done.exit_code == 1
    assert done.output.splitlines()[-1] == "FAILED the reason"
