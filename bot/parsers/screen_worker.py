"""The process that reads pictures: one, started on demand, limited, gone after idling.

A picture is untrusted input for three native libraries, so it is decoded in a process of its own with
a scrubbed environment, a memory limit, CPU seconds a picture and a wall clock; when it dies or hangs
the picture gives no reading and the next one gets a new process.
"""

from __future__ import annotations

import asyncio
import atexit
import importlib.util
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from bot.model import Context, Finding, Kind, Reading

TIMEOUT_S = 10.0
START_S = 20.0  # loading the libraries and models, once
IDLE_S = 120.0  # without a picture for this long the process ends itself
CPU_S = 20  # of processor time a picture
ADDRESS_SPACE_MB = 2500  # virtual: libraries and models are mapped, about 1.5 GB; resident stays under RESIDENT_MB
RESIDENT_MB = 700  # a process that has grown beyond this ends after its answer
# to the C library: tensors of megabytes are given back at once, not kept for the next; at the peak 450 MB, not 600
THRIFT = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": str(4 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)}
ANSWER_MAX = 4 * 1024 * 1024
_HEADER = struct.Struct("!II")  # bytes of JSON, bytes of picture or answer


def available() -> bool:
    """Are the extra `ocr` and Tesseract's languages installed? Imports nothing heavy."""
    if importlib.util.find_spec("cv2") is None or importlib.util.find_spec("numpy") is None:
        return False
    from bot.parsers.screen.ocr import available as engines

    return engines()


class Worker:
    """A handle on the one process; its methods may be called from any thread, one picture at a time."""

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while one runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def read(self, content: bytes, context: Context, timeout_s: float = TIMEOUT_S) -> tuple[Reading, ...]:
        """Readings of a picture; () when nothing is recognised, it takes too long or the process dies."""
        question = {"do": "read", "context": _context_to_json(context)}
        answer = self._ask(question, content, timeout_s)
        if answer is None:
            return ()
        return tuple(_reading_from_json(body) for body in json.loads(answer[0])["readings"])

    def annotate(
        self, content: bytes, reading: Reading, words: Mapping[str, str], timeout_s: float = TIMEOUT_S
    ) -> bytes | None:
        """The picture back with its fields framed (JPEG), or None when it cannot be drawn."""
        question = {"do": "annotate", "reading": _reading_to_json(reading), "words": dict(words)}
        answer = self._ask(question, content, timeout_s)
        return answer[1] or None if answer is not None else None

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._kill()

    def _ask(self, question: Mapping[str, Any], content: bytes, timeout_s: float) -> tuple[bytes, bytes] | None:
        with self._lock:
            for _ in range(2):  # an idle process may end just as it is asked: then once more with a new one
                process, fresh = self._running()
                try:
                    if fresh and _receive(process, time.monotonic() + START_S) is None:
                        self._kill()
                        return None
                    _send(process.stdin, json.dumps(question).encode(), content)
                    answer = _receive(process, time.monotonic() + timeout_s)
                except (OSError, ValueError):
                    answer = None
                if answer is not None:
                    return answer
                ended = process.poll() == 0
                self._kill()
                if fresh or not ended:
                    return None
            return None

    def _running(self) -> tuple[subprocess.Popen[bytes], bool]:
        if self._process is not None and self._process.poll() is None:
            return self._process, False
        self._kill()
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TESSDATA_PREFIX") if name in os.environ}
        root = str(Path(__file__).parent.parent.parent)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bot.parsers.screen_worker", str(self._idle_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=kept
            | THRIFT
            | {"PYTHONPATH": root, "OMP_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "2", "HOME": "/nonexistent"},
            start_new_session=True,
        )
        return self._process, True

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was buffered for a dead process is lost, as it should be
                    continue


_worker = Worker()
atexit.register(_worker.close)


def read(content: bytes, context: Context, timeout_s: float = TIMEOUT_S) -> tuple[Reading, ...]:
    """Readings of a picture by the shared process; () without the extra. Blocks up to timeout_s (more at start)."""
    return _worker.read(content, context, timeout_s) if available() else ()


def annotate(content: bytes, reading: Reading, words: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> bytes | None:
    """The reply picture by the shared process, or None; see bot.parsers.screen.annotate."""
    return _worker.annotate(content, reading, words, timeout_s) if available() else None


async def annotate_async(
    content: bytes, reading: Reading, words: Mapping[str, str], timeout_s: float = TIMEOUT_S
) -> bytes | None:
    """annotate() without blocking the event loop."""
    return await asyncio.to_thread(annotate, content, reading, words, timeout_s)


def _send(pipe: Any, text: bytes, content: bytes) -> None:
    pipe.write(_HEADER.pack(len(text), len(content)) + text + content)
    pipe.flush()


def _receive(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes] | None:
    """One message, or None when the process ends or the deadline (monotonic) passes first."""
    assert process.stdout is not None  # noqa: S101 - opened with PIPE
    head = _exactly(process.stdout.fileno(), _HEADER.size, deadline)
    if head is None:
        return None
    sizes = _HEADER.unpack(head)
    if sum(sizes) > ANSWER_MAX:
        return None
    text = _exactly(process.stdout.fileno(), sizes[0], deadline)
    content = _exactly(process.stdout.fileno(), sizes[1], deadline)
    return None if text is None or content is None else (text, content)


def _exactly(descriptor: int, size: int, deadline: float) -> bytes | None:
    parts = b""
    while len(parts) < size:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return None
        part = os.read(descriptor, size - len(parts))
        if not part:
            return None
        parts += part
    return parts


def _context_to_json(context: Context) -> dict[str, Any]:
    return {
        "host": context.host,
        "sip_port": context.sip_port,
        "expected_ips": sorted(context.expected_ips),
        "extension": context.extension,
    }


def _context_from_json(body: Mapping[str, Any]) -> Context:
    return Context(body["host"], body["sip_port"], frozenset(body["expected_ips"]), body["extension"])


def _reading_to_json(reading: Reading) -> dict[str, Any]:
    return {
        "kind": reading.kind.value,
        "tool": reading.tool,
        "status": reading.status,
        "facts": dict(reading.facts),
        "findings": [finding.to_json() for finding in reading.findings],
    }


def _reading_from_json(body: Mapping[str, Any]) -> Reading:
    findings = tuple(Finding.from_json(finding) for finding in body["findings"])
    return Reading(Kind(body["kind"]), body["tool"], body["status"], body["facts"], findings)


def _limit() -> None:
    """No core dumps, no files, no endless memory; CPU seconds are set anew for every picture."""
    import resource

    megabyte = 1024 * 1024
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_MB * megabyte, ADDRESS_SPACE_MB * megabyte))


def _grant_cpu() -> None:
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime) + CPU_S
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def _serve(source: int, target: BinaryIO, idle_s: float) -> None:
    """The process's life: answer pictures until idle, closed or grown too large."""
    from bot.parsers.screen import read_picture, warm

    warm()
    _send(target, b"{}", b"")
    while True:
        head = _exactly(source, _HEADER.size, time.monotonic() + idle_s)
        if head is None:
            return
        sizes = _HEADER.unpack(head)
        text = _exactly(source, sizes[0], time.monotonic() + TIMEOUT_S)
        content = _exactly(source, sizes[1], time.monotonic() + TIMEOUT_S)
        if text is None or content is None:
            return
        _grant_cpu()
        question = json.loads(text)
        if question["do"] == "annotate":
            from bot.parsers.screen.annotate import annotate as draw

            try:
                drawn = draw(content, _reading_from_json(question["reading"]), question["words"])
            except Exception:  # a picture that cannot be drawn on is answered with none
                drawn = b""
            _send(target, b"{}", drawn)
        else:
            readings = read_picture(content, _context_from_json(question["context"]))
            body = {"readings": [_reading_to_json(reading) for reading in readings]}
            _send(target, json.dumps(body).encode(), b"")
        if _resident_mb() > RESIDENT_MB:
            return


if __name__ == "__main__":
    _limit()
    _serve(sys.stdin.fileno(), sys.stdout.buffer, float(sys.argv[1]))
