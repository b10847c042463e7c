"""Raw data of tests in every form that holds them: what reads some of these starts threads."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .raw import WORDS, picture, png, table


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
