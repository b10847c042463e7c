"""Raw data of tests: pictures, sounds, videos and tables in a folder."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

WORDS = ("circle", "square", "cross")


def picture(number: int, size: int = 12) -> NDArray[np.uint8]:
    """A picture (size, size, 3) whose colour and shape follow from a number."""
    generator = np.random.default_rng(number)
    pixels = generator.integers(0, 60, (size, size, 3), np.uint8)
    pixels[2 : size - 2, 2 : size - 2, number % 3] += np.uint8(120)
    return pixels


def png(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def table(folder: Path, samples: int, missing: Sequence[int] = ()) -> Path:
    """`data.csv` of pictures, texts, numbers, labels and a split; some have no picture."""
    (folder / "pictures").mkdir(parents=True)
    lines = ["image,text,numbers,labels,split"]
    for sample in range(samples):
        name = f"pictures/{sample}.png"
        if sample in missing:
            name = "" if sample % 2 else name
        else:
            (folder / name).write_bytes(png(picture(sample)))
        word, split = WORDS[sample % 3], ("train", "train", "validation", "test")[sample // 3 % 4]
        lines.append(f"{name},a {word} of {sample},{sample / 7:.3f},{word},{split}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "data.csv"


def same_in_every_form(folder: Path, samples: int) -> None:
    """`raw/data.csv` with its pictures, and `raw.h5`, `raw.parquet` and `saved` beside it."""
    table(folder / "raw", samples)
    pictures = [picture(sample) for sample in range(samples)]
    texts = [f"a {WORDS[sample % 3]} of {sample}" for sample in range(samples)]
    rows = {"text": texts, "numbers": np.arange(samples) / 7, "labels": np.arange(samples) % 3}
    with h5py.File(folder / "raw.h5", "w") as file:
        file["image"] = np.stack(pictures)
        for name, values in rows.items():
            file[name] = values
    columns = pa.table({"image": [png(one) for one in pictures], **rows})
    pq.write_table(columns, folder / "raw.parquet")
    saved = folder / "saved"
    saved.mkdir()
    file = "data-00000-of-00001.arrow"
    with pa.OSFile(str(saved / file), "wb") as sink, pa.ipc.new_stream(sink, columns.schema) as out:
        out.write_table(columns)
    (saved / "state.json").write_text(json.dumps({"_data_files": [{"filename": file}]}))
    (saved / "dataset_info.json").write_text(json.dumps({"features": {}}))
