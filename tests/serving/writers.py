"""Small decoders for tests: one that has learnt nothing, and some whose text is known before it is written."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from course_utils.bundles.byte_pairs import BytePairs
from course_utils.bundles.decoder import Decoder
from course_utils.bundles.decoder_pass import Network, Shape, drawn

END = "<end>"
CHAT = {"system": ("[", "]"), "user": ("<user>", ""), "assistant": ("<assistant>", END)}
MERGES = [(ord("t"), ord("h")), (256, ord("e")), (257, ord(" ")), (0xC3, 0xA9)]


def tokenizer() -> BytePairs:
    return BytePairs(MERGES, [END, "<user>", "<assistant>"])


def untaught(context: int = 64, *, seed: int = 0, **switches: Any) -> Decoder:
    """Random arrays: what is written is noise, but depends on every token before it."""
    pieces = tokenizer()
    shape = Shape(len(pieces), context, 2, 2, 32, **switches)
    return Decoder(network=Network(shape, drawn(shape, seed, 0.3)), tokenizer=pieces, chat=CHAT, end=END)


def chain(following: Mapping[int, int], context: int = 256, chat: Any = CHAT) -> Decoder:
    """Token after token as ``following`` has it, at any temperature; what is not in it is followed by itself.

    Layers add nothing, so that only the last token counts: its vector, of random signs, is most like the column of the
    head that the next token has.
    """
    pieces = tokenizer()
    shape = Shape(len(pieces), context, 1, 4, 64, untied=True)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (len(pieces), shape.width)).astype(np.float32)
    arrays = drawn(shape)
    for name in ("positions", "0.attention_out", "0.hidden_out"):
        arrays[name] = np.zeros_like(arrays[name])
    head = np.zeros((shape.width, shape.vocabulary), np.float32)
    for token in range(len(pieces)):
        head[:, following.get(token, token)] += 4 * signs[token]
    return Decoder(
        network=Network(shape, arrays | {"embedding": signs, "head": head}), tokenizer=pieces, chat=chat, end=END
    )


def alphabet(context: int = 256, *, ends: bool = False, chat: Any = CHAT) -> Decoder:
    """Behind a letter the next one, behind z an a, or with ``ends`` the end; every assistant begins with an a."""
    letters = b"abcdefghijklmnopqrstuvwxyz"
    following = dict(zip(letters, letters[1:] + letters[:1], strict=True))
    pieces = tokenizer()
    following[pieces.special("<assistant>")] = ord("a")
    if ends:
        following[ord("z")] = pieces.special(END)
    return chain(following, context, chat)


def events(body: bytes) -> list[Any]:
    """The contents of server-sent events; the last is "[DONE]" where the text ended well."""
    found = [part.removeprefix(b"data: ") for part in body.split(b"\n\n") if part]
    return [one.decode() if one == b"[DONE]" else json.loads(one) for one in found]


def streamed(found: list[Any]) -> str:
    """The text of a stream's events, of either shape."""
    choices = [choice for one in found if isinstance(one, dict) for choice in one.get("choices", ())]
    return "".join(choice.get("text") or choice.get("delta", {}).get("content") or "" for choice in choices)
