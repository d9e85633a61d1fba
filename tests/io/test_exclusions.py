import os
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
import yaml
from factories import PROJECT

from fruits_pipeline.io.exclusions import SYSTEM_NAMES, select_photos
from fruits_pipeline.io.left_out import LeftOut
from fruits_pipeline.io.listing import ListedFile

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
PARAMETERS = yaml.safe_load((PROJECT / "conf/base/parameters_ingest.yml").read_text())
EXTENSIONS: Sequence[str] = PARAMETERS["ingest"]["extensions"]


def select(*paths: str) -> tuple[list[str], LeftOut]:
    """Return the paths of the photos, and the other files."""
    listing = [ListedFile(path, 10, NOON) for path in paths]
    photos, left_out = select_photos(listing, EXTENSIONS)
    return [photo.path for photo in photos], left_out


def test_photos_are_sorted_and_other_files_have_reasons() -> None:
    photos = ["A/x.jpg", "A/Y.JPG", "A/z.HeiC", "b.tar.png", "A.b/c d.webp"]
    others = {
        "hidden": ["A/.x.jpg", ".cache/x.jpg"],
        "system file": ["A/Thumbs.db", ".git/x.jpg"],
        ".md": ["README.md"],
        ".mp4": ["A/x.MP4"],
        "no extension": ["A/jpg", "LICENSE", "a.jpg/b", "A/x."],
        "unusual extension": ["A/x.jpg~", "x.jpg?w=600", "IMG.2026_1", "a.1", "a.b c"],
        "folder marker": ["A/", ""],
    }
    found, left_out = select(*sum(others.values(), []), *photos)
    assert found == sorted(photos)
    assert left_out == LeftOut(others)


@pytest.mark.parametrize(
    "path",
    [
        "Apple/@eaDir/IMG_1.jpg/SYNOPHOTO_THUMB_XL.jpg",
        "$RECYCLE.BIN/S-1-5-21/$RABC123.jpg",
        "#recycle/Apple/old.jpg",
        "#Recycle/Apple/old.jpg",
        "Apple/.@__thumb/x.jpg",
        "__MACOSX/Apple/._x.jpg",
        "Apple/._x.jpg",
        "Apple/.ipynb_checkpoints/x-checkpoint.jpg",
        ".Trash-1000/files/x.jpg",
        "lost+found/x.jpg",
        "system volume information/x.jpg",
        "My Catalog Previews.lrdata/A/x.jpg",
        "Photos Library.photoslibrary/resources/derivatives/x.jpeg",
        "Apple/x.jpg.crdownload",
        "x.jpg.download/x.jpg",
        "Apple/x.jpg:Zone.Identifier",
        "Apple_$folder$",
        "Apple/THUMBS.DB",
        "Apple/Icon\r",
    ],
)
def test_system_files_are_left_out(path: str) -> None:
    assert select(path) == ([], LeftOut({"system file": [path]}))


@pytest.mark.parametrize("name", SYSTEM_NAMES)
def test_each_system_name_excludes_files_and_folders_in_any_case(name: str) -> None:
    name = name.replace("*", "x")
    paths = [f"{name}/x.jpg", f"Apple/{name.upper()}/x.jpg"]
    if "/" not in name:
        paths.append(f"Apple/{name.lower()}")
    assert select(*paths) == ([], LeftOut({"system file": paths}))


def test_unusual_names_are_photos() -> None:
    labels = ["~", "#1", "$HOME", "_hidden", "@home", "@", "#", "..", ".", "-rf", "..."]
    labels += ["recycle", "trash", "thumbs", "part", "Icon", "a.part.b", "lrdata"]
    labels += ["eaDir", "macosx", "snapshot", "git", "new\nline", "Fotos.photoslibrary"]
    paths = [f"{label}/x.jpg" for label in labels]
    hidden = {".../x.jpg"}
    found, left_out = select(*paths)
    assert {*found} == {*paths} - hidden
    assert left_out == LeftOut({"hidden": hidden})


def test_name_that_is_not_utf8_is_left_out() -> None:
    broken = os.fsdecode(b"A/\xff.jpg")
    found, left_out = select(broken, "A/\u00ff.jpg", "A/🍎.jpg")
    assert found == ["A/\u00ff.jpg", "A/🍎.jpg"]
    assert left_out == LeftOut({"name is not UTF-8": [broken]})
