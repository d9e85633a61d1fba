"""Options of `kedro run` that select nodes: the expected result, or an error in one line."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from factories import PROJECT
from kedro.framework.cli.cli import KedroCLI
from pipeline_runs import KedroRun, PipelineRun

REPORTS = "08_reporting"


@pytest.fixture(scope="module")
def partial_run(
    first_run: PipelineRun,
    kedro_run: KedroRun,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Result]]:
    """Return a function that calls `kedro run` on a copy of the first run."""
    copy = first_run.copy(tmp_path_factory.mktemp("partial"))
    yield lambda *options: kedro_run(*options, **copy.parameters)


def text_of(result: Result) -> str:
    assert "Traceback" not in result.output
    assert "nodes that have not run" not in result.output
    return " ".join(result.output.split())


@pytest.mark.parametrize(
    "options",
    [
        ("--from-nodes", "plot_photo_map"),
        ("--to-outputs=reduced",),
        ("--to-outputs=phone_model",),
        (
            "--from-inputs=pca",
            "--to-outputs=variance_curve",
            "--runner=SequentialRunner",
        ),
    ],
    ids=" ".join,
)
def test_selected_nodes_are_run(
    partial_run: Callable[..., Result], options: tuple[str, ...]
) -> None:
    result = partial_run(*options)
    assert result.exit_code == 0, text_of(result)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--from-nodes=plot_photo_mpa", "plot_photo_mpa; did you mean plot_photo_map?"),
        ("--nodes=zzz", "Found --nodes zzz; expected some of answer_photos, "),
        ("--to-nodes=zzz", "Found --to-nodes zzz; expected some of "),
        ("--to-outputs=phone_modle", "phone_modle; did you mean phone_model?"),
        ("--to-outputs=photo_store", "Found --to-outputs photo_store; "),
        ("--from-inputs=zzz", "Found --from-inputs zzz; expected some of "),
        ("--tags=reprot", "Found --tags reprot; did you mean report?"),
        ("--namespaces=zzz", "Found --namespaces zzz; expected some of none"),
        ("--pipelines=nope", "found nope; expected some of __default__, "),
        ("--pipelines=ingest,mend", "Run one after the other"),
        ("--pipelines=reduce --nodes=fetch_photos", "Found --nodes fetch_photos; "),
        ("--nodes=train_classifier,check_tables", "expected names of one pipeline"),
        ("--from-nodes=fit_pca --to-nodes=fetch_photos", "Found no node that all"),
        ("--nodes=fetch_photos", "Use --from-nodes=leave_out_forgotten"),
        ("--from-nodes=answer_photos", "Use --from-nodes=select_labelled"),
        ("--runner=ParallelRunner", "expected SequentialRunner, the default"),
        ("--runner=ThreadRunner", "expected SequentialRunner, the default"),
        ("--runner=nope", "expected SequentialRunner, the default"),
        ("--async", "Found --async or --runner-params; expected neither"),
        ("--runner-params=max_workers=4", "Found --async or --runner-params"),
        ("--load-versions=features:2020-01-01", "Found --load-versions; expected no"),
        ("--env=nope", "Found no environment nope in "),
        ("--env=../conf", "Found no environment ../conf in "),
        ("--conf-source=nope", "'nope' does not exist"),
        ("--conf-source=src", "Found no folder base in "),
    ],
)
def test_wrong_selection_is_reported_in_one_line(
    partial_run: Callable[..., Result], options: str, expected: str
) -> None:
    result = partial_run(*options.split())
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit), result.exception
    assert expected in text_of(result)


@pytest.mark.usefixtures("kedro_run")
def test_misspelt_parameter_is_reported(tmp_path: Path) -> None:
    command = ["run", "--params", f"root={tmp_path}/out,typo=1"]
    result = CliRunner().invoke(KedroCLI(PROJECT), command, prog_name="kedro")
    assert result.exit_code == 2
    assert "typo: there is no such parameter" in text_of(result)
    assert not (tmp_path / "out").exists()
