"""Real handwritten digits, each with a number in words, and a small text encoder beside them.

`python make_data.py [FOLDER] [SAMPLES]` writes `FOLDER/table.csv`, the pictures that it names, and
`FOLDER/text_encoder`: a transformer of random weights with its tokenizer, since none is downloaded.
Pictures are those of scikit-learn, 8 by 8. A label says how the digit compares with the number.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel

WORDS = "zero one two three four five six seven eight nine".split()
PHRASES = ("{}", "it says {}", "here stands {}", "the number {}", "a {} on paper")
LABELS = ("less", "equal", "greater")
SPLIT = ("train",) * 6 + ("validation",) * 2 + ("test",) * 2
SPECIAL = ("[PAD]", "[UNK]")


def write_table(folder: Path, samples: int) -> None:
    """Pictures and a table of them; every label is as frequent as the others, as far as it can."""
    digits = load_digits()
    generator = np.random.default_rng(0)
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["picture", "text", "labels", "split"])
        for sample in range(samples):
            digit = int(digits.target[sample])
            label = int(generator.integers(3))
            if (digit, label) in {(0, 2), (9, 0)}:
                label = 1  # nothing is less than zero, or greater than nine
            lower, upper = ((digit + 1, 10), (digit, digit + 1), (0, digit))[label]
            number = int(generator.integers(lower, upper))
            text = PHRASES[generator.integers(len(PHRASES))].format(WORDS[number])
            name = f"pictures/{sample:04}.png"
            pixels = (digits.images[sample] * (255 / 16)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name)
            table.writerow([name, text, LABELS[label], SPLIT[sample % len(SPLIT)]])


def write_text_encoder(folder: Path) -> None:
    """A folder as `transformers` saves one, with the tokenizer's `tokenizer.json` in it."""
    known = [*SPECIAL, *sorted({word for phrase in PHRASES for word in phrase.split()} - {"{}"})]
    vocabulary = {word: number for number, word in enumerate([*known, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=16,
        initializer_range=0.2,  # random weights as small as those that are to be trained say little
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def main(folder: Path, samples: int) -> None:
    write_table(folder, samples)
    write_text_encoder(folder / "text_encoder")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."), int((*sys.argv, "", "1500")[2] or 1500))
