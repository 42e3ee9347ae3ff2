"""The two engines that read letters: what is written here, and how likely is it that *this* is written here?

Tesseract (rus+eng) finds words anywhere on a picture; the PP-OCR recogniser inside the `rapidocr`
wheel reads one line and can say how well a given string explains its pixels (CTC likelihood).
Nothing is ever downloaded: a missing model makes `available()` False.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np

Pixels: TypeAlias = Any  # a NumPy array of bytes: (height, width, 3) blue, green, red, or (height, width) grey
Grid: TypeAlias = Any  # a NumPy array of numbers

TESSDATA = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata", "/usr/share/tessdata")
DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
LINE_HEIGHT = 48  # pixels, what the recogniser was trained on
BATCH_PX = 1600  # summed widths read at once: the output has 18 710 columns, so this bounds the memory
ALPHABET = "".join(chr(code) for code in range(33, 127))


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its box (left, top, right, bottom, in pixels of the scanned picture)."""

    text: str
    box: tuple[float, float, float, float]
    confidence: float  # 0..100
    line: int  # words of one line share it


@dataclass(frozen=True, slots=True)
class Line:
    """What the recogniser saw in one line: log probabilities per step over blank + ALPHABET + space."""

    log_probs: Grid
    foreign: float = 0.0  # share of the steps where the recogniser saw a letter outside ALPHABET

    @property
    def text(self) -> str:
        """The most likely text."""
        best = self.log_probs.argmax(1)
        letters = [_SYMBOLS[b] for a, b in zip([-1, *best[:-1]], best, strict=True) if a != b and b]
        return "".join(letters).strip()

    @property
    def places(self) -> list[float]:
        """Where each letter of `text` is, as fractions 0..1 of the line's width."""
        best = self.log_probs.argmax(1)
        steps = [i for i, (a, b) in enumerate(zip([-1, *best[:-1]], best, strict=True)) if a != b and b]
        raw = "".join(_SYMBOLS[best[i]] for i in steps)
        first = len(raw) - len(raw.lstrip())
        return [(i + 0.5) / len(best) for i in steps[first : first + len(raw.strip())]]

    @property
    def confidence(self) -> float:
        """The mean probability of the letters chosen, 0..1; 1 for an empty line."""
        best = self.log_probs.argmax(1)
        chosen = self.log_probs.max(1)[best > 0]
        return float(np.exp(chosen).mean()) if chosen.size else 1.0

    def log_likelihood(self, text: str) -> float:
        """log P(text | pixels) summed over all alignments (CTC forward pass)."""
        return float(self.log_likelihoods([text])[0])

    def log_likelihoods(self, texts: Sequence[str]) -> Grid:
        """log_likelihood() of many texts at once; -1e9 for a text outside of ALPHABET."""
        known = [all(letter in _SYMBOLS for letter in text) for text in texts]
        rows = [
            [_SYMBOLS.index(letter) for letter in text] if ok else [] for text, ok in zip(texts, known, strict=True)
        ]
        width = 2 * max(len(row) for row in rows) + 1
        symbols: Grid = np.zeros((len(rows), width), np.intp)
        for index, row in enumerate(rows):
            symbols[index, 1 : 2 * len(row) : 2] = row
        skip: Grid = np.zeros_like(symbols, bool)
        skip[:, 2:] = (symbols[:, 2:] != 0) & (symbols[:, 2:] != symbols[:, :-2])
        emitted = self.log_probs[:, symbols]
        alpha: Grid = np.full(symbols.shape, -1e9, np.float32)
        alpha[:, :2] = emitted[0][:, :2]
        one, two = np.full_like(alpha, -1e9), np.full_like(alpha, -1e9)
        for step in emitted[1:]:
            one[:, 1:], two[:, 2:] = alpha[:, :-1], alpha[:, :-2]
            alpha = np.logaddexp(np.logaddexp(alpha, one), np.where(skip, two, -1e9)).astype(np.float32) + step
        ends = 2 * np.array([len(row) for row in rows])
        at = np.arange(len(rows))
        total = np.logaddexp(alpha[at, ends], np.where(ends > 0, alpha[at, np.maximum(ends - 1, 0)], -1e9))
        return np.where(known, total, -1e9)


_SYMBOLS = ["", *ALPHABET, " "]


def _model(name: str) -> Path | None:
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations)), "models", name)
    return path if path.is_file() else None


def tessdata() -> str | None:
    """The folder that holds rus and eng, or None."""
    for folder in (os.environ.get("TESSDATA_PREFIX", ""), *TESSDATA):
        if folder and all(Path(folder, f"{code}.traineddata").is_file() for code in ("rus", "eng")):
            return folder
    return None


def available() -> bool:
    """Are all engines and models on this machine? Imports nothing heavy."""
    modules = ("tesserocr", "onnxruntime", "cv2", "numpy", "PIL", "rapidfuzz")
    return (
        all(importlib.util.find_spec(module) for module in modules)
        and tessdata() is not None
        and all(_model(name) is not None for name in (DETECTOR, RECOGNISER))
    )


@lru_cache(maxsize=4)
def _tesseract(languages: str, mode: int) -> Any:
    import tesserocr

    return tesserocr.PyTessBaseAPI(path=tessdata(), lang=languages, psm=mode, oem=tesserocr.OEM.LSTM_ONLY)


def words(gray: Pixels, languages: str = "rus+eng", mode: int = 11) -> list[Word]:
    """Words of a grey picture. `mode` is Tesseract's page segmentation: 11 sparse, 6 block, 7 line."""
    import tesserocr

    api = _tesseract(languages, mode)
    height, width = gray.shape
    api.SetImageBytes(np.ascontiguousarray(gray).tobytes(), width, height, 1, width)
    api.SetSourceResolution(150)
    found: list[Word] = []
    if not api.Recognize():
        return found
    line, level = 0, tesserocr.RIL.WORD
    for item in tesserocr.iterate_level(api.GetIterator(), level):
        if item.IsAtBeginningOf(tesserocr.RIL.TEXTLINE):
            line += 1
        box = item.BoundingBox(level)
        if box and not item.Empty(level):
            text = item.GetUTF8Text(level).strip()
            if text:
                found.append(
                    Word(
                        text, (float(box[0]), float(box[1]), float(box[2]), float(box[3])), item.Confidence(level), line
                    )
                )
    api.Clear()
    return found


def session(name: str) -> Any:
    """An inference session over a model file of the rapidocr wheel."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # the detector's activations sink below 1e-38, where a processor is a hundred times slower: 0.27 s became 0.09 s
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.enable_cpu_mem_arena = False  # memory is given back between pictures
    return onnxruntime.InferenceSession(str(_model(name)), options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=1)
def _recogniser() -> tuple[Any, str, Grid]:
    model = session(RECOGNISER)
    letters = model.get_modelmeta().custom_metadata_map["character"].split("\n")
    columns = [0, *(letters.index(letter) + 1 for letter in ALPHABET), len(letters) + 1]
    return model, model.get_inputs()[0].name, np.array(columns)


def read_lines(crops: Sequence[Pixels], stretch: float = 1.0) -> list[Line]:
    """One Line for each crop (BGR, a single line of text); `stretch` widens before reading.

    Crops are read in one batch padded to the widest, so that many small boxes cost little.
    """
    if not crops:
        return []
    model, name, columns = _recogniser()
    widths = [max(24, round(crop.shape[1] * LINE_HEIGHT * stretch / crop.shape[0])) for crop in crops]
    lines: list[Line | None] = [None] * len(crops)
    order = sorted(range(len(crops)), key=lambda index: widths[index])
    while order:
        batch = [order.pop(0)]
        while order and widths[order[0]] <= widths[batch[0]] * 1.35 and widths[order[0]] * len(batch) < BATCH_PX:
            batch.append(order.pop(0))
        widest = max(widths[index] for index in batch)
        tensor = np.zeros((len(batch), 3, LINE_HEIGHT, widest), np.float32)
        for row, index in enumerate(batch):
            size = (widths[index], LINE_HEIGHT)
            how = cv2.INTER_AREA if crops[index].shape[0] > LINE_HEIGHT else cv2.INTER_CUBIC
            scaled = cv2.resize(crops[index], size, interpolation=how).astype(np.float32) / 127.5 - 1
            tensor[row, :, :, : widths[index]] = scaled.transpose(2, 0, 1)
            if widths[index] < widest:  # go on in the paper's colour instead of a hard edge
                tensor[row, :, :, widths[index] :] = np.median(scaled[:, -3:], axis=(0, 1))[:, None, None]
        probs = model.run(None, {name: tensor})[0][:, :, columns]
        for row, index in enumerate(batch):
            steps = max(1, round(probs.shape[1] * widths[index] / widest))
            kept = probs[row, :steps] / np.maximum(probs[row, :steps].sum(1, keepdims=True), 1e-6)
            foreign = float((probs[row, :steps].sum(1) < 0.5).mean())
            lines[index] = Line(np.log(np.maximum(kept, 1e-7)).astype(np.float32), foreign)
    return [line for line in lines if line is not None]


def load() -> None:
    """Loads every engine: about half a second."""
    from bot.parsers.screen import spots

    _recogniser()
    spots.load()
    _tesseract("rus+eng", 7)
