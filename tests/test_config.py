import shutil
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from factories import PROJECT, TABLES
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project
from kedro.io import DataCatalog
from omegaconf.errors import InterpolationResolutionError

from fruits_pipeline.environment import VARIABLES
from fruits_pipeline.parameter_validation import RunSettings, validate_parameters
from fruits_pipeline.parameters import STAGES
from fruits_pipeline.pipeline_registry import register_pipelines
from fruits_pipeline.settings import CONFIG_LOADER_ARGS
from fruits_pipeline.spark.error_messages import user_message

CONF = PROJECT / "conf"
ENVIRONMENTS = sorted(folder.name for folder in CONF.iterdir() if folder.is_dir())


def loader(env: str, **runtime_params: str) -> OmegaConfigLoader:
    return OmegaConfigLoader(
        str(CONF), env=env, runtime_params=runtime_params, **CONFIG_LOADER_ARGS
    )


@pytest.fixture(params=ENVIRONMENTS)
def config(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> OmegaConfigLoader:
    for name, (_, value) in VARIABLES.items():
        monkeypatch.setenv(name, value)
    return loader(request.param)


def datasets(config: OmegaConfigLoader) -> Mapping[str, Any]:
    return {n: d for n, d in config["catalog"].items() if not n.startswith("_")}


def test_parameters_are_valid(config: OmegaConfigLoader) -> None:
    validate_parameters(config["parameters"])
    assert config["parameters"].keys() == STAGES.keys()


def test_spark_settings_are_valid(config: OmegaConfigLoader) -> None:
    assert config["spark"]["spark.sql.session.timeZone"] == "UTC"
    assert all(name.startswith("spark.") for name in config["spark"])


def test_globals_contain_every_run_setting(config: OmegaConfigLoader) -> None:
    settings = config["globals"].keys() | {"event_log"}
    assert settings == RunSettings.model_fields.keys()


def test_every_dataset_can_be_created(config: OmegaConfigLoader) -> None:
    catalog = DataCatalog.from_config(datasets(config))
    assert all(catalog.get(name) is not None for name in datasets(config))


def test_every_dataset_has_a_kedro_viz_layer(config: OmegaConfigLoader) -> None:
    for dataset in datasets(config).values():
        assert dataset["metadata"]["kedro-viz"]["layer"]


def test_kedro_viz_layers_have_no_cycle(config: OmegaConfigLoader) -> None:
    configure_project("fruits_pipeline")
    layers = {
        n: d["metadata"]["kedro-viz"]["layer"] for n, d in datasets(config).items()
    }
    order: TopologicalSorter[str] = TopologicalSorter()
    for node in register_pipelines()["__default__"].nodes:
        above = {layers[name] for name in node.inputs if name in layers}
        for name in node.outputs:
            order.add(layers[name], *above - {layers[name]})
    assert [*order.static_order()][-1] == "reporting"


def test_catalog_has_the_datasets_of_the_pipelines(config: OmegaConfigLoader) -> None:
    configure_project("fruits_pipeline")
    used = {name for p in register_pipelines().values() for name in p.datasets()}
    parameters = {name for name in used if name.startswith("params:")}
    tables = {name.partition("@")[0] for name in used}
    views = {n for n in datasets(config) if n.partition("@")[0] in tables}
    assert (used - parameters) | views | {"report_states", "search_terms"} == datasets(
        config
    ).keys()
    for name in parameters:
        value = config["parameters"]
        for part in name.removeprefix("params:").split("."):
            value = value[part]


def test_existing_results_are_read_where_written(config: OmegaConfigLoader) -> None:
    catalog = datasets(config)
    photos, existing = catalog["photos@batches"], catalog["existing_photos"]
    assert existing["filepath"] == photos["filepath"]
    assert catalog["existing_pca"] == catalog["pca"] | {"optional": True}


def test_params_override_locations_and_choices() -> None:
    catalog = datasets(
        loader(
            "base",
            photos="s3://bucket/photos",
            root="s3://bucket/out",
            backbone_folder="/models/b",
            changed_recipe="rebuild",
        )
    )
    assert catalog["photo_store"]["filepath"] == "s3://bucket/photos"
    assert catalog["backbone"]["filepath"] == "/models/b"
    for table, folder in TABLES.items():
        assert catalog[f"{table}@batches"]["filepath"] == f"s3://bucket/out/{folder}"
        assert catalog[f"{table}@batches"]["changed_recipe"] == "rebuild"
    assert catalog["pca"]["filepath"] == "s3://bucket/out/06_models/pca.npz"
    assert (
        catalog["run_summary"]["filepath"]
        == "s3://bucket/out/08_reporting/run_summary.json"
    )


def test_tilde_in_a_location_is_the_home_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    catalog = datasets(loader("base", photos="~/x/", root="~", backbone_folder="~/b"))
    assert catalog["photo_store"]["filepath"] == "/home/me/x"
    assert catalog["photo_store"]["tables"] == {"path": "/home/me"}
    assert catalog["backbone"]["filepath"] == "/home/me/b"
    assert catalog["pca"]["filepath"] == "/home/me/06_models/pca.npz"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("~/x/", "/home/me/x"), ("'2024'", "2024"), ("./2024", "./2024")],
)
def test_location_in_a_file_is_read(
    value: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert photos_in_globals(value, tmp_path) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024", "photos: found 2024 (int)"),
        ("true", "photos: found True (bool)"),
        ("", "photos: found nothing"),
        ("~", "photos: found nothing"),
    ],
)
def test_location_in_a_file_that_is_not_text_is_reported(
    value: str, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(InterpolationResolutionError) as caught:
        photos_in_globals(value, tmp_path)
    assert expected in (user_message(caught.value) or "")


def photos_in_globals(value: str, folder: Path) -> str:
    """Return the photo root if `globals.yml` of another environment sets it."""
    conf = shutil.copytree(CONF, folder / "conf")
    text = (CONF / "base/globals.yml").read_text()
    text = text.replace("photos: data/01_raw/sample", f"photos: {value}")
    (conf / "local/globals.yml").write_text(text)
    config = OmegaConfigLoader(str(conf), "local", **CONFIG_LOADER_ARGS)
    path: str = config["catalog"]["photo_store"]["filepath"]
    return path


@pytest.mark.parametrize("name", ["label_counts", "rejects"])
def test_text_in_csv_files_is_literal(name: str, tmp_path: Path) -> None:
    texts = [
        *("None", "nan", "NaN", "null", "NA", "N/A", "True", "1", "01", "1e3", "inf"),
        *(" a ", "a\nb", "a\rb", "a\r\nb", "\ta", "\x0b", "\x85", "\u2028", "co,mma"),
        *('q"s', "it's", "#1", "-", "\\", "\\N", "=1+1", "\ufeffx", "🍎", None),
    ]
    dataset = DataCatalog.from_config(datasets(loader("base", root=f"{tmp_path}")))[
        name
    ]
    if name == "rejects":
        columns = dict.fromkeys(("path", "label", "split", "error"), texts)
    else:
        columns = {"label": texts, "split": texts, "photos": range(len(texts))}
    saved = pd.DataFrame(columns)
    dataset.save(saved)
    loaded = dataset.load()
    pd.testing.assert_frame_equal(loaded.where(loaded.notna(), None), saved)


def test_default_locations_are_local() -> None:
    catalog = datasets(loader("base"))
    paths = [d["filepath"] for d in catalog.values() if "filepath" in d]
    assert all(path.startswith("data/") for path in paths)
    assert {d.get("changed_recipe", "refuse") for d in catalog.values()} == {"refuse"}
