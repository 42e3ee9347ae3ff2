"""Who may enter the review page? A pass: a few words about a member of the staff, signed, valid for a while.

The bot signs a pass into a link (`/web`), the review page reads it. Both know one key, which lies in DATA_DIR and
never leaves it.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

Purpose = Literal["link", "session"]
LINK_VALID = timedelta(minutes=5)
KEY_BYTES = 32
_KEY_FILE = "web.key"


@dataclass(frozen=True, slots=True)
class Pass:
    """One person's way in. `nonce` makes it one of its kind, so that it can be used up."""

    user_id: int
    name: str
    nonce: str
    until: datetime


def key_of(data_dir: Path) -> bytes:
    """The installation's key, made at the first call, readable by its owner alone. Raises OSError.

    The bot and the review page start together, also after a power cut that left half a key: one makes it, both read it.
    """
    path = data_dir / _KEY_FILE
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = os.open(data_dir, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not path.exists() or path.stat().st_size != KEY_BYTES:  # an empty key would open to everybody
            half = path.with_name(f"{_KEY_FILE}.half")
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
        return path.read_bytes()
    finally:
        os.close(folder)


def new_pass(user_id: int, name: str, valid: timedelta = LINK_VALID) -> Pass:
    """A pass that nobody has had before."""
    return Pass(user_id, name, secrets.token_urlsafe(16), datetime.now(UTC) + valid)


def sealed(key: bytes, purpose: Purpose, held: Pass) -> str:
    """The pass as a word for a link or a cookie; only who has the key can make one (HMAC-SHA256)."""
    body = json.dumps([held.user_id, held.name, held.nonce, held.until.timestamp()], ensure_ascii=False).encode()
    return f"{_encoded(body)}.{_encoded(_seal(key, purpose, body))}"


def opened(key: bytes, purpose: Purpose, word: str) -> Pass | None:
    """The pass in a word; None when it was not sealed with this key for this purpose, or its time is over."""
    try:
        body, seal = (_decoded(part) for part in word.split("."))
        if not hmac.compare_digest(seal, _seal(key, purpose, body)):
            return None
        user_id, name, nonce, until = json.loads(body)
    except (ValueError, binascii.Error):
        return None
    held = Pass(user_id, name, nonce, datetime.fromtimestamp(until, UTC))
    return held if held.until > datetime.now(UTC) else None


def derived(key: bytes, purpose: str) -> bytes:
    """A key for one purpose, from which the installation's key cannot be told."""
    return hmac.new(key, purpose.encode(), hashlib.sha256).digest()


def _seal(key: bytes, purpose: Purpose, body: bytes) -> bytes:
    return hmac.new(derived(key, purpose), body, hashlib.sha256).digest()


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode("ascii").rstrip("=")


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4))
