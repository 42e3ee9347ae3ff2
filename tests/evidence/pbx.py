"""What the PBX writes into its log meanwhile: the user's requests, other people's, and its own business."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.evidence.scene import NAME, Scene

_COLOURS = {"info": "\x1b[32minfo\x1b[39m", "warn": "\x1b[33mwarn\x1b[39m", "error": "\x1b[31merror\x1b[39m"}
STYLES = ("coloured", "plain", "prefixed", "winston")


@dataclass(slots=True)
class Log:
    """The log while it is written. `style` is how it was copied: pm2's file, its stream, or winston's own."""

    scene: Scene
    style: str
    now: datetime
    lines: list[str] = field(default_factory=list)

    def say(self, words: str, level: str = "info") -> None:
        stamp = f"{self.now:%Y-%m-%d %H:%M:%S}"
        if self.style == "winston":
            self.lines.append(
                json.dumps(
                    {"level": level, "message": words, "service": "pbx-system", "timestamp": stamp},
                    ensure_ascii=False,
                    separators=(",", ":"),
                )
            )
            return
        shown = _COLOURS[level] if self.style == "coloured" else level
        self._put(f"{stamp} +05:00: {stamp} {shown}: {words}")

    def _put(self, line: str) -> None:
        self.lines.append(f"0|pbx-system  | {line}" if self.style == "prefixed" else line)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def packet(self, peer: str, length: int) -> None:
        self.say(f"[SIP] Received message from {peer}")
        if self.style != "winston":
            self._put(
                f"{self.now:%Y-%m-%d %H:%M:%S} +05:00: [SIP DEBUG] Received UDP packet from {peer}, length: {length}"
            )

    def request(self, peer: str, length: int = 513, host: str = NAME) -> None:
        self.packet(peer, length)
        self.say(f"[SIP] Request: REGISTER sip:{host} SIP/2.0")
        self.say(f"[SIP] Processing REGISTER from {peer}")

    def answer(self, peer: str, *, blocked: bool = False) -> None:
        self.say(f"[SIP] Sending response to {peer}")
        if blocked:
            self.say(f"[SIP] Error sending response to {peer}: send EPERM {peer}", "error")
        else:
            self.say(f"[SIP] Response sent successfully to {peer}")

    def challenge(self, peer: str, number: str, *, host: str = NAME, blocked: bool = False) -> None:
        self.request(peer, host=host)
        self.say(f"[SIP] Sending 401 challenge for {number} to {peer}")
        self.answer(peer, blocked=blocked)

    def refuse(self, peer: str, number: str, why: list[str], *, host: str = NAME) -> None:
        self.challenge(peer, number, host=host)
        self.request(peer, 754, host)
        for words in why:
            self.say(words, "warn")
        self.say(f"Authentication failed for {number}", "warn")
        self.say(f"[SIP] Sending response 403 Forbidden to {peer}")
        self.answer(peer)

    def register(self, peer: str, number: str, *, copies: int = 1) -> None:
        for _ in range(copies):
            self.challenge(peer, number)
            self.wait(0.4 if copies > 1 else 0)
        for _ in range(copies):
            self.request(peer, 755)
            self.say(f"[SIP] Sending response to {peer}")
            self.say(f"Extension {number} registered from {peer}")
            self.say(f"[SIP] Response sent successfully to {peer}")
            self.wait(0.4 if copies > 1 else 0)

    def keep_alive(self, peer: str) -> None:
        self.packet(peer, 2)
        self.say("[SIP] Empty request line", "warn")

    def start(self) -> None:
        for words in (
            "SIP Registrar started on 0.0.0.0:5060",
            "[SIP] Starting trunk registration...",
            "SIP Trunk Manager listening on port 5061",
            "Database connected successfully",
            "Registering trunk for DID 998781130000...",
            "SIP Trunk Manager initialized with 1 trunks",
            "[SIP] Registering with trunk bell.uz (81.95.237.38):5060 as 998781130000",
            "Loading 12 extensions on startup...",
            "PBX System server started on 0.0.0.0:3005",
        ):
            self.say(words)

    def stop(self) -> None:
        for words in ("SIGINT received, shutting down gracefully", "SIP Registrar stopped", "HTTP server closed"):
            self.say(words)

    def others(self) -> None:
        """Other people's packets, where the scene has some; the web page's requests."""
        self.say(self.scene.chance.choice(("GET /api/v1/extensions", "GET /health", "GET /api/v1/sip-status/trunks")))
        if self.scene.others:
            number, ip, port = self.scene.others
            self._served(number, f"{ip}:{port}")

    def _served(self, number: str, peer: str) -> None:
        match self.scene.chance.choice(("keep-alive", "keep-alive", "registered", "denied", "unknown")):
            case "registered":
                self.register(peer, number)
            case "denied":
                self.refuse(peer, number, [f"Digest auth verification failed for {number}"])
            case "unknown":
                self.request(peer)
                self.say(f"Extension not found or disabled: {number}", "warn")
                self.say(f"[SIP] Sending response 404 Not Found to {peer}")
                self.answer(peer)
            case _:
                self.keep_alive(peer)

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def log_of(scene: Scene, style: str | None = None) -> Log:
    """An empty log that begins half a minute before the phone does."""
    return Log(scene, style or scene.chance.choice(STYLES), scene.began - timedelta(seconds=30))


def watched(scene: Scene) -> Log:
    """A log of the time in question with everything but the user."""
    log = log_of(scene)
    if scene.chance.random() < 0.3:
        log.start()
    log.others()
    log.wait(31)
    return log


def peer_of(scene: Scene) -> str:
    """The user's socket as the PBX sees it."""
    return f"{scene.public_ip}:{scene.port}"
