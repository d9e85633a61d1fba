"""What the server does when runs fail, take too long, or have parameters.

Each record is one start of a server with systemd, the user data of the template, and a
small bundle; see `isolated_server.py`.
"""

from collections.abc import Mapping
from typing import Any

import pytest

pytestmark = pytest.mark.cloud

Records = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="session")
def records(operation_result: Records) -> Records:
    """Return what the server did at each start, by the name of the record."""
    return operation_result


def log_of(record: Mapping[str, Any]) -> str:
    (log,) = record["logs"]
    return str(log)


def attempts(record: Mapping[str, Any]) -> int:
    """Return how often the pipeline was started."""
    return log_of(record).count("Starting fruits-run.service")


def test_server_always_stops(records: Records) -> None:
    assert {name: r["has_stopped"] for name, r in records.items()} == dict.fromkeys(
        records, True
    )


def test_server_without_a_bundle_stops_after_the_auto_stop_time(
    records: Records,
) -> None:
    record = records["no bundle"]
    assert 6 <= record["seconds"] < 120  # AutoStopMinutes is 0.1
    (mail,) = record["mails"]
    assert mail.startswith("fruits: no run\nFound no s3://fruits-of-test/bundle/")
    assert "waiting for the upload" in log_of(record)


def test_server_stops_if_its_user_data_fails(records: Records) -> None:
    record = records["no service"]
    assert record["seconds"] < 60
    assert record["logs"] == record["bundles"] == []


def test_error_of_a_user_is_reported_and_not_repeated(records: Records) -> None:
    record = records["permanent error"]
    assert attempts(record) == 1
    (mail,) = record["mails"]
    subject, message, *_ = mail.splitlines()
    assert subject == "fruits: run failed"
    assert message == "Found a typo"
    assert "Log: s3://fruits-of-test/logs/" in mail


def test_transient_error_is_repeated_and_not_reported(records: Records) -> None:
    record = records["transient error, with parameters"]
    assert attempts(record) == 2
    assert "Trying again in 1 seconds" in log_of(record)
    assert record["mails"] == []
    assert record["links"]["proven"] in record["bundles"]


def test_parameters_apply_to_all_attempts_of_one_run(records: Records) -> None:
    passed = "parameters: changed_recipe=rebuild,reduce.variance=0.9\n"
    assert passed in log_of(records["transient error, with parameters"])
    assert "changed_recipe" not in log_of(records["broken bundle"])


def test_wrong_parameters_are_reported_and_not_used(records: Records) -> None:
    record = records["wrong parameters"]
    assert attempts(record) == 0
    (mail,) = record["mails"]
    assert "Found /fruits/run-parameters = changed_recipe=rebuild; reboot" in mail


def test_broken_bundle_is_rolled_back_and_reported(records: Records) -> None:
    before = records["transient error, with parameters"]["links"]["proven"]
    record = records["broken bundle"]
    assert attempts(record) == 3 + 1
    assert record["links"] == {"current": before, "proven": before}
    assert len(record["bundles"]) == 2
    (mail,) = record["mails"]
    assert mail.startswith("fruits: new bundle failed\nFound no network\n")
    assert "The previous bundle was run instead" in mail


def test_broken_bundle_is_not_tried_again(records: Records) -> None:
    record = records["broken bundle again"]
    assert attempts(record) == 1
    assert record["mails"] == []


def test_run_parameters_try_a_broken_bundle_again(records: Records) -> None:
    record = records["broken bundle with parameters"]
    assert attempts(record) == 3 + 1
    # The previous bundle runs without them: rebuilding its tables would be expensive.
    assert "parameters: \n" in log_of(record).replace("parameters:\n", "parameters: \n")
    (mail,) = record["mails"]
    assert "parameters: changed_recipe=rebuild" in mail


def test_bundle_that_cannot_be_installed_is_rolled_back(records: Records) -> None:
    record = records["bundle that cannot be installed"]
    assert attempts(record) == 1
    (mail,) = record["mails"]
    assert "cannot be installed" in mail


def test_next_bundle_replaces_the_previous_one(records: Records) -> None:
    previous = records["broken bundle"]["links"]["proven"]
    record = records["next bundle"]
    assert record["links"]["proven"] == record["links"]["current"] != previous
    assert record["mails"] == []


def test_at_most_two_bundles_are_kept(records: Records) -> None:
    assert max(len(record["bundles"]) for record in records.values()) == 2


def test_endless_run_is_ended_and_reported(records: Records) -> None:
    record = records["endless run"]
    assert attempts(record) == 1 + 1
    (mail,) = record["mails"]
    assert "Found no end of the run after 0.0005 hours" in mail


def test_every_run_has_a_log(records: Records) -> None:
    without = [name for name, record in records.items() if len(record["logs"]) != 1]
    assert without == ["no service"]


def test_failures_are_metrics(records: Records) -> None:
    assert records["permanent error"]["metrics"] == [
        {"name": "Success", "dimensions": [{"Name": "Stack", "Value": "fruits"}]}
    ]
