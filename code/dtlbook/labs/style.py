"""The style lab: AdaIN between real images, digits drawn from fonts and digits blended with photographs, live in the page.

The style of feature maps is the mean and deviation of each channel, as in SagNet; instead of a trained G_f the maps are
cosine transforms of squares of b × b pixels, which can be undone, so that a mixture can be looked at. The mixing itself
is JavaScript (`style_mixing.js`) and equals `dtlbook.torch.sagnet`, which a test proves.
"""

from __future__ import annotations

import base64
from functools import cache

import anywidget
import numpy as np
import traitlets

from dtlbook import data
from dtlbook.labs.lab import computed, described, settings_of, still, traits_of, with_still, within
from dtlbook.labs.parts import module, style

PRESETS = {"colours": {}, "own": {"alpha": 1.0}, "texture": {"block": 4}, "too-deep": {"block": 14}}
LIMITS = {"content": (1, 9), "style": (1, 9), "alpha": (0, 1), "block": (1, 14)}  # least, most
BLOCKS = (1, 2, 4, 7, 14)  # what divides 28 and leaves at least two places a channel
FILES = ("core", "settings", "style_mixing")
IMAGES = {
    "font-digits-white": (5, 6, 35),
    "font-digits": (14, 12, 20),
    "font-digits-photo": (20, 2, 33),
}  # of the test part


@cache
def images() -> tuple[np.ndarray, np.ndarray]:
    """The nine images, uint8 [9, 28, 28, 3], and their digits [9]: white fonts, coloured fonts, fonts on photographs."""
    parts = [(data.load(name), list(chosen)) for name, chosen in IMAGES.items()]
    return tuple(np.concatenate([getattr(d, a)[chosen] for d, chosen in parts]) for a in ("x_test", "y_test"))


def style_lab(preset: str = "colours", *, lang: str | None = None, **settings) -> StyleLab:
    """The lab, set up as ``preset`` says: "colours", "own", "texture" or "too-deep".

    ``settings``  what is to differ from the preset: the traits of `StyleLab`
    ``lang``      "ko" or "en"; if left out, the language of the page or else of the browser

    With a kernel `lab.alpha = 0.5` moves the slider, and `lab.history` holds the read-outs for every α.

    >>> style_lab("texture", alpha=0.5)
    StyleLab(content=6, style=9, alpha=0.5, block=4)
    """
    return StyleLab(**traits_of("style_lab", PRESETS, LIMITS, preset, lang, settings))


class StyleLab(anywidget.AnyWidget):
    """The widget that `style_lab` returns."""

    _esm = module(*FILES, "controls", "style")
    _css = style("lab")

    link = traitlets.Unicode("style").tag(sync=True)  # how a link to this lab begins: #style?alpha=0.5
    content = traitlets.Int(6).tag(sync=True)  # number of the image x, 1 … 9
    style = traitlets.Int(9).tag(sync=True)  # number of the image x'
    alpha = traitlets.Float(0.0).tag(sync=True)  # share of x's own style
    block = traitlets.Int(1).tag(sync=True)  # b, pixels of a square's side
    lang = traitlets.Unicode().tag(sync=True)
    images = traitlets.Unicode().tag(sync=True)  # uint8 [9, 28, 28, 3] in base64
    digits = traitlets.List().tag(sync=True)
    # Read-outs for every α with the images and b on the screen, lists of one length:
    # alpha to_own to_other like_own like_other
    history = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits):
        pictures, digits = images()
        super().__init__(images=base64.b64encode(pictures.tobytes()).decode(), digits=digits.tolist(), **traits)

    @traitlets.validate(*LIMITS)
    def _check(self, proposal):
        value = within(LIMITS, proposal)
        if proposal["trait"].name == "block" and value not in BLOCKS:
            raise traitlets.TraitError(f"block must be one of {', '.join(map(str, BLOCKS))}, not {value}.")
        return value

    def __repr__(self) -> str:
        return described(self, LIMITS)

    def _repr_mimebundle_(self, **kwargs):
        return with_still(super()._repr_mimebundle_(**kwargs), self._still)

    def _still(self) -> str:
        """What stands in the page until the lab does, and on paper: the four pictures, by the lab's own code."""
        pictures, digits = images()
        pair = [self.content - 1, self.style - 1]
        chosen = [(pictures[i] / 255).ravel().tolist() for i in pair]
        got = computed(FILES, _MIXTURE, [*chosen, settings_of(self, LIMITS)])
        x, other = digits[pair]
        captions = {
            "ko": f"스타일 실습, α = {self.alpha:g}, b = {self.block}: {x}의 콘텐츠에 {other}의 스타일을 섞은 그림과, 콘텐츠와 스타일을 맞바꾼 그림. "
            f"x와 닮은 정도 {got['like_own']:.2f}, x′와 닮은 정도 {got['like_other']:.2f}. 자바스크립트가 있으면 이 자리에서 직접 섞어 볼 수 있다.",
            "en": f"Style lab, α = {self.alpha:g}, b = {self.block}: the style of a {other} mixed into the content of a {x}, and the two with "
            f"content and style exchanged. Likeness to x {got['like_own']:.2f}, to x′ {got['like_other']:.2f}. With JavaScript you can mix here yourself.",
        }
        return still(_picture([*chosen, got["image"], got["turned"]]), captions)


_MIXTURE = """(() => {
  const [x, other, settings] = given, got = mixtures(Float64Array.from(x), Float64Array.from(other), settings.block)(settings.alpha);
  return { ...got, image: Array.from(got.image), turned: Array.from(got.turned), styles: 0 };
})()"""


def _picture(four):
    """x, x', the content of x in the mixed style, the content of x' in the style of x."""
    import matplotlib.pyplot as plt

    from dtlbook.figures import STYLE

    titles = ("x", "x′", "content of x,\nmixed style", "content of x′,\nstyle of x")
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(2, 2, figsize=(5.2, 5.6))
        for ax, image, title in zip(axes.ravel(), four, titles, strict=True):
            ax.imshow(np.reshape(image, (28, 28, 3)).clip(0, 1))
            ax.set(xticks=[], yticks=[], title=title)
            ax.spines[:].set_visible(False)
    plt.close(fig)
    return fig
