"""Clinical prose that no two messages share: as repetitive as English is, and not more."""

import random
from pathlib import Path

MESSAGE_BYTES = 400

# Commonest first.
_WORDS = Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split()
# How often a word comes falls with its place in the list, as in any language.
_WEIGHTS = [1 / (place + 12) for place in range(len(_WORDS))]
# How many sentences hold a number.
_MEASURED = 0.5
_UNITS = ("mg", "mcg", "ml", "mmol/L", "g/L", "kg", "bpm", "%")


def body(dice: random.Random, size: int = MESSAGE_BYTES) -> str:
    """Return about `size` bytes of prose, cut at the size."""
    sentences: list[str] = []
    length = 0
    while length < size:
        words = dice.choices(_WORDS, _WEIGHTS, k=dice.randint(6, 18))
        if dice.random() < _MEASURED:
            words.insert(dice.randrange(len(words)), f"{dice.randint(1, 400)} {dice.choice(_UNITS)}")
        words[0] = words[0].capitalize()
        sentences.append(" ".join(words) + ".")
        length += len(sentences[-1]) + 1
    return " ".join(sentences)[:size].rstrip()


def bodies(seed: int, count: int) -> list[str]:
    """Return so many messages, the same for the same seed."""
    dice = random.Random(seed)
    return [body(dice) for _ in range(count)]
