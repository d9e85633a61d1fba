"""Kedro with a lease that is stale after a few seconds: `python -m chaos.short_lease`."""

from kedro.framework.cli import main

from fruits_pipeline.io.lease import lease

if __name__ == "__main__":
    lease.RENEWAL_SECONDS, lease.STALE_SECONDS = 1, 4
    main()
