"""Kedro without the lease on `root`: `python -m chaos.without_lease run ...`."""

from kedro.framework.cli import main

from fruits_pipeline.hooks import lease


def _take_nothing(*_: object, **__: object) -> None:
    """Take no lease."""


if __name__ == "__main__":
    lease.hold_lease = _take_nothing
    main()
