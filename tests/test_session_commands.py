"""Commands of Kedro that need no Spark, in new processes."""

from pathlib import Path

import pytest
from factories import run_python

COMMAND = """
import sys
from kedro.framework.cli.cli import KedroCLI
from pathlib import Path
from click.testing import CliRunner
for command in sys.argv[1:]:
    result = CliRunner().invoke(KedroCLI(Path.cwd()), command.split(), prog_name="kedro")
    first = result.output.splitlines()[-1:] if result.exit_code else ""
    print(command, result.exit_code, *first, sep=";")
from pyspark import SparkContext
print("gateway:", SparkContext._gateway)
"""


def test_commands_without_spark_start_no_java() -> None:
    expected = {
        "catalog describe-datasets": 0,
        "catalog resolve-patterns": 0,
        "catalog list-patterns": 0,
        "registry list": 0,
        "registry describe classify": 0,
        "info": 0,
        "pipeline --help": 0,
        "registry describe nope": "2;Error: Found no pipeline nope; expected one of ",
        "catalog describe-datasets --pipeline nope": "2;Error: Found no pipeline nope; ",
        "catalog list-patterns --env nope": "2;Error: Found no environment nope in ",
    }
    *lines, gateway = run_python("-W", "ignore", "-c", COMMAND, *expected).splitlines()
    assert gateway == "gateway: None"
    found = [line for line in lines if line.split(";")[0] in expected]
    for (command, result), line in zip(expected.items(), found, strict=True):
        assert line.startswith(f"{command};{result}")


@pytest.mark.parametrize(
    "parameters",
    ["reduce.variance=2", "backbone.weights=random,backbone.training.epochs=0"],
)
def test_wrong_parameter_is_reported_before_slow_imports(
    parameters: str, tmp_path: Path
) -> None:
    slow = 'print({"pyspark.sql", "pandas", "tensorflow"} & {*sys.modules})'
    code = COMMAND.replace("    print(command", f"    {slow}\n    print(command")
    command = f"run --params root={tmp_path}/out,{parameters}"
    modules, line, gateway = run_python(
        "-W", "ignore", "-c", code, command
    ).splitlines()
    assert (modules, gateway) == ("set()", "gateway: None")
    assert "; change it in" in line or "Set backbone.training.epochs" in line
    assert not (tmp_path / "out").exists()
