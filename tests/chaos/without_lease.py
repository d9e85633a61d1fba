"""Kedro without the lease on `root`: `python -m chaos.without_lease run ...`."""

from types import SimpleNamespace

from kedro.framework.cli import main

from fruits_pipeline.hooks import lease


def _take_nothing(*_: object, **__: object) -> SimpleNamespace:
    """Take no lease, and return the result of a run that took one."""
    return SimpleNamespace(has_waited=False)


if __name__ == "__main__":
    lease.hold_lease = _take_nothing
    main()
