import os
import re
import time

from fruits_pipeline import run_id as ids


def test_ids_are_unique_and_sorted_by_time() -> None:
    first = ids.new_run_id()
    assert first != ids.new_run_id()
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", first)
    time.sleep(1.1)
    assert first < ids.new_run_id()


def test_each_run_has_its_own_id_which_java_gets() -> None:
    ids.begin_run()
    first = ids.run_id()
    assert first == ids.run_id() == os.environ[ids.VARIABLE]
    ids.begin_run()
    assert ids.run_id() != first
    assert ids.run_id() == os.environ[ids.VARIABLE]
