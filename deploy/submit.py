"""Start a job on the EMR Serverless application of a stack: `make submit`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import botocore.session
import click
from botocore.exceptions import BotoCoreError, ClientError

ENTRY_POINT = "local:///opt/fruits/run.py"
SUCCESS = "SUCCESS"
FINAL = (SUCCESS, "FAILED", "CANCELLED")
SECONDS = 10
"""Seconds between two requests for the state of a job."""

NEEDED = ("ApplicationId", "JobRoleArn", "RunMinutes")
"""Outputs of the stack."""


def read_outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    """Return the outputs of a stack by name.

    Raises:
        click.ClickException: An output is missing.
    """
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
    if missing := [name for name in NEEDED if name not in outputs]:
        raise click.ClickException(
            f"Found no output {', '.join(missing)} in the stack {stack}; expected those "
            "of deploy/emr-serverless.yaml. Deploy it with the parameter ImageUri."
        )
    return outputs


def start(
    emr: Any, outputs: Mapping[str, str], name: str, arguments: tuple[str, ...]
) -> str:
    """Start a job, and return its ID.

    Args:
        emr: Client of EMR Serverless.
        outputs: Outputs of the stack.
        name: Name of the job, and value of its tag Stack.
        arguments: Further arguments of the pipeline.
    """
    driver = {
        "entryPoint": ENTRY_POINT,
        "entryPointArguments": ["--env", "cluster", *arguments],
    }
    started = emr.start_job_run(
        applicationId=outputs["ApplicationId"],
        executionRoleArn=outputs["JobRoleArn"],
        clientToken=str(uuid4()),
        name=name,
        executionTimeoutMinutes=int(outputs["RunMinutes"]),
        retryPolicy={"maxAttempts": 2},
        jobDriver={"sparkSubmit": driver},
        tags={"Project": "fruits-pipeline", "Stack": name},
    )
    return str(started["jobRunId"])


def wait(emr: Any, application: str, job: str) -> tuple[str, str]:
    """Wait until a job has ended; return its state, and the details of the state."""
    while True:
        run = emr.get_job_run(applicationId=application, jobRunId=job)["jobRun"]
        if run["state"] in FINAL:
            return run["state"], run.get("stateDetails") or ""
        time.sleep(SECONDS)


def console_link(region: str, application: str, job: str) -> str:
    """Return the URL of a job in the console of AWS."""
    return (
        f"https://{region}.console.aws.amazon.com/emr/home?region={region}"
        f"#/serverless/applications/{application}/{job}"
    )


@click.command()
@click.option("--stack", default="fruits-emr", show_default=True, help="Stack.")
@click.option("--wait", "is_waiting", is_flag=True, help="Wait for the end of the job.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def main(stack: str, is_waiting: bool, arguments: tuple[str, ...]) -> None:
    """Start a job. ARGUMENTS after -- are those of `kedro run`, such as --params.

    With --wait, the exit code is 0 if the job succeeds.
    """
    session = botocore.session.get_session()
    region = os.environ.get("AWS_REGION")  # botocore reads only AWS_DEFAULT_REGION
    try:
        cloudformation = session.create_client("cloudformation", region)
        outputs = read_outputs(cloudformation, stack)
        emr = session.create_client("emr-serverless", region)
        application = outputs["ApplicationId"]
        job = start(emr, outputs, stack, arguments)
        click.echo(f"Job {job}")
        click.echo(console_link(emr.meta.region_name, application, job))
        if not is_waiting:
            return
        state, details = wait(emr, application, job)
    except (BotoCoreError, ClientError) as exc:
        raise click.ClickException(
            f"Found that AWS refused the request ({exc}); expected permission for the stack "
            f"{stack}. Check --stack, AWS_REGION and AWS_PROFILE."
        ) from exc
    click.echo(f"{state} {details}".strip())
    sys.exit(state != SUCCESS)


if __name__ == "__main__":
    main()
