"""A decoder in a bundle: arrays, byte pairs and the form in which it was taught to read a conversation."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from course_utils.bundles.byte_pairs import BytePairs
from course_utils.bundles.decoder_pass import Cache, Network, Shape
from course_utils.bundles.models import Model, from_card, read_arrays
from course_utils.bundles.sampling import choose
from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    import keras

ROLES = ("system", "user", "assistant")
SWITCHES = ("rotary", "normalised", "squared", "pairs", "plain", "untied")  # of `Shape` and of the recipe's design
PLAIN = {role: ("", "\n") for role in ROLES}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Decoder(Model):
    """A network that writes on: text in, text out.

    ``chat`` has for each of `ROLES` what stands before and behind a message in the text that the network reads; names
    of special tokens in it mean these tokens, in a message they do not. ``end`` is the special token behind a text
    ("": none). Raises CourseError where network, tokenizer and ``end`` do not belong together.
    """

    kind: ClassVar[str] = "decoder"
    files: ClassVar[tuple[str, ...]] = ("weights.npz", "tokenizer.json")
    inputs: ClassVar[str] = "prompts"
    class_names: tuple[str, ...] = ()
    network: Network
    tokenizer: BytePairs
    chat: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=lambda: PLAIN)
    end: str = ""

    def __post_init__(self) -> None:
        if len(self.tokenizer) != self.network.shape.vocabulary:
            raise CourseError(
                say(
                    "The tokenizer has {found:,} tokens, the network {wanted:,}; expected is the tokenizer that the "
                    "network was trained with.",
                    found=len(self.tokenizer),
                    wanted=self.network.shape.vocabulary,
                )
            )
        if self.end and self.end not in self.tokenizer.specials:
            raise CourseError(
                say(
                    "The token {name!r}, which ends a text, is none of the tokenizer's special tokens ({known}).",
                    name=self.end,
                    known=", ".join(self.tokenizer.specials) or "–",
                )
            )
        if set(self.chat) != set(ROLES):
            raise CourseError(
                say("The form of a conversation must name exactly the roles {roles}.", roles=", ".join(ROLES))
            )

    @classmethod
    def of(cls, network: "keras.Model", tokenizer: BytePairs, **more: Any) -> "Decoder":
        """From a decoder of ``recipes.decoder``; ``more`` are the fields ``chat``, ``end`` and ``language``."""
        shape, arrays = from_keras(network)
        return cls(network=Network(shape, arrays), tokenizer=tokenizer, **more)

    @property
    def end_token(self) -> int | None:
        """The number of the token that ends a text."""
        return self.tokenizer.special(self.end) if self.end else None

    def prompt(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        """The tokens of a conversation, (role, content) each, up to where the assistant's next message begins."""
        found: list[int] = []
        for role, content in messages:
            before, behind = self.chat[role]
            found += self.tokenizer.encode_marked(before)
            found += self.tokenizer.encode(content)
            found += self.tokenizer.encode_marked(behind)
        return found + self.tokenizer.encode_marked(self.chat["assistant"][0])

    def write_on(
        self, prompt: Sequence[int], most: int, *, temperature: float = 0.0, top_p: float = 1.0, seed: int | None = None
    ) -> list[int]:
        """At most ``most`` tokens that come behind a prompt of at least one token, as `choose` takes them.

        Stops behind the token that ends a text, and where the context is full.
        """
        cache, generator = Cache(self.network.shape, 1), np.random.default_rng(seed)
        written: list[int] = []
        unread, start = np.array([prompt]), 0
        while len(written) < min(most, self.network.shape.context - len(prompt)):
            logits = self.network.forward(cache, unread, 0, np.array([start]))
            start += unread.shape[1]
            drawn = choose(logits, np.array([temperature]), np.array([top_p]), generator.random(1))
            written.append(int(drawn[0]))
            if written[-1] == self.end_token:
                break
            unread = drawn[:, None]
        return written

    def complete(self, text: str, most: int = 64, **how: Any) -> str:
        """Text → what the decoder writes behind it, at most ``most`` tokens; ``how`` is for `write_on`."""
        return self.tokenizer.decode(self.write_on(self.tokenizer.encode(text), most, **how))

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """A decoder has no classes: raises CourseError."""
        raise CourseError(say("This model writes text and has no classes; ask it with complete, or serve it."))

    def settings(self) -> dict[str, Any]:
        """The network's sizes and switches, the form of a conversation, the token that ends a text."""
        chat = {role: list(self.chat[role]) for role in ROLES}
        return {"shape": dataclasses.asdict(self.network.shape), "chat": chat, "end": self.end}

    def write(self, folder: Path) -> None:
        """Write the files, from which `read` makes the same model."""
        np.savez(folder / "weights.npz", **self.network.arrays)
        (folder / "tokenizer.json").write_text(self.tokenizer.to_json(), "utf-8")

    @classmethod
    def read(cls, folder: Path, card: dict) -> "Decoder":
        """The model in a folder whose hashes were found right."""
        settings = card["settings"]
        return cls(
            network=Network(Shape(**settings["shape"]), read_arrays(folder / "weights.npz")),
            tokenizer=BytePairs.from_json((folder / "tokenizer.json").read_text("utf-8")),
            chat={role: (str(before), str(behind)) for role, (before, behind) in settings["chat"].items()},
            end=str(settings["end"]),
            **from_card(card),
        )


def must_have_classes(kind: str) -> None:
    """Raise CourseError where a model's kind is a decoder's."""
    if kind == Decoder.kind:
        raise CourseError(say("This model writes text; what was asked for is for models that have classes."))


def from_keras(network: "keras.Model") -> tuple[Shape, dict[str, np.ndarray]]:
    """A decoder of ``recipes.decoder`` as a shape and its arrays."""
    import keras

    design, blocks = network.design, network.blocks

    def array(variable: Any) -> np.ndarray:
        return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)

    embedding = array(network.embedding.embeddings)
    shape = Shape(
        vocabulary=len(embedding),
        context=int(network.context),
        layers=len(blocks),
        heads=int(blocks[0].heads),
        width=embedding.shape[1],
        **{name: bool(getattr(design, name)) for name in SWITCHES},
    )
    arrays = {"embedding": embedding}
    if design.untied:
        arrays["head"] = array(network.head.kernel)
    if not design.rotary:
        arrays["positions"] = array(network.position.embeddings)
    if design.pairs:
        arrays["pairs"] = array(network.pairs.embeddings)
    if not design.plain:
        arrays["gain"] = array(network.norm.gamma)
    for k, block in enumerate(blocks):
        three = [array(one.kernel) for one in (block.query, block.key, block.value)]
        arrays |= {
            f"{k}.queries_keys_values": np.concatenate(three, axis=1),
            f"{k}.attention_out": array(block.attention_out.kernel),
            f"{k}.hidden_in": array(block.inner.kernel),
            f"{k}.hidden_out": array(block.inner_out.kernel),
        }
        if not design.plain:
            arrays[f"{k}.attention_gain"] = array(block.norm_attention.gamma)
            arrays[f"{k}.hidden_gain"] = array(block.norm_inner.gamma)
    return shape, arrays
