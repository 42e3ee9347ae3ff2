# ruff: noqa: E501 - markup and table rows read best unbroken
"""How a made dialog looks: themes, fonts and the HTML that draws it, and the truth of where everything is."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from benchmarks.screen_dialogs import Box, Drawn, Row
from bot.parsers.screen.packs import TITLES, Dialog

LOOKS: dict[str, dict[str, str]] = {
    "w10_light": {"bg": "#f0f0f0", "ink": "#000", "edit": "#fff", "frame": "#7a7a7a", "title": "#fff", "combo": "#e1e1e1", "link": "#06c", "on": "#fff", "tick": "#000", "radius": "0", "accent": "#0078d7"},
    "w10_white": {"bg": "#fff", "ink": "#111", "edit": "#fff", "frame": "#7a7a7a", "title": "#e6e6e6", "combo": "#e1e1e1", "link": "#06c", "on": "#fff", "tick": "#000", "radius": "0", "accent": "#0078d7"},
    "w11_light": {"bg": "#f3f3f3", "ink": "#1b1b1b", "edit": "#fff", "frame": "#b5b5b5", "title": "#fafafa", "combo": "#fbfbfb", "link": "#003e92", "on": "#005fb8", "tick": "#fff", "radius": "3px", "accent": "#005fb8"},
    "w10_dark": {"bg": "#202020", "ink": "#f0f0f0", "edit": "#333", "frame": "#888", "title": "#2b2b2b", "combo": "#333", "link": "#4cc2ff", "on": "#333", "tick": "#fff", "radius": "0", "accent": "#0078d7"},
    "w11_dark": {"bg": "#2b2b2b", "ink": "#fff", "edit": "#383838", "frame": "#777", "title": "#202020", "combo": "#3a3a3a", "link": "#99ebff", "on": "#4cc2ff", "tick": "#000", "radius": "3px", "accent": "#4cc2ff"},
    "classic": {"bg": "#d4d0c8", "ink": "#000", "edit": "#fff", "frame": "inset", "title": "linear-gradient(90deg,#0a246a,#a6caf0)", "combo": "#fff", "link": "#00f", "on": "#fff", "tick": "#000", "radius": "0", "accent": "#000"},
    "win7": {"bg": "#f0f0f0", "ink": "#000", "edit": "#fff", "frame": "#abadb3", "title": "linear-gradient(#cfe0f3,#b9d1ea)", "combo": "linear-gradient(#f2f2f2,#cfcfcf)", "link": "#06c", "on": "#f4f4f4", "tick": "#21488c", "radius": "2px", "accent": "#3c7fb1"},
}  # fmt: skip
FONTS = {  # family, px at 96 dpi, px per unit in x and in y
    "arimo": ("Arimo", 11, 1.5, 1.625), "liberation": ("Liberation Sans", 11, 1.5, 1.625),
    "tahoma": ("Tahoma, 'DejaVu Sans Condensed'", 11, 1.5, 1.625), "dejavu": ("DejaVu Sans Condensed", 11, 1.6, 1.7),
    "open": ("Open Sans", 12, 1.75, 1.875), "noto": ("Noto Sans", 12, 1.75, 1.875), "carlito": ("Carlito", 13, 1.75, 1.875),
}  # fmt: skip
CAPTION_PX = 31


@dataclass(frozen=True)
class Style:
    """How a dialog is drawn."""

    look: str
    font: str
    scale: float


def pixels(drawn: Drawn, style: Style) -> tuple[int, int]:
    """Width and height of the drawn window."""
    _, _, ux, uy = FONTS[style.font]
    return (int(drawn.size[0] * ux * style.scale + 2), int((drawn.size[1] * uy + CAPTION_PX) * style.scale + 2))


def _rect(box: Box, style: Style) -> tuple[float, float, float, float]:
    _, _, ux, uy = FONTS[style.font]
    x, y, width, height = box
    s = style.scale
    return (round(x * ux * s + 1), round((y * uy + CAPTION_PX) * s + 1), round(width * ux * s), round(height * uy * s))


def boxes(drawn: Drawn, style: Style) -> dict[str, dict[str, list[float]]]:
    """Pixel boxes (left, top, right, bottom) of captions and controls."""
    found: dict[str, dict[str, list[float]]] = {}
    side = 13 * style.scale
    for row in drawn.rows:
        if row.name.startswith("_") or row.name == "help" or row.kind in ("star", "button", "link", "text"):
            continue
        x, y, width, height = _rect(row.box, style)
        place = found.setdefault(row.name, {})
        middle = y + height / 2
        if row.kind == "check":
            place["box"] = [x, middle - side / 2, x + side, middle + side / 2]
            place["label"] = [x + side + 3, y, x + width, y + height]
        elif row.kind == "checkright":
            place["box"] = [x + width - side, middle - side / 2, x + width, middle + side / 2]
            place["label"] = [x, y, x + width - side - 3, y + height]
        elif row.kind == "label":
            place["label"] = [x, y, x + width, y + height]
        else:
            place["control"] = [x, y, x + width, y + height]
    return found


def _tick(look: dict[str, str], side: float) -> str:
    return (f'<svg viewBox="0 0 13 13" width="{side:.1f}" height="{side:.1f}" style="position:absolute;left:0;top:0">'
            f'<path d="M2.6 6.6 L5.3 9.4 L10.4 3.6" fill="none" stroke="{look["tick"]}" stroke-width="1.7"/></svg>')  # fmt: skip


def _square(row: Row, look: dict[str, str], left: float, top: float, side: float) -> str:
    fill = look["on"] if row.on else look["edit"]
    frame = (
        "border:2px inset #aaa"
        if look["frame"] == "inset"
        else f"border:1px solid {look['frame'] if not row.on or look['radius'] != '3px' else look['on']}"
    )
    if row.kind.startswith("check") and look["frame"] not in ("inset",) and look["radius"] == "0":
        frame = f"border:1px solid {look['ink']}"
    return (f'<div style="position:absolute;left:{left:.1f}px;top:{top:.1f}px;width:{side:.1f}px;height:{side:.1f}px;box-sizing:border-box;'
            f'background:{fill};{frame};border-radius:{look["radius"]};opacity:{.4 if row.disabled else 1}">{_tick(look, side - 2) if row.on else ""}</div>')  # fmt: skip


def markup(drawn: Drawn, style: Style) -> str:
    """The dialog as one absolutely placed element."""
    look = LOOKS[style.look]
    family, px, _, _ = FONTS[style.font]
    s, side = style.scale, 13 * style.scale
    width, height = pixels(drawn, style)
    title = dict(zip(("en", "ru_old", "uz"), TITLES[Dialog.ACCOUNT], strict=True)) if drawn.dialog == "account" else {
        "en": "Settings", "ru_new": "Общие настройки", "ru_old": "Настройки", "uz": "Sozlamalar"}  # fmt: skip
    text = title.get(drawn.pack, title.get("ru_old", ""))
    frame = "2px inset #aaa" if look["frame"] == "inset" else f"1px solid {look['frame']}"
    out = [f'<div style="position:relative;overflow:hidden;width:{width - 2}px;height:{height - 2}px;border:1px solid #888;background:{look["bg"]};'
           f"color:{look['ink']};font:{px * s:.1f}px {family.replace(chr(34), chr(39))};line-height:1.2\">"
           f'<div style="position:absolute;left:0;top:0;width:100%;height:{CAPTION_PX * s}px;background:{look["title"]};'
           f'line-height:{CAPTION_PX * s}px;text-indent:{12 * s}px;color:{"#fff" if style.look == "classic" else look["ink"]}">{text}'
           f'<span style="position:absolute;right:{14 * s}px;text-indent:0;font-size:{16 * s}px">✕</span></div>']  # fmt: skip
    for row in drawn.rows:
        x, y, w, h = _rect(row.box, style)
        x, y = x - 1, y - 1
        ink = f"opacity:{0.45 if row.disabled else 1};"
        at = f"position:absolute;box-sizing:border-box;left:{x}px;top:{y}px;width:{w}px;height:{h}px;white-space:pre;overflow:hidden;line-height:{h - 2}px;"
        words = html.escape(row.text)
        if row.kind == "label":
            out.append(
                f'<div style="{at}{ink}text-align:right;text-overflow:ellipsis;height:{h + 3 * s}px;line-height:{h}px">{words}</div>'
            )
        elif row.kind in ("text", "star", "link"):
            extra = f"color:{look['link']};text-decoration:underline" if row.kind == "link" else ""
            out.append(f'<div style="{at}overflow:visible;line-height:{h}px;{extra}">{words}</div>')
        elif row.kind in ("check", "checkright"):
            left = x if row.kind == "check" else x + w - side
            out.append(_square(row, look, left, y + h / 2 - side / 2, side))
            place = (
                f"left:{x + side + 3 * s}px;width:{w - side}px"
                if row.kind == "check"
                else f"left:{x}px;width:{w - side - 4 * s}px;text-align:right"
            )
            out.append(
                f'<div style="position:absolute;{place};top:{y}px;height:{h}px;line-height:{h}px;white-space:pre;overflow:visible;{ink}">{words}</div>'
            )
        elif row.kind == "list":
            out.append(
                f'<div style="{at}border:{frame};background:{look["edit"]};line-height:1.25;padding:2px">{words.replace("|", "<br>")}</div>'
            )
        elif row.kind == "button":
            line = (
                f"1px solid {look['accent'] if row.on else look['frame']}"
                if look["frame"] != "inset"
                else "2px outset #fff"
            )
            out.append(
                f'<div style="{at}border:{line};background:{look["combo"]};text-align:center;border-radius:{look["radius"]}">{words}</div>'
            )
        else:
            fill = look["combo"] if row.kind == "combo" else look["edit"]
            fill = look["bg"] if row.disabled else fill
            arrow = (
                f'<span style="position:absolute;right:{6 * s}px;top:0;font-size:{0.8 * px * s}px">⌵</span>'
                if "combo" in row.kind
                else ""
            )
            radius = look["radius"] if "combo" in row.kind else "0"
            out.append(
                f'<div style="{at}border:{frame};background:{fill};padding-left:{4 * s}px;border-radius:{radius};line-height:{h - 3}px"><span style="{ink}">{words}</span>{arrow}</div>'
            )
    return "".join(out) + "</div>"


def truth(drawn: Drawn, style: Style) -> dict[str, Any]:
    """The truth of a drawn dialog before anything is cut or bent."""
    return {
        "dialog": drawn.dialog, "lang": drawn.pack[:2], "label_pack": drawn.pack, "version": drawn.version,
        "fields": {n: {"value": v, "visible": True, "label_visible": True} for n, v in drawn.fields.items()},
        "checks": {n: {"on": v, "visible": True, "label_visible": True} for n, v in drawn.checks.items()},
        "boxes": boxes(drawn, style), "password_shown": drawn.password_shown, "variant": drawn.variant,
        "look": style.look, "theme": "dark" if "dark" in style.look else "light", "font": style.font, "scale": style.scale,
    }  # fmt: skip
