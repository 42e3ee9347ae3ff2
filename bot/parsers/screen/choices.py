"""What stands in a list, a number field or a name? What cannot be read well is None, never a guess at its letters.

A list has a few texts only, so the likeliest of them is taken where it leads the others; a number where each
of its digits does; a name where both engines agree on it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import cv2
import numpy as np

from bot.parsers.screen import ocr
from bot.parsers.screen.hosts import distance, lead, softer
from bot.parsers.screen.labels import skeleton
from bot.parsers.screen.ocr import Line, Pixels

NUMBERS = ("register_refresh", "keep_alive", "source_port", "rtp_min", "rtp_max")
NAMES = ("display_name", "account_name", "voicemail", "dial_plan", "dialing_prefix")
LISTS = ("transport", "public_address", "media_encryption")
TRANSPORTS = ("UDP", "TCP", "TLS", "UDP+TCP", "Auto", "ABTO")
AUTOMATIC = ("Auto", "ABTO", "Avtomatik")
DISABLED = {"en": "Disabled", "ru": "Отключено", "uz": "O‘chirilgan"}
SECURED = ("Optional SRTP (RTP/AVP)", "Mandatory SRTP (RTP/SAVP)")
SEEN_AS = {"Отключено": ("OTKTIOYEHO", "OTKAIO4EHO", "OTKMIONEHO")}  # by an engine without Cyrillic
SHORT_PX = 150  # of a strip of ocr.LINE_HEIGHT: no text of `transport` is longer; what follows is the photo's grain
NEAR, FAR = 0.9, 2.5  # likelihood distance a letter: the text itself; the nearest of a few, badly photographed
LEAD = 2.0  # nats by which the likeliest text or digit must beat the next
CERTAIN, CLEAR = 0.98, 0.9  # confidence of both looks: nothing else is asked; enough where nothing speaks against it
NATIVE = 85  # Tesseract's confidence in every word of a Cyrillic name
ALIKE, SURELY = 50.0, 80.0  # likeness to a text of the list that is enough; then nobody else is asked
_V4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_TWOFOLD = re.compile(r"(?=.*[a-zA-Z])[aceghkmnopruxyABCEHIKMOPTXY\d ]+")  # may as well be Cyrillic letters
_QUOTES = str.maketrans(dict.fromkeys("ʻʼ‘’`´*", "'"))


def value(name: str, lines: Sequence[Line], strip: Pixels, language: str) -> str | None:
    """The text of one of NUMBERS, NAMES and LISTS from its looks, or None; `language` is the dialog's: en, ru, uz."""
    if name in NUMBERS:
        return number(lines, strip)
    if name in NAMES:
        return written(lines, strip)
    if name == "transport":
        return transport(lines, strip)
    if name == "public_address":
        return public_address(lines, strip)
    return encryption(lines, strip, language)


def transport(lines: Sequence[Line], strip: Pixels) -> str | None:
    """UDP, TCP, TLS, UDP+TCP or Auto."""
    for looks, far in ((lines, NEAR), (_short(strip), FAR)):
        best = min(TRANSPORTS, key=lambda text: distance(looks, text))
        others = [text for text in TRANSPORTS if text != best]
        if distance(looks, best) < far and lead(looks, best, others) > LEAD:
            return "Auto" if best == "ABTO" else best
    return None


def public_address(lines: Sequence[Line], strip: Pixels) -> str | None:
    """'auto' in any language, or an IPv4 address."""
    if any(
        min(distance(looks, one) for one in AUTOMATIC) < far for looks, far in ((lines, NEAR), (_short(strip), FAR))
    ):
        return "auto"
    text = _likeliest(lines)
    if re.fullmatch(r"[Aa][^\d.:]{2,}", text):
        return "auto"
    sure = min(line.confidence for line in lines) > (0.75 if _agree(lines) else CLEAR)
    return text if _V4.fullmatch(text) and sure else None


def encryption(lines: Sequence[Line], strip: Pixels, language: str) -> str | None:
    """Media Encryption: the language's word for 'Disabled', or one of the two that name SRTP."""
    from rapidfuzz import fuzz

    word = DISABLED.get(language, DISABLED["en"])
    shapes = {"Disabled": "Disabled"} | dict.fromkeys((word, *SEEN_AS.get(word, ())), word)
    shapes |= {one: one for one in SECURED}
    texts = {line.text for line in lines}
    if max(fuzz.ratio(skeleton(shape), skeleton(text)) for shape in shapes for text in texts) < SURELY:
        texts.add(_tesseract(strip)[0])
    likeness = {shape: max(fuzz.ratio(skeleton(shape), skeleton(text)) for text in texts) for shape in shapes}
    best = max(likeness, key=lambda shape: likeness[shape])
    others = max(score for shape, score in likeness.items() if shapes[shape] != shapes[best])
    return shapes[best] if likeness[best] >= ALIKE and likeness[best] - others > 10 else None


def number(lines: Sequence[Line], strip: Pixels) -> str | None:
    """A whole number each digit of which is surer than any other, with none lost before or after it."""
    if min(line.confidence for line in lines) > CERTAIN and _agree(lines):
        looks = list(lines)
    else:
        looks = [*lines, *softer(strip)]
    text = _likeliest(looks).translate(str.maketrans("OolISBZ", "0011582"))
    if not re.fullmatch(r"\d{1,5}", text):
        return None
    digits = "0123456789"
    others = {text[:at] + digit + text[at + 1 :] for at in range(len(text)) for digit in digits} - {text}
    others |= {digit + text for digit in digits} | {text + digit for digit in digits}
    return text if lead(looks, text, sorted(others)) > LEAD else None


def written(lines: Sequence[Line], strip: Pixels) -> str | None:
    """A name in Latin or Cyrillic letters on which both engines agree."""
    text, steady = _likeliest(lines), min(line.confidence for line in lines)
    native = _agree(lines) and max(line.foreign for line in lines) == 0.0
    twofold, bare = bool(_TWOFOLD.fullmatch(text)), text.isdigit()  # of a Cyrillic name only the number may be seen
    latin = native and not twofold and not bare
    if latin and steady > CERTAIN:
        return text or None
    other, confidence = _tesseract(strip)
    if re.search("[А-Яа-яЁё]{2}", other):
        return other if confidence > NATIVE and not latin else None
    same = bool(text) and _bare(other) == _bare(text) and (not twofold or steady > CERTAIN)
    return text if same or (text and latin and steady > CLEAR) else None


def _short(strip: Pixels) -> list[Line]:
    """Two looks at the beginning of a strip alone, as it is and softened."""
    piece = np.ascontiguousarray(strip[:, :SHORT_PX])
    return ocr.read_lines([piece, np.asarray(cv2.GaussianBlur(piece, (0, 0), 2.0), np.uint8)])


def _likeliest(lines: Sequence[Line]) -> str:
    texts = sorted({line.text for line in lines})
    return max(texts, key=lambda text: sum(line.log_likelihood(text) for line in lines) / max(len(text), 1))


def _agree(lines: Sequence[Line]) -> bool:
    return len({line.text for line in lines}) == 1


def _bare(text: str) -> str:
    return text.translate(_QUOTES).replace(" ", "").casefold()


def _tesseract(strip: Pixels) -> tuple[str, float]:
    """What Tesseract reads in a strip, in Latin and Cyrillic, and its confidence in the worst word (0..100)."""
    gray = cv2.copyMakeBorder(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY), 8, 8, 12, 12, cv2.BORDER_REPLICATE)
    found = ocr.words(np.asarray(gray, np.uint8), "rus+eng", 7)
    return " ".join(word.text for word in found).strip(" |[]"), min((word.confidence for word in found), default=0.0)
