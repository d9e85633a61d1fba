"""Evaluate `deploy/template.yaml` as CloudFormation does, and its policies as IAM does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

TEMPLATE = Path(__file__).parents[1] / "deploy/template.yaml"
BUCKET = "fruits-bucket"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": None,
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-3",
    "AWS::StackName": "fruits",
}


@cache
def load_template() -> dict[str, Any]:
    """Return the template, with functions in their long form, such as `Fn::Sub`."""
    template: dict[str, Any] = cfn_yaml.load(str(TEMPLATE))
    return template


class Stack:
    """The template with all functions evaluated.

    Names and attributes of resources are placeholders: their logical id, and
    `Id.Attribute`. Only the name and the ARN of the bucket are real.

    Args:
        bucket: Name of the bucket.
        **parameters: Values of parameters that differ from their defaults.
    """

    def __init__(self, bucket: str = BUCKET, **parameters: object) -> None:
        self.template = load_template()
        defaults = {
            name: parameter.get("Default", name)
            for name, parameter in self.template["Parameters"].items()
        }
        self._values = {
            **PSEUDO_PARAMETERS,
            **{name: str(value) for name, value in (defaults | parameters).items()},
            "Bucket": bucket,
            "Bucket.Arn": f"arn:aws:s3:::{bucket}",
        }

    @property
    def resources(self) -> dict[str, Any]:
        """Resources whose condition is true, by logical id."""
        return {
            name: self.evaluate(resource)
            for name, resource in self.template["Resources"].items()
            if "Condition" not in resource or self._is_true(resource["Condition"])
        }

    def properties(self, name: str) -> dict[str, Any]:
        """Return the properties of a resource."""
        properties: dict[str, Any] = self.resources[name]["Properties"]
        return properties

    def evaluate(self, value: Any) -> Any:
        """Evaluate the functions in a part of the template."""
        match value:
            case list():
                items = [self.evaluate(item) for item in value]
                return [item for item in items if item is not None]
            case dict():
                for name, argument in value.items():
                    if name == "Ref" or name.startswith("Fn::"):
                        return self._call(name, argument)
                return {key: self.evaluate(item) for key, item in value.items()}
        return value

    def _call(self, function: str, argument: Any) -> Any:
        match function, argument:
            case "Ref", name:
                result = self._value(name)
            case "Fn::GetAtt", [name, attribute]:
                result = self._value(f"{name}.{attribute}")
            case "Fn::Sub", [text, variables]:
                result = self._substitute(text, self.evaluate(variables))
            case "Fn::Sub", text:
                result = self._substitute(text, {})
            case "Fn::FindInMap", [name, *keys]:
                first, second = self.evaluate(keys)
                result = self.template["Mappings"][name][first][second]
            case "Fn::Base64", text:
                result = self.evaluate(text)
            case "Fn::Equals", [left, right]:
                result = self.evaluate(left) == self.evaluate(right)
            case "Fn::Not", [condition]:
                result = not self.evaluate(condition)
            case "Fn::If", [condition, if_true, if_false]:
                chosen = if_true if self._is_true(condition) else if_false
                result = self.evaluate(chosen)
            case _:
                raise NotImplementedError(function)
        return result

    def _is_true(self, condition: str) -> bool:
        return bool(self.evaluate(self.template["Conditions"][condition]))

    def _value(self, name: str) -> str | None:
        return self._values.get(name, name)

    def _substitute(self, text: str, variables: Mapping[str, Any]) -> str:
        def replace(match: re.Match[str]) -> str:
            return str(variables.get(match[1], self._value(match[1])))

        return re.sub(r"\$\{([\w:.]+)\}", replace, text)


def server_policy(bucket: str = BUCKET, without: str | None = None) -> dict[str, Any]:
    """Return the policy of the server's role.

    Args:
        bucket: Name of the bucket.
        without: Sid of a statement to remove.

    Raises:
        ValueError: If no statement has this Sid.
    """
    (policy,) = Stack(bucket).properties("ServerRole")["Policies"]
    document: dict[str, Any] = policy["PolicyDocument"]
    sids = [statement["Sid"] for statement in document["Statement"]]
    if without:
        del document["Statement"][sids.index(without)]
    return document


def simulate(
    policy: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]
) -> str:
    """Return the decision of a policy, named as by IAM's `SimulateCustomPolicy`.

    Args:
        policy: Policy document.
        action: Action, such as `s3:GetObject`.
        resource: ARN of the resource.
        context: Values of condition keys, such as `s3:prefix`.

    Returns:
        `allowed`, `explicitDeny` or `implicitDeny`.
    """
    effects = {
        statement["Effect"]
        for statement in policy["Statement"]
        if _matches(statement["Action"], action)
        and _matches(statement["Resource"], resource)
        and _conditions_hold(statement.get("Condition", {}), context)
    }
    if "Deny" in effects:
        return "explicitDeny"
    return "allowed" if "Allow" in effects else "implicitDeny"


def _conditions_hold(
    conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]
) -> bool:
    if unknown := conditions.keys() - {"Bool", "StringEquals", "StringLike"}:
        raise NotImplementedError(f"Found unknown condition operators {unknown}")
    return all(
        key in context and _matches(expected, context[key])
        for keys in conditions.values()
        for key, expected in keys.items()
    )


def _matches(patterns: Any, value: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in as_list(patterns))


def as_list(value: Any) -> list[Any]:
    """Return a policy element, which may be one item or a list of items, as a list."""
    return value if isinstance(value, list) else [value]
