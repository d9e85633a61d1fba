from pathlib import Path

from factories import run_python

FUZZING = Path(__file__).with_name("fuzzing.py")


def test_mutated_photos_neither_crash_nor_hang_nor_exceed_the_memory_limit() -> None:
    assert "3,000 mutants in" in run_python(FUZZING, "--mutants", "3000")
