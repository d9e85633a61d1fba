from pathlib import Path

import pandas as pd

from fruits_pipeline.datasets import CsvReport


def test_fingerprint_changes_with_any_row(tmp_path: Path) -> None:
    report = CsvReport(filepath=str(tmp_path / "report.csv"))
    assert report.fingerprint() is None
    rows = pd.DataFrame({"path": [f"{i}.jpg" for i in range(200)]})
    report.save(rows)
    first = report.fingerprint()
    report.save(rows)
    assert report.fingerprint() == first
    report.save(rows.replace("100.jpg", "x.jpg"))
    assert report.fingerprint() != first
