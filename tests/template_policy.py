"""The template as plain data, with its functions worked out as CloudFormation does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

TEMPLATE = Path(__file__).parents[1] / "deploy/template.yaml"


def load_template() -> dict[str, Any]:
    """Return the template, its short forms (`!Ref`) as the long ones (`Ref`)."""
    template: dict[str, Any] = cfn_yaml.load(str(TEMPLATE))
    return template


def chain_policy(bucket: str, without: str | None = None) -> dict[str, Any]:
    """Return what the server's role may do, as plain JSON.

    Args:
        bucket: Name of the bucket.
        without: Sid of a statement to leave out.
    """
    role = load_template()["Resources"]["ServerRole"]["Properties"]
    values = {"Bucket": bucket, "Bucket.Arn": f"arn:aws:s3:::{bucket}"}
    policy: dict[str, Any] = worked_out(role["Policies"][0]["PolicyDocument"], values)
    statements = policy["Statement"]
    kept = [one for one in statements if one["Sid"] != without]
    if without and kept == statements:
        raise KeyError(f"Found no statement {without}")
    return policy | {"Statement": kept}


def user_data(bucket: str, region: str, auto_stop_minutes: int) -> str:
    """Return the script that the server runs when it starts."""
    server = load_template()["Resources"]["Server"]["Properties"]
    values = {
        "Bucket": bucket,
        "AWS::Region": region,
        "AutoStopMinutes": str(auto_stop_minutes),
    }
    return str(worked_out(server["UserData"]["Fn::Base64"], values))


def worked_out(value: Any, values: Mapping[str, str]) -> Any:
    """Replace `Ref`, `Fn::GetAtt` and `Fn::Sub` in a part of a template.

    Args:
        value: Of the template.
        values: Of its names: `Name`, or `Name.Attribute`.
    """
    match value:
        case {"Ref": str(name)}:
            return values[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return values[f"{name}.{attribute}"]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:.]+)\}", lambda match: values[match[1]], text)
        case dict():
            return {key: worked_out(one, values) for key, one in value.items()}
        case list():
            return [worked_out(one, values) for one in value]
    return value
