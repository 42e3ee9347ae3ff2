"""From a picture's bytes to readings: dialogs first, a terminal when there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bot.model import Context, Finding, Kind, Reading
from bot.parsers.screen import choices, frames, gate, ocr, photos, spots, squares
from bot.parsers.screen import fields as written
from bot.parsers.screen.captions import dialogs
from bot.parsers.screen.frames import Control
from bot.parsers.screen.labels import skeleton
from bot.parsers.screen.layout import Fit, Seen
from bot.parsers.screen.ocr import Pixels
from bot.parsers.screen.packs import BY_NAME, Dialog, Shape
from bot.parsers.screen.recovery import expected, recover
from bot.parsers.screen.spots import Spot
from bot.parsers.screen.terminal import console, read_terminal

# the detector's long side for the Account dialog alone, another small picture, and a desktop or a photo
UPRIGHT, SMALL, LARGE = 736, 960, 1280
SMALL_MAX, UPRIGHT_MAX = 1150, 720
CERTAIN = 0.97  # one look is enough for what is no host
ENOUGH = 12  # captions that agree: no second look is needed
SETTINGS_FIELDS = ("source_port", "rtp_min", "rtp_max", "nameserver", "stun_server")
RUSSIAN = ("ru_old", "ru_new")
NEEDED = ("server", "domain", "username")  # seldom empty: on a photo their letters were rather lost
KEY_FIELDS = ("server", "domain", "username", "transport", "public_address")


def _fits(image: Pixels, photo: bool) -> tuple[list[Fit], list[Spot]]:
    """The dialogs on the picture and its text; a photo that is hard to read is looked at again, sharpened."""
    height, width = image.shape[:2]
    alone = height > 1.3 * width and width < UPRIGHT_MAX
    side = UPRIGHT if alone else LARGE if max(height, width) > SMALL_MAX else SMALL
    found, lines = dialogs(image, spots.find(image, side))
    if not photo or max((fit.agreeing for fit in found), default=0) >= ENOUGH or (not found and console(lines)):
        return found, lines
    crisp = spots.sharpen(image)
    better, again = dialogs(crisp, spots.find(crisp, LARGE))
    if sum(fit.agreeing for fit in better) > sum(fit.agreeing for fit in found):
        return better, again
    return found, lines


def _language(fit: Fit) -> str:
    packs = Counter(row.match.pack[:2] for row in fit.rows.values())
    only = Counter(
        row.match.pack[:2]
        for row in fit.rows.values()
        if len(set(BY_NAME[row.name].names.values())) == len(BY_NAME[row.name].names)
    )
    return (only or packs).most_common(1)[0][0]


def _pack(fit: Fit) -> str:
    """The language, or `ru_old` where the captions that differ between the Russian packs are the older one's."""
    language = _language(fit)
    packs = [row.match.pack for row in fit.rows.values() if len({row.match.caption.names[p] for p in RUSSIAN}) == 2]
    old = sum(pack == "ru_old" for pack in packs)
    return "ru_old" if language == "ru" and old > len(packs) / 2 else language


def _caption(row: Seen, language: str) -> str:
    """The caption as its pack writes it; where packs differ by a dash alone ('SIP-server'), the dialog's language."""
    names = row.match.caption.names
    native = names.get("ru_new" if language == "ru" else language, "")
    return native if skeleton(native) == skeleton(names[row.match.pack]) else names[row.match.pack]


def _wanted(fit: Fit) -> list[str]:
    if fit.dialog is Dialog.SETTINGS:
        return [name for name in SETTINGS_FIELDS if frames.ROW_OF.get(name, name) in fit.layout]
    names = [n for n in fit.layout if BY_NAME[n].shape in (Shape.EDIT, Shape.COMBO)]
    return names + (["stun_server"] if "stun_enabled" in fit.layout else [])


def _inside(box: tuple[float, float, float, float], image: Pixels) -> bool:
    height, width = image.shape[:2]
    slack = 2
    return box[0] >= -slack and box[1] >= -slack and box[2] <= width + slack and box[3] <= height + slack


def _text_in(fit: Fit, control: Control, lines: list[Spot]) -> bool:
    """Did the detector see a line that starts inside this control?"""
    for spot in lines:
        u, v = fit.units(*spot.end(-1))
        if control.left - 2 < u < control.right - 6 and abs(v - control.v - control.slope * (u - control.left)) < 6:
            return True
    return False


def _values(
    image: Pixels,
    fit: Fit,
    controls: Mapping[str, Control],
    lines: list[Spot],
    context: Context,
    photo: bool,
    language: str,
) -> dict[str, str | None]:
    values: dict[str, str | None] = dict.fromkeys(controls)
    looks = {
        name: written.look(image, fit, at, _text_in(fit, at, lines))
        for name, at in controls.items()
        if name != "password"
    }
    strips = {name: seen.strip for name, seen in looks.items() if seen.empty is False}
    inked = list(strips)
    plain = ocr.read_lines(list(strips.values()))
    again = [n for n, line in zip(inked, plain, strict=True) if n in written.HOSTS or line.confidence < CERTAIN]
    calmer = [written.calm(strips[name]) if photo else strips[name] for name in again]
    wide = dict(zip(again, ocr.read_lines(calmer, stretch=1.25), strict=True))
    for name, one in zip(inked, plain, strict=True):
        two = wide.get(name, one)
        if name in (*choices.NUMBERS, *choices.NAMES, *choices.LISTS):
            values[name] = choices.value(name, (one, two), strips[name], language)
        else:
            values[name] = written.value(name, (one, two), strips[name], context.host, context.extension)
    for name, seen in looks.items():
        read = fit.rows[frames.ROW_OF.get(name, name)].read  # else it may be another place that is empty
        if seen.empty and read and not (photo and name in NEEDED):
            values[name] = ""
    return values


def dialog(image: Pixels, fit: Fit, lines: list[Spot], context: Context, photo: bool) -> Reading:
    """One dialog's reading."""
    language, pack = _language(fit), _pack(fit)
    fit = frames.widen(image, recover(image, fit, lines))
    boxes: dict[str, list[int]] = {}
    if "password" in fit.layout:  # to be covered even where its caption was not understood
        boxes["password"] = frames.about(fit, "password", expected(fit, "password")[0])
    controls: dict[str, Control] = {}
    wanted = _wanted(fit)
    for name in wanted:
        control = frames.control(image, fit, name, photo)
        if control is None or not _inside(control.box(fit), image):
            continue
        if not fit.rows[frames.ROW_OF.get(name, name)].read and control.strength < frames.PROVEN:
            continue
        boxes[name] = [round(v) for v in control.box(fit)]
        controls[name] = control
    values = dict.fromkeys(wanted) | _values(image, fit, controls, lines, context, photo, language)
    values.pop("password", None)
    shown = "password" in controls and written.in_clear(image, fit, controls["password"])
    checks: dict[str, bool | None] = {}
    for name in squares.CHECKS[fit.dialog]:
        if name not in fit.layout:
            continue
        checks[name] = None
        if name in fit.rows:
            square = squares.judge(image, fit, fit.rows[name])
            if _inside(square.box, image):
                checks[name] = square.on
                boxes[name] = [round(v) for v in square.box]
    if fit.dialog is Dialog.ACCOUNT and "stun_enabled" in fit.layout:  # 3.14 has no box: a text switches STUN on
        values.setdefault("stun_server", None)
    facts: dict[str, Any] = {
        "dialog": fit.dialog.value, "lang": language, "pack": pack, "password_shown": shown,
        "fields": values, "checks": checks, "boxes": boxes,
        "labels": {name: _caption(row, language) for name, row in fit.rows.items()},
    }  # fmt: skip
    findings = _judge(values, checks, context)
    return Reading(Kind.MICROSIP_SCREEN, "microsip", _status(fit, values, checks, findings), facts, findings)


def _judge(
    values: Mapping[str, str | None], checks: Mapping[str, bool | None], context: Context
) -> tuple[Finding, ...]:
    from bot.parsers.account import judge_account

    return tuple(judge_account(values, checks, context))


def _status(
    fit: Fit, values: Mapping[str, str | None], checks: Mapping[str, bool | None], findings: tuple[Finding, ...]
) -> str:
    from bot.model import Tag

    if any(finding.tag is not Tag.ACCOUNT_RIGHT for finding in findings):
        return "wrong"
    keys = KEY_FIELDS if fit.dialog is Dialog.ACCOUNT else ()
    ticks = ("ice", "allow_rewrite") if fit.dialog is Dialog.ACCOUNT else ("stun_enabled",)
    unsure = any(values.get(name) is None for name in keys) or any(checks.get(name) is None for name in ticks)
    return "unsure" if unsure else "right"


def read(content: bytes, context: Context) -> tuple[Reading, ...]:
    """All readings of a picture. May raise on broken input: read_picture() does not."""
    try:
        image = gate.pixels(content)
    except gate.RefusedError:
        return ()
    photo = photos.grain(image) > photos.GRAIN
    if photo:
        image = photos.still(image)
    found, lines = _fits(image, photo)
    if found:
        tilted = photo or any(abs(float(fit.du[1])) > 0.004 * abs(float(fit.du[0])) for fit in found)
        return tuple(dialog(image, fit, lines, context, tilted) for fit in found)
    return read_terminal(image, lines, context)
