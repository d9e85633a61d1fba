"""Evaluate the templates in `deploy/` as CloudFormation does."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

TEMPLATE = Path(__file__).parents[1] / "deploy/template.yaml"
EMR_TEMPLATE = TEMPLATE.with_name("emr-serverless.yaml")
BUCKET = "fruits-bucket"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": None,
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-3",
    "AWS::StackName": "fruits",
}
EVERYTHING = {
    "Schedule": "rate(1 day)",
    "RouteTableId": "rtb-1",
    "QuietMinutes": 15,
    "InterfaceEndpoints": "true",
    "Email": "someone@example.org",
    "MaxHoursWithoutRun": 26,
    "Queries": "On",
}
"""Values of parameters with which all resources exist."""


@cache
def load_template(file: Path) -> dict[str, Any]:
    """Return a template, with functions in their long form, such as `Fn::Sub`."""
    template: dict[str, Any] = cfn_yaml.load(str(file))
    return template


class Stack:
    """A template with all functions evaluated.

    Names and attributes of resources are placeholders: their logical id, and
    `Id.Attribute`. Only the name and the ARN of the bucket are real.

    Args:
        bucket: Name of the bucket.
        file: The template.
        **parameters: Values of parameters that differ from their defaults.
    """

    def __init__(
        self, bucket: str = BUCKET, file: Path = TEMPLATE, **parameters: object
    ) -> None:
        self.template = load_template(file)
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
            if self._exists(resource)
        }

    def properties(self, name: str) -> dict[str, Any]:
        """Return the properties of a resource.

        Raises:
            KeyError: The resource does not exist, or its condition is false.
        """
        resource = self.template["Resources"][name]
        if not self._exists(resource):
            raise KeyError(name)
        properties: dict[str, Any] = self.evaluate(resource["Properties"])
        return properties

    def _exists(self, resource: dict[str, Any]) -> bool:
        return "Condition" not in resource or self._is_true(resource["Condition"])

    def evaluate(self, value: Any) -> Any:
        """Evaluate the functions in a part of the template."""
        result = value
        match value:
            case list():
                items = [self.evaluate(item) for item in value]
                result = [item for item in items if item is not None]
            case {"Ref": name}:
                result = self._values.get(name, name)
            case {"Fn::GetAtt": [name, attribute]}:
                result = self._substitute(f"${{{name}.{attribute}}}")
            case {"Fn::Sub": [text, variables]}:
                result = self._substitute(text, **self.evaluate(variables))
            case {"Fn::Sub": text}:
                result = self._substitute(text)
            case {"Fn::Base64": text}:
                result = self.evaluate(text)
            case {"Fn::FindInMap": [name, first, second]}:
                keys = self.evaluate(first), self.evaluate(second)
                result = self.template["Mappings"][name][keys[0]][keys[1]]
            case {"Fn::If": [condition, if_true, if_false]}:
                chosen = if_true if self._is_true(condition) else if_false
                result = self.evaluate(chosen)
            case dict():
                result = self._evaluate_condition(value)
        return result

    def _evaluate_condition(self, value: dict[str, Any]) -> Any:
        """Evaluate the functions of conditions, or all items of an ordinary mapping."""
        match value:
            case {"Fn::Equals": [left, right]}:
                return self.evaluate(left) == self.evaluate(right)
            case {"Fn::Not": [condition]}:
                return not self.evaluate(condition)
            case {"Fn::And": conditions}:
                return all(self.evaluate(condition) for condition in conditions)
            case {"Fn::Or": conditions}:
                return any(self.evaluate(condition) for condition in conditions)
            case {"Condition": str(condition)} if len(value) == 1:
                return self._is_true(condition)
        return {key: self.evaluate(item) for key, item in value.items()}

    def _is_true(self, condition: str) -> bool:
        return bool(self.evaluate(self.template["Conditions"][condition]))

    def _substitute(self, text: str, **variables: str) -> str:
        values = self._values | variables
        text = re.sub(r"\$\{([\w:.]+)\}", lambda m: values.get(m[1], m[1]), text)
        return text.replace("${!", "${")


def server_policy(bucket: str = BUCKET, without: str | None = None) -> dict[str, Any]:
    """Return the policy of the server's role on S3.

    Args:
        bucket: Name of the bucket.
        without: Sid of a statement to remove.

    Raises:
        ValueError: If no statement has this Sid.
    """
    policies = Stack(bucket).properties("ServerRole")["Policies"]
    documents = {p["PolicyName"]: p["PolicyDocument"] for p in policies}
    document: dict[str, Any] = documents["pipeline"]
    sids = [statement["Sid"] for statement in document["Statement"]]
    if without:
        del document["Statement"][sids.index(without)]
    return document
