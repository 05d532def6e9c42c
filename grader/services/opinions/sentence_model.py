"""A second opinion from a sentence model in ONNX: the nearness of sentences to statements."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.checks.answers.parts import split_sentences
from grader.domain.opinion import Opinion
from grader.domain.rubric import Concept
from grader.errors import SetupIncomplete
from grader.services.opinions.gather import Asked, make_opinion

MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
_MOST_TOKENS = 256  # of a sentence
_MOST_SENTENCES = 64
_BATCH = 16
# Cosines from which a concept counts as said, or as partly said.
_FULL = 0.6
_HALF = 0.45

Vectors = NDArray[np.float32]


class SentenceModel:
    """A folder with `model.onnx` and `tokenizer.json`, as sentence-transformers exports them.

    The model gives a vector for each token (they are averaged), or one for each sentence. One thread, so
    that equal answers get equal points. Raises `SetupIncomplete` where it cannot be loaded.
    """

    source = "sentences"

    def __init__(self, folder: Path) -> None:
        runtime, tokenizers = _import("onnxruntime"), _import("tokenizers")
        try:
            data = (folder / MODEL).read_bytes()
            options = runtime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self._session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
            self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # both libraries raise their own, and bare ones
            raise SetupIncomplete(
                f"the sentence model in {folder} cannot be loaded ({error}): set GRADER_SENTENCE_MODEL to a "
                f"folder with {MODEL} and {TOKENIZER}, or unset it."
            ) from None
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        self._tokenizer.enable_padding()
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        self.model = f"{folder.name} {hashlib.sha256(data).hexdigest()[:12]}"
        self._embed_known = lru_cache(maxsize=256)(self._embed)

    def points(self, asked: Asked, seconds: float) -> Opinion:
        """Points by the nearest statement of each concept, unless a misconception is nearer."""
        del seconds  # milliseconds a sentence
        parts = len({concept.subquestion for concept in asked.item.concepts} - {None})
        pieces = split_sentences(asked.answer, parts)[:_MOST_SENTENCES]
        sentences = tuple(asked.answer[piece.start : piece.end] for piece in pieces)
        concepts = asked.item.concepts
        total = sum(concept.points for concept in concepts)
        earned = 0.0
        if sentences:
            said = self._embed(sentences)
            earned = sum(concept.points * self._level(concept, said) for concept in concepts)
        prompt = [list(sentences), [[list(c.statements), list(c.misconceptions)] for c in concepts]]
        return make_opinion(self, asked, prompt, share=round(earned / total, 4) if total else None)

    def _level(self, concept: Concept, said: Vectors) -> float:
        stated = self._nearest(concept.statements, said)
        if stated < _HALF or self._nearest(concept.misconceptions, said) > stated:
            return 0.0
        return 1.0 if stated >= _FULL else 0.5

    def _nearest(self, texts: Sequence[str], said: Vectors) -> float:
        return float((self._embed_known(tuple(texts)) @ said.T).max()) if texts else -1.0

    def _embed(self, sentences: tuple[str, ...]) -> Vectors:
        """One vector of length 1 for each sentence."""
        batches = [self._run(sentences[start : start + _BATCH]) for start in range(0, len(sentences), _BATCH)]
        vectors = np.concatenate(batches)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        result: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
        return result

    def _run(self, sentences: Sequence[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(list(sentences))
        fed: dict[str, Any] = {
            "input_ids": np.array([one.ids for one in encoded], np.int64),
            "attention_mask": np.array([one.attention_mask for one in encoded], np.int64),
            "token_type_ids": np.array([one.type_ids for one in encoded], np.int64),
        }
        found = self._session.run(None, {name: fed[name] for name in self._inputs})[0]
        if found.ndim == 3:
            mask = fed["attention_mask"][:, :, None]
            found = (found * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
        vectors: Vectors = found
        return vectors


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SetupIncomplete(
            f"a sentence model needs {name}: pip install 'notebook-grader[sentences]', or unset "
            "GRADER_SENTENCE_MODEL."
        ) from None
