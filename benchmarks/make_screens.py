# ruff: noqa: E501 - markup and table rows read best unbroken
"""Draws pictures of MicroSIP dialogs and terminals with their truth, to measure the reading of pictures.

    python -m benchmarks.make_screens OUT --seed 1 --count 60 [--only account,settings,terminal] [--way photo3,desktop]

Needs Debian's `chromium` (headless), the fonts named in screen_looks.py and the extra `ocr`.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks import screen_degrade as degrade
from benchmarks import screen_looks as looks
from benchmarks import screen_terminals as terminals
from benchmarks.screen_dialogs import account
from benchmarks.screen_settings import settings

CHROMIUM = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--disable-sync")  # fmt: skip
FONTS_OFF = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<match target="font"><edit name="antialias" mode="assign"><bool>false</bool></edit>
<edit name="hinting" mode="assign"><bool>true</bool></edit><edit name="hintstyle" mode="assign"><const>hintfull</const></edit></match>
<match target="pattern"><edit name="antialias" mode="assign"><bool>false</bool></edit>
<edit name="hinting" mode="assign"><bool>true</bool></edit><edit name="hintstyle" mode="assign"><const>hintfull</const></edit></match></fontconfig>"""


def shoot(page: str, size: tuple[int, int], smooth: bool, wide: bool) -> Image.Image:
    """A page's picture; `smooth` False draws letters in two colours; `wide` three times as wide."""
    with tempfile.TemporaryDirectory() as folder:
        source, target, fonts = Path(folder, "page.html"), Path(folder, "page.png"), Path(folder, "fonts.conf")
        stretch = "transform:scaleX(3);transform-origin:0 0" if wide else ""
        source.write_text(f'<meta charset="utf-8"><body style="margin:0;{stretch}">{page}</body>', encoding="utf-8")
        fonts.write_text(FONTS_OFF)
        environment = {"PATH": "/usr/bin:/bin", "HOME": folder} | ({} if smooth else {"FONTCONFIG_FILE": str(fonts)})
        subprocess.run(["nice", "-n", "10", *CHROMIUM, f"--user-data-dir={folder}/profile", f"--screenshot={target}",
                        f"--window-size={size[0] * (3 if wide else 1)},{size[1] + 100}", source.as_uri()],
                       check=True, capture_output=True, env=environment, timeout=120)  # fmt: skip
        image = Image.open(target).convert("RGB")
        image.load()
    return image.crop((0, 0, size[0] * (3 if wide else 1), size[1]))


def _style(rng: random.Random) -> looks.Style:
    return looks.Style(rng.choice(list(looks.LOOKS)), rng.choice(list(looks.FONTS)), rng.choice([1, 1, 1.25, 1.5]))


def _degrade(rng: random.Random, image: Image.Image, truth: dict[str, Any], category: str) -> Image.Image:
    truth["category"] = truth["degradation"] = category
    if category == "tg":
        image = degrade.telegram(image, truth, rng.randint(75, 90))
    elif category == "crop":
        image = degrade.telegram(degrade.crop(rng, image, truth), truth)
    elif category == "desktop":
        image = degrade.desktop(rng, image, truth)
        if max(image.size) <= 1540 or rng.random() < 0.7:
            image = degrade.telegram(image, truth) if max(image.size) <= 1540 else degrade.jpeg(image, 85)
    elif category == "lowres":
        image = degrade.lowres(rng, image, truth)
    elif category.startswith("photo"):
        truth["category"] = "photo"
        level = int(category[-1])
        inside = degrade.desktop(rng, image, truth) if rng.random() < 0.4 else image
        if inside is not image:  # the camera is held near: only the surroundings of the dialog
            spots = [box for parts in truth["boxes"].values() for box in parts.values()]
            edge = (max(0, min(b[0] for b in spots) - 150), 0, max(b[2] for b in spots) + 90, inside.height)
            degrade.move(truth, 1, -edge[0], 0)
            inside = inside.crop(tuple(int(v) for v in edge))
        image = degrade.photo(rng, inside, truth, level)
    degrade.see(truth, image.size)
    return image


CATEGORIES = ("clean", "tg", "tg", "crop", "desktop", "desktop", "lowres", "photo1", "photo2", "photo3")


def make(out: Path, seed: int, count: int, only: frozenset[str], ways: tuple[str, ...] = CATEGORIES) -> None:
    """Writes `count` pictures and truth.jsonl into `out`; `ways` are what may happen to a dialog's picture."""
    rng = random.Random(seed)
    out.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count):
        kind = rng.choice([k for k in ("account", "account", "account", "settings", "terminal") if k in only])
        if kind == "terminal":
            image, truth = terminals.draw(rng, shoot)
        else:
            pack = rng.choice(["en", "en", "ru_old", "ru_new", "ru_new", "uz"])
            versions = ["3.19", "3.20", "3.20", "3.22", "newer"] + (
                ["3.14"] if kind == "account" and pack != "uz" else []
            )
            drawn = (account if kind == "account" else settings)(rng, pack, rng.choice(versions))
            style = _style(rng)
            letters = rng.choice(["grey", "grey", "cleartype", "off"])
            stretched = style.scale > 1 and rng.random() < 0.3
            drawn_style = looks.Style(style.look, style.font, 1) if stretched else style
            image = shoot(
                looks.markup(drawn, drawn_style),
                looks.pixels(drawn, drawn_style),
                letters != "off",
                letters == "cleartype",
            )
            image = degrade.subpixel(image) if letters == "cleartype" else image
            truth = looks.truth(drawn, drawn_style) | {
                "aa": letters,
                "scale_mode": "stretched" if stretched else "native",
            }
            if stretched:
                size = (round(image.width * style.scale), round(image.height * style.scale))
                image = image.resize(size, Image.Resampling.BILINEAR)
                degrade.move(truth, style.scale, 0, 0)
            image = _degrade(rng, image, truth, rng.choice(ways))
        lossless = truth["degradation"] == "clean"
        truth = {"file": f"m{number:03d}.{'png' if lossless else 'jpg'}", **truth}
        if lossless:
            image.save(out / truth["file"])
        else:
            image.save(out / truth["file"], quality=92)
        lines.append(json.dumps(truth, ensure_ascii=False, default=float))
    (out / "truth.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--only", default="account,settings,terminal")
    parser.add_argument("--way", default=",".join(CATEGORIES), help="what may happen to a dialog's picture")
    options = parser.parse_args()
    make(options.out, options.seed, options.count, frozenset(options.only.split(",")), tuple(options.way.split(",")))


if __name__ == "__main__":
    main()
