"""One spelling for search: Uzbek is written with many apostrophes and in two scripts, people mix them all.

`oʻtmayapti`, `o'tmayapti`, `O‘TMAYAPTI` and `ўтмаяпти` fold to the same letters.
"""

from __future__ import annotations

import unicodedata

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "yo", "ж": "j", "з": "z", "и": "i",
    "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
    "у": "u", "ф": "f", "х": "x", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "",
    "э": "e", "ю": "yu", "я": "ya", "ў": "o", "қ": "q", "ғ": "g", "ҳ": "h",
}  # fmt: skip
_APOSTROPHES = "'`´‘’ʻʼʹʽ′"
_TABLE = str.maketrans({**_CYRILLIC, **dict.fromkeys(_APOSTROPHES, "")})
_VOWELS = frozenset("aeiouаеёиоуўыэюяъь'")


def fold(text: str) -> str:
    """Lower case, one script, no apostrophes, no accents. Any text in; linear."""
    lower = unicodedata.normalize("NFC", text).lower()
    # Cyrillic `е` sounds `ye` at the start of a word and after a vowel: ер → yer, but тел → tel.
    spelled = []
    before = " "
    for letter in lower:
        if letter == "е" and (not before.isalpha() or before in _VOWELS):
            spelled.append("ye")
        else:
            spelled.append(letter)
        before = letter
    plain = unicodedata.normalize("NFD", "".join(spelled).translate(_TABLE))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
