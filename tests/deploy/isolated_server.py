"""Run the server of deploy/template.yaml without internet access, and record what it does.

The server is a container with its real user data and systemd. It can reach S3, IAM, SNS,
SSM and CloudWatch of a moto server, and a metadata service. Run this script as root with
`unshare --net --mount`. It writes `result.json`: what each start did, by name.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_imds import metadata_service
from fake_s3 import Cloud, enforce_iam, moto_server
from fake_server import BUCKET, ROLE, endpoint_environ
from server_container import MEMORY, Container, ControlGroups
from template_policy import Stack

PARAMETERS = "/fruits/run-parameters"
BUNDLE = "bundle/fruits-pipeline.tar.gz"
RETRIES = 'RETRY_SECONDS="60 300"'


class IsolatedCloud:
    """A bucket, a role with the policies of the template, and a mailbox.

    Args:
        url: URL of the moto server.
    """

    def __init__(self, url: str) -> None:
        self.cloud = Cloud(url)
        self.cloud.create_bucket(BUCKET, {})
        self.topic = self.cloud.sns.create_topic(Name="fruits")["TopicArn"]
        self.mailbox = self.cloud.sqs.create_queue(QueueName="mailbox")["QueueUrl"]
        mailbox_arn = "arn:aws:sqs:eu-west-3:123456789012:mailbox"
        self.cloud.sns.subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint=mailbox_arn
        )
        self.role = self._create_role()

    def _create_role(self) -> Mapping[str, str]:
        """Create the role of the server, and return its credentials."""
        role = Stack(BUCKET, Email="a@example.org", Topic=self.topic).properties(
            "ServerRole"
        )
        trust = json.dumps(role["AssumeRolePolicyDocument"])
        created = self.cloud.iam.create_role(
            RoleName=ROLE, AssumeRolePolicyDocument=trust
        )
        for policy in role["Policies"]:
            document = policy["PolicyDocument"]
            for statement in document["Statement"]:
                if policy["PolicyName"] == "service":
                    # moto knows the resources of S3 only, and another prefix.
                    statement["Resource"] = "*"
                    if statement["Action"] == "cloudwatch:PutMetricData":
                        statement["Action"] = "monitoring:PutMetricData"
            self.cloud.iam.put_role_policy(
                RoleName=ROLE,
                PolicyName=policy["PolicyName"],
                PolicyDocument=json.dumps(document),
            )
        arn = created["Role"]["Arn"]
        session = self.cloud.sts.assume_role(RoleArn=arn, RoleSessionName="server")
        credentials: Mapping[str, str] = session["Credentials"]
        return credentials

    def upload(self, bundle: bytes | Path) -> None:
        """Upload a bundle, given by its content or path."""
        content = bundle if isinstance(bundle, bytes) else bundle.read_bytes()
        self.cloud.s3.put_object(Bucket=BUCKET, Key=BUNDLE, Body=content)

    def set_parameters(self, value: str) -> None:
        """Set the parameters of the next run."""
        self.cloud.ssm.put_parameter(
            Name=PARAMETERS, Type="String", Value=value, Overwrite=True
        )

    def mails(self) -> list[str]:
        """Return and delete all mails: subject and message."""
        found = []
        while True:
            read = self.cloud.sqs.receive_message(
                QueueUrl=self.mailbox, MaxNumberOfMessages=10
            )
            if "Messages" not in read:
                return found
            for message in read["Messages"]:
                body = json.loads(message["Body"])
                found.append(f"{body['Subject']}\n{body['Message']}")
                self.cloud.sqs.delete_message(
                    QueueUrl=self.mailbox, ReceiptHandle=message["ReceiptHandle"]
                )

    def metrics(self) -> list[dict[str, Any]]:
        """Return all published metrics: names, values and dimensions."""
        listed = self.cloud.cloudwatch.list_metrics(Namespace="fruits-pipeline")
        return [
            {"name": m["MetricName"], "dimensions": m["Dimensions"]}
            for m in listed["Metrics"]
        ]

    def texts(self, prefix: str) -> dict[str, str]:
        """Return the objects with a prefix as text, by key."""
        found = self.cloud.read_objects(BUCKET, prefix)
        return {key: content.decode(errors="replace") for key, content in found.items()}


def small_bundle(start: str, install: str = "") -> bytes:
    """Return a bundle of two scripts instead of the pipeline."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, script in {"start.sh": start, "install.sh": install}.items():
            content = f"#!/bin/bash\n{script}\n".encode()
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


class Recorder:
    """Starts a server and records the effects of each start.

    Args:
        cloud: The services that it can reach.
        container: The server.
        groups: Its control groups.
    """

    def __init__(
        self, cloud: IsolatedCloud, container: Container, groups: ControlGroups
    ) -> None:
        self.cloud, self.container, self.groups = cloud, container, groups
        self.result: dict[str, dict[str, Any]] = {}

    def start(
        self,
        name: str,
        edit: Callable[[str], str] = lambda text: text,
        seconds: float = 300,
        is_restricted: bool = True,
        **parameters: object,
    ) -> None:
        """Start the server, wait until it has stopped, and record what it did.

        Args:
            name: Name of the record.
            edit: Change of the user data.
            seconds: Time after which the server is killed.
            is_restricted: Whether moto enforces the policies of the role.
            **parameters: Parameters of the stack.
        """
        stack = {"Email": "a@example.org", "Topic": self.cloud.topic, **parameters}
        stack = {"AutoStopMinutes": "0.02", "RunHours": "1"} | stack
        text = Stack(BUCKET, **stack).properties("Server")["UserData"]
        text = text.replace(RETRIES, 'RETRY_SECONDS="1 2"')
        text = text.replace(
            "fruits-stop-0 --on-active=0.02m", "fruits-stop-0 --on-active=60s"
        )
        old_logs = self.cloud.texts("logs/")
        started = time.monotonic()
        enforce_iam(self.cloud.cloud.url, is_restricted)
        has_stopped = self.container.boot(edit(text), self.groups, seconds)
        enforce_iam(self.cloud.cloud.url, False)
        logs = self.cloud.texts("logs/")
        folder = self.container.root / "opt/fruits"
        names = [f.name for f in folder.glob("*") if f.is_dir() and not f.is_symlink()]
        links = {f.name: str(f.readlink()) for f in folder.glob("*") if f.is_symlink()}
        self.result[name] = {
            "has_stopped": has_stopped,
            "seconds": time.monotonic() - started,
            "mails": self.cloud.mails(),
            "logs": [logs[key] for key in logs if key not in old_logs],
            "bundles": sorted(names),
            "links": links,
            "metrics": self.cloud.metrics(),
        }


FIND_WRITABLE = r"""#!/bin/sh
find / '(' -path /proc -o -path /dev ')' -prune -o \
  -writable ! -type l ! -type s -print -prune >"$STATE_DIRECTORY/writable" 2>/dev/null
find /var/tmp -mindepth 1 ! -name fruits-pipeline >"$STATE_DIRECTORY/temporary"
"""
"""Runs after the pipeline, in the same unit and so with the same restrictions."""

GOOD = 'echo "parameters: $RUN_PARAMETERS"'
NEXT_GOOD = f"{GOOD} # of the next version"
TRANSIENT = """
echo '{"level": "ERROR", "message": "Found no network"}' >&2
echo '{"level": "INFO", "message": "The end"}' >&2
exit 1
"""
ONCE = "[[ -e $STATE_DIRECTORY/tried ]] || { touch $STATE_DIRECTORY/tried; exit 1; }"
PERMANENT = 'echo "Error: Found a typo" >&2; exit 2'


def record_operation(recorder: Recorder) -> None:
    """Record the starts of a server with small bundles, one after the other."""
    cloud = recorder.cloud
    recorder.start("no bundle", AutoStopMinutes="0.1")
    recorder.start(
        "no service",
        lambda text: text.replace("cat >/etc", "false; cat >/etc"),
        AutoStopMinutes="0.03",
    )
    cloud.upload(small_bundle(PERMANENT))
    recorder.start("permanent error")
    cloud.upload(small_bundle(f"{ONCE}; {GOOD}"))
    cloud.set_parameters("changed_recipe=rebuild,reduce.variance=0.9")
    recorder.start("transient error, with parameters")
    cloud.set_parameters("changed_recipe=rebuild; reboot")
    recorder.start("wrong parameters")
    cloud.upload(small_bundle(TRANSIENT))
    recorder.start("broken bundle")
    recorder.start("broken bundle again")
    cloud.set_parameters("changed_recipe=rebuild")
    recorder.start("broken bundle with parameters")
    cloud.upload(small_bundle(GOOD, install="exit 1"))
    recorder.start("bundle that cannot be installed")
    cloud.upload(small_bundle(NEXT_GOOD))
    recorder.start("next bundle")
    cloud.upload(small_bundle("sleep 600"))
    recorder.start("endless run", RunHours="0.0005")


def record_pipeline(recorder: Recorder, bundle: Path, photos: Path) -> None:
    """Record a run of the bundle with photos, and one without."""
    cloud = recorder.cloud
    files = [file for file in photos.rglob("*") if file.is_file()]
    objects = {f"photos/{file.relative_to(photos)}": file for file in files}
    for key, file in objects.items():
        cloud.cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=file.read_bytes())
    cloud.upload(bundle)
    recorder.container.write("etc/find-writable", FIND_WRITABLE)
    unit = "etc/systemd/system/fruits-run.service.d/writable.conf"
    recorder.container.write(unit, "[Service]\nExecStartPost=/etc/find-writable\n")
    # moto denies DeleteObjects with s3:DeleteObject, unlike AWS.
    recorder.start("pipeline", seconds=1200, is_restricted=False)
    state = recorder.container.root / "var/lib/fruits"
    recorder.result["pipeline"] |= {
        "writable": (state / "writable").read_text().split(),
        "temporary_files": (state / "temporary").read_text().split(),
        "summaries": [*cloud.texts("data/08_reporting/run_summary.json").values()],
        "peak_mib": recorder.groups.peak >> 20,
        "killed": recorder.groups.killed,
    }
    for key in objects:
        cloud.cloud.s3.delete_object(Bucket=BUCKET, Key=key)
    recorder.start("pipeline without photos", seconds=600, is_restricted=False)


def main(system: Path, folder: Path, *pipeline: Path) -> None:
    """Record a server with small bundles; or with a bundle and a folder of photos.

    Args:
        system: Root file system with systemd, Python 3.11 and the AWS CLI.
        folder: Folder for the files of the server and for `result.json`.
        *pipeline: The bundle, and the folder of photos.
    """
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: S607 - found on the PATH
    with ExitStack() as stack:
        url = stack.enter_context(moto_server(folder / "moto.log"))
        cloud = IsolatedCloud(url)
        metadata_url = stack.enter_context(metadata_service(cloud.role))
        groups = stack.enter_context(ControlGroups(MEMORY))
        environ = endpoint_environ(url, metadata_url)
        container = Container(system, folder / "server", environ)
        recorder = Recorder(cloud, container, groups)
        try:
            if pipeline:
                record_pipeline(recorder, *pipeline)
            else:
                record_operation(recorder)
        finally:
            (folder / "journal").write_text(container.journal())
    (folder / "result.json").write_text(json.dumps(recorder.result))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
