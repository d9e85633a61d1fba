from fruits_pipeline.hooks.runs import given_parameters


def test_parameters_are_recorded_by_dotted_name() -> None:
    given = given_parameters(
        {
            "env": "ec2",
            "pipeline_names": ["ingest", "report"],
            "runtime_params": {
                "reduce": {"variance": 0.9},
                "changed_recipe": "rebuild",
            },
        }
    )
    assert given == {
        "env": "ec2",
        "pipelines": "ingest,report",
        "reduce.variance": 0.9,
        "changed_recipe": "rebuild",
    }


def test_default_environment_and_pipeline() -> None:
    run = {"env": None, "pipeline_names": ["__default__"], "runtime_params": None}
    assert given_parameters(run) == {"env": "local"}


def test_credentials_are_not_recorded() -> None:
    given = given_parameters(
        {
            "runtime_params": {
                "photos": "http://user:hunter-two@127.0.0.1/photos",
                "backbone": {"secret": "hunter-two"},
            }
        }
    )
    assert given["photos"] == "http://***@127.0.0.1/photos"
    assert "hunter-two" not in str(given)
