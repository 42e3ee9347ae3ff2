"""A person comes to the bot with a fault on the way or in the filters of the PBX's host: real ones, on real parts."""

from __future__ import annotations

import pytest

from tests.faultlab.lab import Lab
from tests.faultlab.stories import Story, of, play
from tests.running import RunningBot


@pytest.mark.parametrize("story", of("faults_path", "faults_filter"))
def test_the_cause_is_found_and_who_has_to_act_is_told(lab: Lab, bot: RunningBot, story: Story) -> None:
    assert play(lab, bot, story) == story.end
