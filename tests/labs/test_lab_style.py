"""The style lab without a page: its AdaIN is SagNet's, and what the lab's texts say is so."""

import base64

import numpy as np
import pytest
import traitlets
from engine import engine

from dtlbook.labs import style as lab
from dtlbook.labs import style_lab


@pytest.fixture(scope="module")
def js():
    with engine(*lab.FILES) as one:
        yield one


def image(number):
    return lab.images()[0][number - 1] / 255


def shown(js, preset, **given):
    """What the lab shows at these settings."""
    settings = js.run("settingsOf(preset, given)", preset=preset, given=given)
    x, other = image(settings["content"]), image(settings["style"])
    return js.run("mixtures(x, other, s.block)(s.alpha)", x=x, other=other, s=settings)


# --- what the texts say ---------------------------------------------------------------------------------------
def test_first_experiment_the_style_goes_straight_over_and_the_content_stays(js):
    settings = js.run("settingsOf(...EXPERIMENTS[0])")
    assert settings == js.run("settingsOf('colours', { alpha: 1 })")
    curve = js.run("curve(mixtures(x, y, s.block))", x=image(6), y=image(9), s=settings)
    alpha, left = np.array(curve["alpha"]), np.array(curve["to_other"])
    np.testing.assert_allclose(left / left[-1], alpha, atol=0.01)
    assert min(curve["like_own"]) > 0.9999 and curve["alpha"][0] == 0


def test_second_experiment_larger_squares_put_shape_into_the_style(js):
    assert js.run("settingsOf(...EXPERIMENTS[1])") == js.run("settingsOf('colours')")
    likeness = [shown(js, "colours", block=b)["like_own"] for b in lab.BLOCKS]
    assert likeness == sorted(likeness, reverse=True) and likeness[0] > 0.9999 and likeness[-1] < 0.7
    assert shown(js, "texture")["like_own"] > 0.9
    other = [shown(js, preset)["like_other"] for preset in ("colours", "too-deep")]
    assert other[1] > other[0] + 0.1


def test_third_experiment_adain_knows_no_range(js):
    assert js.run("settingsOf(...EXPERIMENTS[2])") == js.run("settingsOf('colours', { content: 9, style: 2 })")
    assert shown(js, "colours", content=9, style=2)["outside"] > 0.3
    assert lab.images()[1][[8, 1]].tolist() == [7, 3]


def test_an_image_in_its_own_style_is_itself(js):
    for given in ({"alpha": 1}, {"style": 6}, {"alpha": 0.4, "style": 6, "block": 7}):
        got = shown(js, "colours", **given)
        np.testing.assert_allclose(got["image"], image(6).ravel(), atol=1e-12)
        assert got["to_own"] < 1e-12


# --- the numbers are those of the reference ------------------------------------------------------------------------
@pytest.mark.parametrize("b", lab.BLOCKS)
def test_maps_are_cosine_transforms_and_can_be_undone(js, b):
    from scipy.fft import dctn

    x = image(9)
    z = np.reshape(js.run("maps(x, b)", x=x, b=b), (3, b, b, 28 // b, 28 // b))
    squares = x.reshape(28 // b, b, 28 // b, b, 3).transpose(4, 1, 3, 0, 2)
    np.testing.assert_allclose(z, dctn(squares, axes=(1, 2), norm="ortho"), atol=1e-12)
    np.testing.assert_allclose(js.run("unmapped(maps(x, b), b)", x=x, b=b), x.ravel(), atol=1e-12)


@pytest.mark.parametrize("alpha, b", [(0.0, 1), (0.3, 2), (0.8, 7), (1.0, 14)])
def test_statistics_and_mixtures_are_those_of_pytorch(js, alpha, b):
    torch = pytest.importorskip("torch")
    from dtlbook.torch import sagnet

    c, side = 3 * b * b, 28 // b
    z = [np.array(js.run("maps(x, b)", x=image(i), b=b)) for i in (4, 9)]
    batch = torch.tensor(np.stack(z).reshape(2, c, side, side))
    mean, deviation = sagnet.statistics(batch)
    for i in (0, 1):
        ours = js.run("statistics(z, c)", z=z[i], c=c)
        np.testing.assert_allclose(ours["mean"], mean[i].ravel(), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(ours["deviation"], deviation[i].ravel(), rtol=1e-9)
    swap = torch.tensor([1, 0])
    theirs = sagnet.style_randomization(batch, swap, torch.tensor([alpha, alpha], dtype=torch.float64))[0]
    ours = js.run("mixed(z, other, c, alpha)", z=z[0], other=z[1], c=c, alpha=alpha)
    np.testing.assert_allclose(ours, theirs.ravel(), rtol=1e-9, atol=1e-12)
    image_ = js.run("maps(mixtures(x, y, block)(alpha).image, block)", x=image(4), y=image(9), block=b, alpha=alpha)
    np.testing.assert_allclose(image_, theirs.ravel(), rtol=1e-9, atol=1e-10)
    turned = js.run("maps(mixtures(x, y, block)(1).turned, block)", x=image(4), y=image(9), block=b)
    np.testing.assert_allclose(turned, sagnet.content_randomization(batch, swap)[0].ravel(), rtol=1e-9, atol=1e-10)


def test_measures(js):
    x, y = image(5), image(8)
    expected = np.mean([np.corrcoef(x[..., c].ravel(), y[..., c].ravel())[0, 1] for c in range(3)])
    assert js.run("likeness(x, y)", x=x, y=y) == pytest.approx(expected)
    code = "styleDistance(...[x, y].map((v) => statistics(maps(v, 1), 3)))"
    parts = [
        (f(x, axis=(0, 1)) - f(y, axis=(0, 1))) for f in (np.mean, lambda v, axis: np.sqrt(v.var(axis=axis) + 1e-5))
    ]
    assert js.run(code, x=x, y=y) == pytest.approx(np.linalg.norm(np.concatenate(parts)))
    assert js.run("likeness(x, y)", x=x, y=np.full(x.shape, 0.5)) == 0
    assert js.run("EPSILON") == __import__("dtlbook.styles", fromlist=["EPSILON"]).EPSILON


# --- settings, images ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code, words", [
    ("mixed(z, z, 3, NaN)", "α must lie between 0 and 1, not NaN"),
    ("maps(z, 3)", "squares of 3 pixels must fit 28 pixels"),
    ("maps(z, 28)", "at least twice"),
    ("settingsOf('colours', { block: 3 })", "block cannot be 3"),
])  # fmt: skip
def test_bad_values_are_refused_in_javascript(js, code, words):
    with pytest.raises(ValueError, match=words):
        js.run(code, z=image(1))


@pytest.mark.parametrize(
    "name, value", [("block", 3), ("block", 28), ("content", 0), ("style", 10), ("alpha", float("nan"))]
)
def test_bad_values_are_refused_in_python(name, value):
    with pytest.raises(traitlets.TraitError, match=name):
        style_lab(**{name: value})


def test_the_images_travel_in_the_widget_and_are_small():
    widget = style_lab()
    bytes_ = np.frombuffer(base64.b64decode(widget.images), np.uint8)
    assert np.array_equal(bytes_.reshape(9, 28, 28, 3), lab.images()[0])
    assert widget.digits == lab.images()[1].tolist() and len(widget.images) < 30_000
