from dataclasses import replace

import numpy as np
import pytest

from fruits_pipeline.imaging.synthetic.fruits import FRUITS, create_fruit
from fruits_pipeline.imaging.synthetic.geometry import fibonacci_sphere, rotation_matrix
from fruits_pipeline.imaging.synthetic.point_cloud import (
    Part,
    PointCloud,
    sample_surface,
)
from fruits_pipeline.imaging.synthetic.renderer import (
    Light,
    points_per_area,
    render,
    with_ambient_occlusion,
)
from fruits_pipeline.imaging.synthetic.textures import uniform

SIZE = 48
FRONT = Light(direction=(0, 0, 1), intensity=1, ambient=0.3, warmth=0)
UPRIGHT = rotation_matrix(0, 15)


def ball(
    colour: str = "ff8000",
    radius: float = 1,
    gloss: float = 0,
    offset: tuple[float, float, float] = (0, 0, 0),
) -> Part:
    return Part(lambda sphere: sphere * radius, uniform(colour), gloss, offset=offset)


def point_cloud(*parts: Part) -> PointCloud:
    return sample_surface(parts, points_per_area(SIZE))


def render_ints(
    cloud: PointCloud, rotation: np.ndarray = UPRIGHT, light: Light = FRONT
) -> np.ndarray:
    """Render with signed pixels, which can be subtracted."""
    return render(cloud, rotation, light, SIZE).astype(int)


@pytest.fixture(scope="module")
def fruits() -> dict[str, PointCloud]:
    rng = np.random.default_rng(1)
    return {label: create_fruit(label, rng, points_per_area(SIZE)) for label in FRUITS}


def test_fibonacci_sphere_is_evenly_spread() -> None:
    points = fibonacci_sphere(1000)
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.ones(1000), abs=1e-5)
    assert points.mean(0) == pytest.approx(np.zeros(3), abs=1e-3)
    assert (points**2).mean(0) == pytest.approx(np.full(3, 1 / 3), abs=1e-3)


def test_normals_of_a_ball_point_outwards() -> None:
    cloud = point_cloud(ball(radius=0.7))
    assert (cloud.normals * cloud.points).sum(1).min() > 0.99 * 0.7


@pytest.mark.parametrize("label", FRUITS)
def test_fruits_have_unit_normals_and_valid_colours(
    fruits: dict[str, PointCloud], label: str
) -> None:
    cloud = fruits[label]
    assert np.isfinite(cloud.points).all()
    assert (np.linalg.norm(cloud.normals, axis=1) > 0.99).mean() > 0.999
    assert cloud.colours.min() >= 0
    assert cloud.colours.max() <= 1


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_opposite_rotations_cancel(axis: int) -> None:
    product = rotation_matrix(axis, 33) @ rotation_matrix(axis, -33)
    assert product == pytest.approx(np.eye(3), abs=1e-6)


@pytest.mark.parametrize("label", FRUITS)
def test_fruit_fills_the_image_and_its_border_is_white(
    fruits: dict[str, PointCloud], label: str
) -> None:
    image = render(fruits[label], UPRIGHT, FRONT, SIZE)
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert (border == 255).all()
    rows, columns = np.nonzero((image < 250).any(2))
    assert max(np.ptp(rows), np.ptp(columns)) > 0.85 * SIZE


def test_ball_is_round_and_has_no_holes() -> None:
    image = render(point_cloud(ball()), UPRIGHT, FRONT, SIZE)
    rows, columns = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    inside = np.hypot(rows, columns) < 0.44 * SIZE
    outside = np.hypot(rows, columns) > 0.49 * SIZE
    assert (image[inside, 2] < 200).all()
    assert (image[outside] == 255).all()


def test_side_towards_the_light_is_brighter() -> None:
    from_left = replace(FRONT, direction=(-1, 0, 0.5))
    image = render_ints(point_cloud(ball()), light=from_left)
    middle_row = image[SIZE // 2, :, 0]
    assert middle_row[SIZE // 4] > middle_row[3 * SIZE // 4] + 40


def test_warm_light_is_red_and_cool_light_is_blue() -> None:
    grey = point_cloud(ball("808080"))
    warm = render_ints(grey, light=replace(FRONT, warmth=0.1))
    cool = render_ints(grey, light=replace(FRONT, warmth=-0.1))
    red, _, blue = warm[SIZE // 2, SIZE // 2]
    assert red > blue + 5
    red, _, blue = cool[SIZE // 2, SIZE // 2]
    assert blue > red + 5


def test_wet_ball_has_a_specular_highlight() -> None:
    matt, wet = (point_cloud(ball("601010", gloss=gloss)) for gloss in (0, 1))
    centre = SIZE // 2, SIZE // 2, 1
    assert render_ints(wet)[centre] > render_ints(matt)[centre] + 100


def test_ball_casts_a_shadow_on_another() -> None:
    single = point_cloud(ball())
    pair = point_cloud(ball(), ball("00ff00", radius=0.4, offset=(-1.5, 0, 0)))
    from_left = replace(FRONT, direction=(-1, 0, 0.05), ambient=0.1)
    lit = render(single, rotation_matrix(0, 0), from_left, SIZE)
    shadowed = render(pair, rotation_matrix(0, 0), from_left, SIZE)
    reds = [image[..., 0][image[..., 1] < 200] for image in (lit, shadowed)]
    assert (reds[1] < 120).mean() > (reds[0] < 120).mean() + 0.05


def test_ambient_light_is_occluded_between_two_balls() -> None:
    single = with_ambient_occlusion(point_cloud(ball()))
    pair = with_ambient_occlusion(point_cloud(ball(), ball(offset=(2, 0, 0))))
    assert single.visibility.mean() > 0.97
    between = (np.abs(pair.points[:, 0] - 1) < 0.1) & (pair.normals[:, 0] > 0)
    assert pair.visibility[between].mean() < 0.75


def test_rotation_changes_the_image(fruits: dict[str, PointCloud]) -> None:
    for label, fruit in fruits.items():
        front = render_ints(fruit)
        side = render_ints(fruit, UPRIGHT @ rotation_matrix(1, 60))

        assert np.abs(front - side).mean() > 1, label


def test_labels_look_different(fruits: dict[str, PointCloud]) -> None:
    images = {label: render_ints(fruit) for label, fruit in fruits.items()}
    for first, image in images.items():
        for second, other in images.items():
            assert first == second or np.abs(image - other).mean() > 10, (first, second)


def test_two_fruits_of_a_label_differ() -> None:
    first, second = (
        create_fruit("Pear", np.random.default_rng(seed), points_per_area(SIZE))
        for seed in (1, 2)
    )
    assert np.abs(render_ints(first) - render_ints(second)).mean() > 1
