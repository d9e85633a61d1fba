"""Upload the app to the bucket of its stack: `make app-publish STACK=<stack>`.

Files whose names contain a hash or a version are kept by browsers for a year, and all
others are asked for at each visit. The page is uploaded after the files that it refers to.
Older files stay in the bucket, for browsers that are loading the older page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

APP = Path(__file__).parents[1] / "dist/app"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_ALWAYS = "no-cache"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tflite": "application/octet-stream",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
_CONSTANT = re.compile(r".*-[0-9a-f]{12}\.\w+|litert-[\d.]+/.*")
_LAST = ("index.html", "sw.js")


@click.command()
@click.argument("stack")
@click.option("--folder", type=click.Path(path_type=Path), default=APP, hidden=True)
def main(stack: str, folder: Path) -> None:
    """Upload the app to the bucket of STACK, which deploy/app.yaml creates."""
    if not (folder / "index.html").is_file():
        raise click.ClickException(
            f"Found no page in {folder}; expected index.html. Create it with make app."
        )
    try:
        outputs = _outputs(stack)
        _upload(folder, outputs["AppBucketName"])
    except (BotoCoreError, ClientError, KeyError) as exc:
        raise click.ClickException(
            f"Found no bucket of an app that can be written in the stack {stack}: {exc}. "
            "Expected a stack of deploy/app.yaml, and credentials that may write to it."
        ) from exc
    click.echo(outputs.get("AppAddress", "Not published: PublishApp is false."))


def _outputs(stack: str) -> dict[str, str]:
    client: Any = Session().create_client("cloudformation")
    (description,) = client.describe_stacks(StackName=stack)["Stacks"]
    outputs = description.get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def _upload(folder: Path, bucket: str) -> None:
    s3: Any = Session().create_client("s3")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [file.relative_to(folder).as_posix() for file in files]
    for name in sorted(names, key=lambda name: name in _LAST):
        s3.put_object(
            Bucket=bucket,
            Key=name,
            Body=(folder / name).read_bytes(),
            ContentType=TYPES[Path(name).suffix],
            CacheControl=FOR_EVER if _CONSTANT.fullmatch(name) else ASK_ALWAYS,
        )


if __name__ == "__main__":
    main()
