from pathlib import Path

import pyarrow as pa
import pytest

from fruits_pipeline.io.row_file import RowFile

SCHEMA = pa.schema([("n", pa.int64())])


@pytest.mark.parametrize("sizes", [[], [0, 3], [1] * 10, [10], [3, 7], [9, 0, 21]])
def test_rows_are_read_in_chunks_of_a_fixed_size(
    tmp_path: Path, sizes: list[int]
) -> None:
    file, total = RowFile(SCHEMA, tmp_path, chunk_rows=4), sum(sizes)
    for size in sizes:
        file.add(pa.table({"n": pa.array(range(len(file), len(file) + size))}))
    file.close()
    chunks = [table["n"].to_pylist() for table in file.tables()]
    assert sum(chunks, []) == [*range(total)]
    assert {len(chunk) for chunk in chunks[:-1]} <= {4}
    assert (len(file), file.chunks) == (total, len(chunks))


def test_file_is_deleted_with_its_object(tmp_path: Path) -> None:
    file = RowFile(SCHEMA, tmp_path, chunk_rows=4)
    file.close()
    assert len([*tmp_path.iterdir()]) == 1
    del file
    assert not [*tmp_path.iterdir()]
