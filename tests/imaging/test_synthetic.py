from dataclasses import replace

import numpy as np
import pytest

from fruits_pipeline.imaging.synthetic.camera import (
    Light,
    photograph,
    points_per_area,
    turned,
    with_open_sky,
)
from fruits_pipeline.imaging.synthetic.fruit import KINDS, grow
from fruits_pipeline.imaging.synthetic.parts import plain
from fruits_pipeline.imaging.synthetic.surfaces import Cloud, Part, directions, mould

SIZE = 48
FRONT = Light(direction=(0, 0, 1), strength=1, room=0.3, warmth=0)
UPRIGHT = turned(0, 15)


def ball(
    colour: str = "ff8000",
    radius: float = 1,
    gloss: float = 0,
    at: tuple[float, float, float] = (0, 0, 0),
) -> Part:
    return Part(lambda around: around * radius, plain(colour), gloss, offset=at)


def clouded(*parts: Part) -> Cloud:
    return mould(parts, points_per_area(SIZE))


@pytest.fixture(scope="module")
def fruits() -> dict[str, Cloud]:
    rng = np.random.default_rng(1)
    return {kind: grow(kind, rng, points_per_area(SIZE)) for kind in KINDS}


def test_directions_are_spread_evenly() -> None:
    spread = directions(1000)

    assert np.linalg.norm(spread, axis=1) == pytest.approx(np.ones(1000), abs=1e-5)
    assert spread.mean(0) == pytest.approx(np.zeros(3), abs=1e-3)
    assert (spread**2).mean(0) == pytest.approx(np.full(3, 1 / 3), abs=1e-3)


def test_a_ball_has_normals_that_point_outwards() -> None:
    cloud = clouded(ball(radius=0.7))

    assert (cloud.normals * cloud.points).sum(1).min() > 0.99 * 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_unit_normals_and_colours_in_range(
    fruits: dict[str, Cloud], kind: str
) -> None:
    cloud = fruits[kind]

    assert np.isfinite(cloud.points).all()
    assert (np.linalg.norm(cloud.normals, axis=1) > 0.99).mean() > 0.999
    assert cloud.colours.min() >= 0
    assert cloud.colours.max() <= 1


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_turning_on_and_back_changes_nothing(axis: int) -> None:
    there_and_back = turned(axis, 33) @ turned(axis, -33)

    assert there_and_back == pytest.approx(np.eye(3), abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fruit_stands_on_white_and_fills_the_picture(
    fruits: dict[str, Cloud], kind: str
) -> None:
    picture = photograph(fruits[kind], UPRIGHT, FRONT, SIZE)

    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert (border == 255).all()
    rows, columns = np.nonzero((picture < 250).any(2))
    assert max(np.ptp(rows), np.ptp(columns)) > 0.85 * SIZE


def test_a_ball_is_drawn_round_and_without_holes() -> None:
    picture = photograph(clouded(ball()), UPRIGHT, FRONT, SIZE)

    rows, columns = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    inside = np.hypot(rows, columns) < 0.44 * SIZE
    outside = np.hypot(rows, columns) > 0.49 * SIZE
    assert (picture[inside, 2] < 200).all()
    assert (picture[outside] == 255).all()


def test_the_side_towards_the_lamp_is_brighter() -> None:
    from_left = replace(FRONT, direction=(-1, 0, 0.5))

    picture = photograph(clouded(ball()), UPRIGHT, from_left, SIZE).astype(int)

    middle = picture[SIZE // 2, :, 0]
    assert middle[SIZE // 4] > middle[3 * SIZE // 4] + 40


def test_a_warm_lamp_reddens_and_a_cool_one_does_not() -> None:
    grey = clouded(ball("808080"))

    warm = photograph(grey, UPRIGHT, replace(FRONT, warmth=0.1), SIZE)
    cool = photograph(grey, UPRIGHT, replace(FRONT, warmth=-0.1), SIZE)

    red, _, blue = warm[SIZE // 2, SIZE // 2].astype(int)
    assert red > blue + 5
    red, _, blue = cool[SIZE // 2, SIZE // 2].astype(int)
    assert blue > red + 5


def test_a_wet_ball_shines_where_a_matt_one_does_not() -> None:
    matt, wet = (clouded(ball("601010", gloss=gloss)) for gloss in (0, 1))

    centre = SIZE // 2, SIZE // 2, 1
    shine = int(photograph(wet, UPRIGHT, FRONT, SIZE)[centre])
    assert shine > int(photograph(matt, UPRIGHT, FRONT, SIZE)[centre]) + 100


def test_a_ball_casts_its_shadow_on_another() -> None:
    lit = clouded(ball())
    behind_another = clouded(ball(), ball("00ff00", radius=0.4, at=(-1.5, 0, 0)))
    from_left = replace(FRONT, direction=(-1, 0, 0.05), room=0.1)

    alone = photograph(lit, turned(0, 0), from_left, SIZE)
    shaded = photograph(behind_another, turned(0, 0), from_left, SIZE)

    reds = [picture[..., 0][picture[..., 1] < 200] for picture in (alone, shaded)]
    assert (reds[1] < 120).mean() > (reds[0] < 120).mean() + 0.05


def test_sky_is_open_around_a_ball_and_closed_between_two() -> None:
    one = with_open_sky(clouded(ball()))
    two = with_open_sky(clouded(ball(), ball(at=(2, 0, 0))))

    assert one.open_sky.mean() > 0.97
    between = (np.abs(two.points[:, 0] - 1) < 0.1) & (two.normals[:, 0] > 0)
    assert two.open_sky[between].mean() < 0.75


def test_turning_changes_the_picture(fruits: dict[str, Cloud]) -> None:
    for kind, fruit in fruits.items():
        ahead = photograph(fruit, UPRIGHT, FRONT, SIZE).astype(int)
        aside = photograph(fruit, UPRIGHT @ turned(1, 60), FRONT, SIZE).astype(int)

        assert np.abs(ahead - aside).mean() > 1, kind


def test_no_two_kinds_look_alike(fruits: dict[str, Cloud]) -> None:
    pictures = {
        kind: photograph(fruit, UPRIGHT, FRONT, SIZE).astype(int)
        for kind, fruit in fruits.items()
    }

    for kind, picture in pictures.items():
        for other, another in pictures.items():
            assert kind == other or np.abs(picture - another).mean() > 10, (kind, other)


def test_two_fruits_of_a_kind_differ() -> None:
    first, second = (
        photograph(
            grow("Pear", np.random.default_rng(seed), points_per_area(SIZE)),
            UPRIGHT,
            FRONT,
            SIZE,
        ).astype(int)
        for seed in (1, 2)
    )

    assert np.abs(first - second).mean() > 1
