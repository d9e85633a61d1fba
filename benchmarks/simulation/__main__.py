"""Simulate runs on up to a billion photos: `make simulate`."""

import click

from benchmarks.simulation.model import Model
from benchmarks.simulation.page import FIGURE, PAGE, tables, write


@click.command()
@click.option("--show", is_flag=True, help="Print the tables, and write nothing.")
def main(show: bool) -> None:
    """Compute the tables and the figure of docs/scale.md."""
    model = Model.load()
    click.echo(tables(model))
    if not show:
        write(model)
        click.echo(f"Wrote {PAGE.name} and {FIGURE.name}", err=True)


if __name__ == "__main__":
    main()
