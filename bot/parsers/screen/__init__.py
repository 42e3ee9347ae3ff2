"""What does a picture show? A MicroSIP dialog's settings, or a terminal's text.

A screenshot or a phone's photo of the Account or Settings dialog gives its fields and check boxes; a
picture of a console gives the readings of its text. Runs inside the worker only (screen_worker).
"""

from __future__ import annotations

from bot.model import Context, Reading


def read_picture(content: bytes, context: Context) -> tuple[Reading, ...]:
    """Readings of a picture's bytes; () when nothing is recognised. Never raises."""
    try:
        from bot.parsers.screen.reader import read

        return read(content, context)
    except Exception:  # a picture is untrusted input for three native libraries: no reading, no crash
        return ()


def warm() -> None:
    """Loads the libraries and models before the first picture. May raise when one is missing."""
    from bot.parsers.screen import ocr

    ocr.load()
