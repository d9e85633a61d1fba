from fruits_pipeline.datasets import JsonLines
from fruits_pipeline.datasets.json_lines import MAX_LINES
from fruits_pipeline.io.files import read_file, write_atomically


def test_newest_lines_are_kept(folder: str) -> None:
    dataset = JsonLines(filepath=f"{folder}/history.jsonl")
    assert dataset.load() == []
    dataset.save([{"run": number} for number in range(MAX_LINES + 2)])
    assert dataset.load() == [{"run": number + 2} for number in range(MAX_LINES)]


def test_damaged_lines_are_ignored(folder: str) -> None:
    path = f"{folder}/history.jsonl"
    write_atomically(path, b'{"run": 1}\n{"ru\n[1]\n\xff\n{"run": 2}')
    dataset = JsonLines(filepath=path)
    assert dataset.load() == [{"run": 1}, {"run": 2}]
    dataset.save(dataset.load())
    assert read_file(path) == b'{"run": 1}\n{"run": 2}\n'
