"""Colours and symbols of labels, legible on dark and light backgrounds."""

from colorsys import hls_to_rgb

import numpy as np

_HUES = 12
# Luminance and saturation of three variants of each hue, legible on white and on black.
_TONES = ((0.13, 0.85), (0.21, 0.60), (0.34, 0.75))
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")


def marker_style(number: int) -> dict[str, str]:
    """Return one of 216 pairs of colour and symbol; successive hues are far apart."""
    cycle, i = divmod(number, _HUES * len(_TONES))
    tone = (i + i // _HUES) % len(_TONES)
    hue = (7 * i % _HUES + tone / len(_TONES)) / _HUES
    # Not as hsl(...): WebGL traces show every hue above 255 degrees as blue.
    rgb = tuple(round(255 * part) for part in _bright_hue(hue, *_TONES[tone]))
    symbol = _SYMBOLS[cycle % len(_SYMBOLS)]
    return {"marker_color": f"rgb{rgb}", "marker_symbol": symbol}


def _bright_hue(hue: float, luminance: float, saturation: float) -> tuple[float, ...]:
    """Return the colour of a hue that has a relative luminance (WCAG), as RGB of 0 to 1."""
    low, high = 0.0, 1.0
    for _ in range(12):
        lightness = (low + high) / 2
        rgb = hls_to_rgb(hue, lightness, saturation)
        linear = np.power(rgb, 2.2) @ (0.2126, 0.7152, 0.0722)
        low, high = (lightness, high) if linear < luminance else (low, lightness)
    return rgb
