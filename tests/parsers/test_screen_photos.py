"""A camera's picture is told from a screenshot, and the waves of its moire are taken away."""

from __future__ import annotations

import pytest

pytest.importorskip("cv2")

import cv2
import numpy as np

from bot.parsers.screen.ocr import Grid, Pixels
from bot.parsers.screen.photos import GRAIN, grain, still

SIZE = (480, 640)


def _dialog() -> Pixels:
    """Fields with text on a plain ground."""
    drawn: Pixels = np.full((*SIZE, 3), 200, np.uint8)
    for top in range(40, 440, 40):
        cv2.rectangle(drawn, (200, top), (420, top + 26), (122, 122, 122), 1)
        cv2.putText(drawn, "call.soundz.uz", (206, top + 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1)
    return drawn


def _waves(strength: float) -> Grid:
    down, across = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    return np.asarray(strength * np.sin(2 * np.pi * (0.11 * across + 0.17 * down)), np.float32)


def test_a_screenshot_has_no_grain_and_a_camera_has() -> None:
    noise = np.random.default_rng(1).normal(0, 2, (*SIZE, 3))
    taken = np.clip(_dialog() + noise, 0, 255).astype(np.uint8)
    assert [grain(one) > GRAIN for one in (_dialog(), taken)] == [False, True]


def test_waves_are_put_out_and_letters_stay() -> None:
    plain = _dialog()
    calm = still(np.rint(plain + _waves(14)[..., None]).astype(np.uint8))
    away = np.abs(calm.astype(np.float32) - plain)[20:-20, 20:-20]  # of 160 between paper and ink; the waves' own is 9
    letters = plain[20:-20, 20:-20] < 100
    assert [float(away[letters].mean()) < 16, float(away[~letters].mean()) < 3] == [True, True]
