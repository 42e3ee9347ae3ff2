"""Whatever people do and whatever breaks, in whatever order: each message is answered, and nothing is damaged."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.fake_api import FakeApi
from tests.kills import sound, start, unstored

PEOPLE = st.integers(1, 4)


class Delivery(RuleBasedStateMachine):
    """People write, edit and press; the network fails; the bot is killed, stopped and started."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = Path(self.folder.name) / "bot.db"
        self.api = FakeApi().__enter__()
        self.bot: subprocess.Popen[bytes] | None = None
        self.expected: Counter[str] = Counter()  # text of an answer -> how often it may come
        self.sent: list[tuple[int, int]] = []  # person, message
        self.spare = 0  # copies that kills and lost answers excuse

    def text(self) -> str:
        return f"button {len(self.expected)}"

    @initialize()
    def begin(self) -> None:
        self.run()

    @rule()
    def run(self) -> None:
        if self.bot is None:
            self.bot = start(self.api, self.database, "--no-limits")

    @rule(person=PEOPLE)
    def write(self, person: int) -> None:
        text = self.text()
        self.expected[f"echo: {text}"] = 1
        self.sent.append((person, self.api.send_text(person, text)))

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 99))
    def edit(self, which: int) -> None:
        person, message = self.sent[which % len(self.sent)]
        text = self.text()
        self.expected[f"echo: {text}"] = 1
        self.api.edit(person, message, text)

    @rule(person=PEOPLE, times=st.integers(1, 3))
    def press(self, person: int, times: int) -> None:
        known = person in self.api.chats.chats
        shown = [message for message in (self.api.answers(person) if known else []) if message.buttons]
        for _ in range(times if shown else 0):
            data = str(shown[-1].buttons[0][0].data)
            self.expected[f"press: {data}"] += 1  # the same press again may be answered once
            self.api.press(person, shown[-1].message_id, data)

    @rule(
        kind=st.sampled_from(["drop", "drop_after", "status", "garbage", "flood"]),
        method=st.sampled_from(["sendMessage", "getUpdates"]),
    )
    def fail(self, kind: Any, method: str) -> None:
        if not any(fault.times for fault in self.api.faults):
            self.api.fault(kind, method)
            self.spare += 1

    @precondition(lambda self: self.bot is not None)
    @rule(how=st.sampled_from([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]), answers=st.integers(0, 3))
    def end(self, how: signal.Signals, answers: int) -> None:
        assert self.bot is not None
        enough = min(self.answered().total() + answers, len(self.expected))
        with contextlib.suppress(TimeoutError):  # a fault may delay it
            self.api.wait_for(lambda: self.answered().total() >= enough, 2)
        self.bot.send_signal(how)
        status, self.bot = self.bot.wait(40), None
        assert status in (0, -how)  # Python itself may not be up yet
        self.spare += 16 if status else 0

    def answered(self) -> Counter[str]:
        return Counter(call.params["text"] for call in self.api.calls("sendMessage") if call.ok)

    @invariant()
    def confirmed_means_stored(self) -> None:
        assert (unstored(self.api, self.database) if self.bot is None else 0) == 0

    def teardown(self) -> None:
        try:
            self.run()
            self.write(1)  # once it is answered, the bot is up
            assert self.bot is not None
            self.api.wait_for(lambda: set(self.answered()) == set(self.expected), 60)
            self.bot.send_signal(signal.SIGTERM)
            assert self.bot.wait(40) == 0
            excess = self.answered() - self.expected
            assert (excess.total() <= self.spare, sound(self.database)) == (True, True), excess
            assert unstored(self.api, self.database) == 0
        finally:
            if self.bot is not None and self.bot.poll() is None:
                self.bot.kill()
                self.bot.wait()
            self.api.__exit__()
            self.folder.cleanup()


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(  # a short run; more examples by hand
    max_examples=3, stateful_step_count=12, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
