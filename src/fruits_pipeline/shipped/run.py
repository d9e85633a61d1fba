"""Entry point for `spark-submit`, with the options of `kedro run`; see docs/clusters.md."""

from fruits_pipeline.__main__ import main

if __name__ == "__main__":
    main()
