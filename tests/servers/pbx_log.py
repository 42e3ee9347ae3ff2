"""The PBX's log, written line by line as the real one writes it: into pm2's file, and into winston's.

Measured on the real PBX: the lines in their order, a line's level in colour, two stamps by pm2, JSON by winston.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

HOST, IP, PORT = "pbx.example", "203.0.113.7", 57705
WRONG = (
    "warn: Digest auth verification failed for {ext}",
    "warn: Authentication failed for {ext}",
    "info: [SIP] Sending response 403 Forbidden to {where}",
)
LOST = (
    "warn: SIP password not available for extension {ext}. Password may need to be reset.",
    "warn: Could not retrieve password for extension {ext}. Please reset the password.",
    "warn: Authentication failed for {ext}",
    "info: [SIP] Sending response 403 Forbidden to {where}",
)
MISMATCH = ("warn: Username mismatch: admin != {ext}", *WRONG[1:])
GOOD = ("info: [SIP] Sending response to {where}", "info: Extension {ext} registered from {where}")
UNKNOWN = ("warn: Extension not found or disabled: {ext}", "info: [SIP] Sending response 404 Not Found to {where}")
TOO_LONG = (
    "error: Error in handleRegister: value too long for type character varying(255)",
    "info: [SIP] Sending response 500 Internal Server Error to {where}",
)
NO_DATABASE = (
    "error: Error in handleRegister: connect ECONNREFUSED 127.0.0.1:5432",
    "info: [SIP] Sending response 500 Internal Server Error to {where}",
)
CHALLENGE = ("info: [SIP] Sending 401 challenge for {ext} to {where}", "info: [SIP] Sending response to {where}")
UNNAMED = (
    "warn: No username found in From header",
    "info: [SIP] Sending response 400 Bad Request to {where}",
)


class Log:
    """The PBX's two logs: pm2's file, and winston's where `json` is given."""

    def __init__(self, folder: Path) -> None:
        self.out, self.combined = folder / "pm2-out.log", folder / "combined.log"
        self.out.touch()

    def write(self, *messages: str, json_too: bool = False, out_too: bool = True) -> None:
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        for message in messages:
            level, _, text = message.partition(": ")
            if out_too:
                with self.out.open("a") as log:
                    lines = f"{at} \x1b[32m{level}\x1b[39m: {text}".split("\n")
                    log.writelines(f"{at} +00:00: {line}\n" for line in lines)
            if json_too:
                record = {"level": level, "message": text, "service": "pbx-system", "timestamp": at}
                with self.combined.open("a") as log:
                    log.write(json.dumps(record, separators=(",", ":")) + "\n")

    def register(
        self, *answer: str, ext: str = "1002", ip: str = IP, port: int = PORT, host: str = HOST, **how: bool
    ) -> None:
        """One REGISTER packet and what the PBX wrote about it."""
        where = f"{ip}:{port}"
        self.write(
            f"info: [SIP] Received message from {where}",
            f"info: [SIP] Request: REGISTER sip:{host} SIP/2.0",
            f"info: [SIP] Processing REGISTER from {where}",
            *(line.format(ext=ext, where=where) for line in answer),
            **how,
        )
