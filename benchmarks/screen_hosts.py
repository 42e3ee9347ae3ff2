# ruff: noqa: E501 - markup reads best unbroken
"""Is a mistyped host ever called right? Edit boxes with every small typing mistake, drawn small, blurred and pressed.

    python -m benchmarks.screen_hosts [--seed 1] [--repeat 2] [--photos] [--errors]

Needs Debian's `chromium` and the extra `ocr`. Prints how many wrong hosts were called right (must be 0) and
how many right ones wrong, not sure and right. A capital I for an l is counted apart: in many fonts it is
drawn with the very same pixels.
"""

from __future__ import annotations

import argparse
import html
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageFilter

from benchmarks.make_screens import shoot
from benchmarks.screen_degrade import jpeg, optics
from bot.parsers.screen import fields
from bot.parsers.screen.frames import Control
from bot.parsers.screen.layout import Fit
from bot.parsers.screen.ocr import read_lines
from bot.parsers.screen.packs import Dialog

RIGHT = "call.soundz.uz"
ALIKE = {
    "l": "I1i|",
    "o": "0cea",
    "u": "vn",
    "z": "2s",
    "s": "5z",
    "n": "rum",
    "d": "b",
    "a": "eo",
    "c": "eo",
    ".": ",-:",
}
PAIRS = {
    "n": ("ri", "rn"),
    "d": ("cl",),
    "u": ("ii", "v v"),
    "ll": ("II", "l1", "1l", "lI", "Il", "11"),
    "uz": ("vz", "u z", "us"),
    "nd": ("dn", "rid"),
}
FONTS = ("Arimo", "Liberation Sans", "'DejaVu Sans Condensed'", "'DejaVu Sans'", "'Open Sans'", "'Noto Sans'", "Carlito")  # fmt: skip
BOX_W, BOX_H, ROWS, COLUMNS, EDGE = 127 * 1.5, 14 * 1.625, 30, 4, 4


def typos(host: str) -> list[str]:
    """Mistakes of one stroke and look-alikes; none of them is `host`."""
    found = {host.replace(was, now, 1) for was, many in PAIRS.items() for now in many}
    for at, letter in enumerate(host):
        found.add(host[:at] + host[at + 1 :])  # left out
        found.add(host[:at] + letter + host[at:])  # doubled
        found.add(host[:at] + " " + host[at:])  # a space before it
        found.update(host[:at] + other + host[at + 1 :] for other in ALIKE.get(letter, ""))
        if at:
            found.add(host[: at - 1] + letter + host[at - 1] + host[at + 1 :])  # swapped with the one before
    return sorted(one for one in found if one.strip() != host)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One edit box: what was typed, and its picture."""

    typed: str
    font: str
    letters: str
    image: Image.Image
    scale: float  # pixels a dialog unit of y
    edge: float  # pixels round the box


def draw(rng: random.Random, texts: list[str]) -> Iterator[Drawn]:
    """The texts in edit boxes, a page at a time; light or dark, smooth or not, at 100 to 150 %."""
    for start in range(0, len(texts), ROWS * COLUMNS):
        page = texts[start : start + ROWS * COLUMNS]
        font, letters, zoom = rng.choice(FONTS), rng.choice(["grey", "grey", "off"]), rng.choice([1, 1, 1.25])
        dark = rng.random() < 0.3
        paper, ink, back = ("#333", "#f0f0f0", "#202020") if dark else ("#fff", "#000", "#f0f0f0")
        wide, high = BOX_W * zoom, BOX_H * zoom
        size = (round((wide + 20) * COLUMNS), round((high + 10) * ROWS))
        cells = []
        for number, text in enumerate(page):
            x, y = (number % COLUMNS) * (wide + 20) + 10, (number // COLUMNS) * (high + 10) + 5
            cells.append(f'<div style="position:absolute;box-sizing:border-box;left:{round(x)}px;top:{round(y)}px;width:{round(wide)}px;height:{round(high)}px;white-space:pre;'
                         f'border:1px solid #7a7a7a;background:{paper};padding-left:{4 * zoom}px;line-height:{round(high) - 3}px">{html.escape(text)}</div>')  # fmt: skip
        markup = f'<div style="position:relative;width:{size[0]}px;height:{size[1]}px;background:{back};color:{ink};font:{11 * zoom:.1f}px {font}">{"".join(cells)}</div>'
        shot = shoot(markup, size, letters != "off", False)
        for number, text in enumerate(page):
            x, y = (number % COLUMNS) * (wide + 20) + 10, (number // COLUMNS) * (high + 10) + 5
            box = shot.crop(
                (round(x) - EDGE, round(y) - EDGE, round(x) + round(wide) + EDGE, round(y) + round(high) + EDGE)
            )
            yield Drawn(text, font, letters, box, 1.625 * zoom, EDGE)


def worn(rng: random.Random, drawn: Drawn) -> Drawn:
    """As it arrives: sometimes shrunk, sometimes blurred, always through JPEG."""
    image, factor = drawn.image, 1.0
    if rng.random() < 0.6:
        factor = rng.uniform(0.75, 1.0) if drawn.scale < 2 else rng.uniform(0.65, 1.0)
        image = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.8) * factor))
    if rng.random() < 0.8:
        image = jpeg(image, rng.randint(60, 92))
    return Drawn(drawn.typed, drawn.font, drawn.letters, image, drawn.scale * factor, EDGE * factor)


def photographed(rng: random.Random, drawn: Drawn) -> Drawn:
    """As a phone's photo of a monitor shows it, mild to bad, levelled but for a little."""
    factor, big = rng.uniform(1.5, 2.3) / drawn.scale, 2
    size = (round(drawn.image.width * factor), round(drawn.image.height * factor))
    turn = rng.uniform(-0.006, 0.006)
    move = np.array([[big * factor, 0, 0], [turn * big * factor, big * factor, -turn * big * size[0] / 2]])
    shape = (size[0] * big, size[1] * big)
    canvas = cv2.warpAffine(
        np.asarray(drawn.image), move, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    shot = optics(rng, canvas.astype(np.float32), size, rng.choice([1, 2, 3, 3]), big)
    image = jpeg(Image.fromarray(shot), rng.randint(72, 90))
    return Drawn(drawn.typed, drawn.font, drawn.letters, image, drawn.scale * factor, EDGE * factor)


def read(drawn: Drawn, photo: bool) -> str | None:
    """What the reader says stands in the box, as in a dialog whose place is known."""
    image = cv2.cvtColor(np.asarray(drawn.image), cv2.COLOR_RGB2BGR)
    aspect = 1.5 / 1.625
    step = drawn.scale
    fit = Fit(Dialog.ACCOUNT, {}, np.zeros(2), np.array([step * aspect, 0.0]), np.array([0.0, step]), {}, 0)
    left, top = drawn.edge / step / aspect, drawn.edge / step
    control = Control("server", left, left + 127, -7, 7, top + 7, 0.0, 9.0)
    seen = fields.look(image, fit, control, True)
    if seen.empty is not False:
        return "" if seen.empty else None
    wide = fields.calm(seen.strip) if photo else seen.strip
    lines = (read_lines([seen.strip])[0], read_lines([wide], stretch=1.25)[0])
    return fields.value("server", lines, seen.strip, RIGHT, None)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=2, help="how often every mistake is drawn")
    parser.add_argument("--photos", action="store_true", help="as a phone's photos of a monitor show them")
    parser.add_argument("--errors", action="store_true")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    texts = typos(RIGHT) * options.repeat
    texts += [RIGHT] * len(texts)
    rng.shuffle(texts)
    wrong: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for drawn in draw(rng, texts):
        found = read(photographed(rng, drawn) if options.photos else worn(rng, drawn), options.photos)
        if drawn.typed == RIGHT:
            right["not sure" if found is None else "right" if found == RIGHT else "called wrong"] += 1
        else:
            believed = "capital I called right" if drawn.typed.replace("I", "l") == RIGHT else "CALLED RIGHT"
            wrong["not sure" if found is None else believed if found == RIGHT else "called wrong"] += 1
        if options.errors and ((drawn.typed == RIGHT) != (found == RIGHT)) and (found is not None):
            print(f"{drawn.typed!r} -> {found!r} {drawn.font} {drawn.letters} {drawn.scale:.2f}", flush=True)
    print("mistyped:", dict(wrong), " right:", dict(right))


if __name__ == "__main__":
    main()
