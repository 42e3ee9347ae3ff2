"""The words people read: one TOML file a language, MicroSIP's own labels beside it. No code needed to edit them.

Filled-in values are escaped here, in one place: `html` for message texts, `plain` for button texts and captions
of pictures. `{l_save}` in a template is MicroSIP's label `save` as it stands on the reader's own screen.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from markupsafe import Markup, escape

LANGUAGES: tuple[str, ...] = ("uz",)
UI_LANGUAGES = ("en", "ru", "ru_old", "uz")  # of MicroSIP itself; ru_old is the older Russian pack
_PACKAGE = "messages"


class Catalogue:
    """The texts of one language. A missing key raises KeyError, which the tests make impossible."""

    def __init__(self, language: str, texts: Mapping[str, str], labels: Mapping[str, Mapping[str, str]]) -> None:
        self.language = language
        self._texts = texts
        self._labels = labels

    def __contains__(self, key: object) -> bool:
        """Whether there is a text under this dotted key."""
        return key in self._texts

    def __iter__(self) -> Iterator[str]:
        """Every dotted key."""
        return iter(self._texts)

    def raw(self, key: str) -> str:
        """The template as written."""
        return self._texts[key]

    def blanks(self, key: str) -> set[str]:
        """The names a text must be given; MicroSIP's labels fill themselves in."""
        return {name for name in _blanks(self._texts[key]) if not name.startswith("l_")}

    def html(self, key: str, /, ui: str | None = None, **values: Any) -> Markup:
        """A text ready for Telegram's HTML: the template's own tags stay, every value is escaped."""
        template = self._texts[key].strip()
        filled: dict[str, Any] = {}
        for name in _blanks(template):
            filled[name] = self.label(name[2:], ui) if name.startswith("l_") else values[name]
        return Markup(template).format(**filled)  # noqa: S704 - our own template; format escapes what is filled in

    def plain(self, key: str, /, ui: str | None = None, **values: Any) -> str:
        """A text without markup, for buttons and captions that are not parsed."""
        template = self._texts[key].strip()
        filled: dict[str, Any] = {}
        for name in _blanks(template):
            filled[name] = self.bare_label(name[2:], ui) if name.startswith("l_") else values[name]
        return template.format(**filled)

    def has_label(self, name: str) -> bool:
        """Whether MicroSIP has a label of this name."""
        return name in self._labels

    def bare_label(self, name: str, ui: str | None) -> str:
        """The same without quotes and markup, for a button; Russian and English when the language is unknown."""
        texts = self._labels[name]
        if ui in UI_LANGUAGES:
            return _in(texts, ui)
        return texts["en"] if texts["ru"] == texts["en"] else f"{_first(texts['ru'])} / {_first(texts['en'])}"

    def label(self, name: str, ui: str | None) -> Markup:
        """MicroSIP's label in the language of the reader's MicroSIP; in Russian and English when that is unknown."""
        texts = self._labels[name]
        if ui in UI_LANGUAGES:
            return Markup("<b>{}</b>").format(_quoted(texts, ui))
        if texts["ru"] == texts["en"]:
            return Markup("<b>{}</b>").format(_quoted(texts, "en"))
        return Markup("<b>{}</b> ({})").format(_quoted(texts, "ru"), _quoted(texts, "en"))


def _first(label: str) -> str:
    """Of a label that changed between versions, the newest."""
    return label.split(" / ")[0]


def _quoted(texts: Mapping[str, str], ui: str) -> Markup:
    left, right = ("«", "»") if ui.startswith("ru") else ("“", "”")
    return escape(f"{left}{_in(texts, ui)}{right}")


def _in(texts: Mapping[str, str], ui: str) -> str:
    """A label in one of UI_LANGUAGES; the older Russian pack has its own only where it differs."""
    return texts[ui] if ui in texts else texts[ui[:2]]


def _blanks(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((files(_PACKAGE) / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def load(language: str) -> Catalogue:
    """The catalogue of a language; of Uzbek for one we do not speak."""
    spoken = language if language in LANGUAGES else LANGUAGES[0]
    return Catalogue(spoken, dict(_flatten(_table(spoken))), _table("labels"))
