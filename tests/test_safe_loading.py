"""No code is executed that a stored file contains."""

import ast
import io
from pathlib import Path

import numpy as np
import pytest
from factories import PROJECT
from kedro.io import DatasetError

from fruits_pipeline.datasets import ClassifierFile, PcaFile

CODE_LOADERS = {
    *("pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"),
    *("torch", "jsonpickle"),
}
"""Modules whose files can contain code."""

CODE_FUNCTIONS = {
    *("load_model", "read_pickle", "unpickle", "pickleFile", "objectFile"),
    *("enable_unsafe_deserialization", "eval", "exec", "unsafe_load"),
}


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path(self.file),)  # type: ignore[return-value]


def syntax_trees() -> dict[Path, ast.AST]:
    folders = [PROJECT / "src", PROJECT / "deploy"]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert len(files) > 100
    return {file: ast.parse(file.read_text()) for file in files}


def test_no_module_that_loads_code_is_imported() -> None:
    for file, tree in syntax_trees().items():
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {name.split(".")[0] for name in names} & CODE_LOADERS, file


def test_no_function_that_loads_code_is_called() -> None:
    for file, tree in syntax_trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).rpartition(".")[2]
                assert called not in CODE_FUNCTIONS, f"{file}:{node.lineno}"
                allowed = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert allowed.get("allow_pickle", "False") == "False", file
                assert allowed.get("safe_mode", "True") == "True", file


def test_no_dataset_of_the_catalog_stores_code() -> None:
    for file in (PROJECT / "conf").rglob("catalog*.yml"):
        assert "pickle" not in file.read_text().lower()


@pytest.mark.parametrize("dataset", [PcaFile, ClassifierFile])
def test_pickled_object_in_a_model_is_refused_and_not_executed(
    dataset: type[PcaFile] | type[ClassifierFile], tmp_path: Path
) -> None:
    content = io.BytesIO()
    names = (
        "mean",
        "scale",
        "components",
        "spectrum",
        "n",
        "batches",
        "made",
        "labels",
    )
    bombs = np.array([Bomb(tmp_path / "executed")], dtype=object)
    np.savez(content, allow_pickle=True, **dict.fromkeys(names, bombs))
    file = tmp_path / "model.npz"
    file.write_bytes(content.getvalue())
    with pytest.raises(DatasetError, match="damaged .*allow_pickle=False"):
        dataset(filepath=str(file)).load()
    assert not (tmp_path / "executed").exists()
    np.load(file, allow_pickle=True)["mean"]  # the file would execute code
    assert (tmp_path / "executed").exists()
