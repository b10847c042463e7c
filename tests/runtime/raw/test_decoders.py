"""Decoders: arrays from pictures, sounds, videos, texts, skeletons and numbers, or diagnostics."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers

import fusewright as fw
from fusewright.runtime.raw.decoders import (
    decoder,
    media,
    medium_of,
    transform_digest,
    transform_of,
)
from fusewright.runtime.raw.decoders.text import read_tokenizer

from ...support.raw import picture, png


def decode(medium: str, content: Any, seed: int | None = None, **values: Any) -> NDArray[Any]:
    generator = None if seed is None else np.random.default_rng(seed)
    return decoder(medium).decode(content, "it", transform_of(medium, values), generator)


# Pictures


def test_pictures_are_resized_cropped_and_standardised() -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 10:30] = (255, 0, 51)
    values: dict[str, Any] = {"resize": 10, "crop": (10, 10)}
    values |= {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.25)}
    array = decode("picture", png(pixels), **values)
    assert array.dtype == np.float32
    assert array.shape == (3, 10, 10)
    assert np.allclose(array[:, 5, 5], [1, -1, -1.2])
    assert decode("picture", png(pixels), colours=1, mean=(0.0,), std=(1.0,)).shape == (1, 20, 40)
    assert decode("picture", png(pixels), resize=(8, 6)).shape == (3, 8, 6)


def test_pictures_stand_upright() -> None:
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[0] = 255
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(pixels).save(stream, "PNG", exif=exif)
    array = decode("picture", stream.getvalue())
    assert array.shape == (3, 8, 4)
    assert array[0, :, -1].tolist() == [1.0] * 8


def test_augmented_pictures_follow_their_seed() -> None:
    content = png(picture(3, 32))
    plain, one, again, other = (
        decode("picture", content, seed, crop=(32, 32)) for seed in (None, 1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert one.shape == plain.shape
    assert not np.array_equal(one, plain)
    assert not np.array_equal(one, other)


# Sounds


def wave(rate: int, seconds: float = 1.0, channels: int = 2) -> bytes:
    times = np.arange(int(rate * seconds)) / rate
    sound = np.repeat(0.5 * np.sin(2 * np.pi * 100 * times)[:, None], channels, 1)
    stream = io.BytesIO()
    soundfile.write(stream, sound, rate, format="WAV", subtype="FLOAT")
    return stream.getvalue()


def silence(rate: int) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(4), rate, format="WAV")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("rate", "window", "hop", "mels"), [(16000, 400, 160, 80), (1500, 64, 32, 7)]
)
def test_spectrograms_are_those_of_transformers(
    rate: int, window: int, hop: int, mels: int
) -> None:
    """librosa's and Whisper's bands."""
    theirs = pytest.importorskip("transformers.audio_utils")
    heard = np.random.default_rng(0).normal(size=3000).astype(np.float32)
    sizes: dict[str, Any] = {"rate": rate, "window": window, "hop": hop, "mels": mels}
    filters = theirs.mel_filter_bank(
        window // 2 + 1, mels, 0.0, rate / 2, rate, norm="slaney", mel_scale="slaney"
    )
    expected = theirs.spectrogram(
        heard, theirs.window_function(window, "hann"), window, hop,
        power=2.0, mel_filters=filters, log_mel="log10",
    )  # fmt: skip
    found = decode("spectrogram", heard, **sizes)
    assert found.shape == (mels, 1 + 3000 // hop)
    assert np.allclose(found, expected, atol=1e-4)
    shifted = decode("spectrogram", heard, **sizes, mean=-4.0, std=2.0)
    assert np.allclose(shifted, (found + 4) / 2, atol=1e-5)


def test_words_of_texts_are_left_out_in_further_views() -> None:
    text = "one two  three four five six seven eight nine ten"
    plain = decode("text", text)
    views = [bytes((decode("text", text, seed) - 1).tolist()).decode() for seed in range(20)]
    assert all(set(view.split()) <= set(text.split()) and view for view in views)
    assert 8 < np.mean([len(view.split()) for view in views]) < 9.8
    assert any("two  three" in view for view in views)
    assert np.array_equal(decode("text", text, 1, dropped=0), plain)
    assert all(len(decode("text", "a b", seed, dropped=0.99)) == 1 for seed in range(5))


def test_sounds_are_brought_to_one_rate() -> None:
    plain = decode("sound", wave(8000), rate=8000)
    assert plain.shape == (8000,)
    assert plain.dtype == np.float32
    faster = decode("sound", wave(8000), rate=16000)
    assert faster.shape == (16000,)
    assert np.abs(faster[100:-100:2] - plain[50:-50]).max() < 2e-3
    assert decode("sound", wave(8000), rate=8000, seconds=0.25).shape == (2000,)
    standard = decode("sound", wave(8000), rate=8000, standardised=True)
    assert abs(float(standard.std()) - 1) < 1e-3


# Videos


def video(frames: int) -> bytes:
    stream = io.BytesIO()
    with av.open(stream, "w", format="avi") as container:
        track = container.add_stream("ffv1", rate=Fraction(10))
        track.width, track.height, track.pix_fmt = 16, 8, "bgr0"
        for number in range(frames):
            pixels = np.full((8, 16, 3), 20 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(track.encode(frame))
        container.mux(track.encode())
    return stream.getvalue()


def test_videos_are_frames_at_even_distances() -> None:
    array = decode("video", video(9), frames=4)
    assert array.shape == (3, 4, 8, 16)
    assert np.allclose(array[0, :, 0, 0] * 255, [20, 60, 100, 140])
    assert decode("video", video(2), frames=4).shape == (3, 2, 8, 16)
    frames = np.stack([picture(n) for n in range(5)])
    assert np.array_equal(decode("video", frames)[:, 2], decode("picture", picture(2)))


def test_videos_may_be_frames_that_follow_each_other() -> None:
    """So many around the middle; a shorter video begins again."""
    pixels = [np.full((4, 4, 3), 10 * n, np.uint8) for n in range(9)]

    def levels(count: int, wanted: int) -> list[int]:
        frames = tuple(png(one) for one in pixels[:count])
        array = decode("video", frames, frames=wanted, consecutive=True)
        return [round(float(one) * 25.5) for one in array[0, :, 0, 0]]

    assert levels(9, 4) == [2, 3, 4, 5]
    assert levels(8, 8) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert levels(3, 7) == [0, 1, 2, 0, 1, 2, 0]
    even = decode("video", tuple(png(one) for one in pixels), frames=3)
    assert np.array_equal(even, decode("video", np.stack(pixels), frames=3))


SDP = b"""v=0
o=- 0 0 IN IP4 127.0.0.1
s=x
c=IN IP4 127.0.0.1
t=0 0
m=video 5004 RTP/AVP 96
a=rtpmap:96 H264/90000
"""


def test_a_video_names_no_files_and_no_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.avi").write_bytes(video(2))
    monkeypatch.chdir(tmp_path)
    for content in (b"ffconcat version 1.0\nfile secret.avi\n", SDP, b"#EXTM3U\nsecret.avi\n"):
        with pytest.raises(fw.DiagnosticError, match="cannot be decoded"):
            decode("video", content)


def test_frames_of_a_video_are_few_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusewright.runtime.raw.decoders.picture.MOST_PIXELS", 300)
    assert decode("video", video(4), frames=2).shape == (3, 2, 8, 16)
    with pytest.raises(fw.DiagnosticError, match="more than 300 pixels together"):
        decode("video", video(4), frames=4)


# Texts


def tokenizer(folder: Path) -> str:
    """The name of a tokenizer of words."""
    known = {"[UNK]": 0, "a": 1, "circle": 2, "square": 3}
    made = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))
    return read_tokenizer(str(folder / "tokenizer.json"))


def test_texts_are_tokens(tmp_path: Path) -> None:
    name = tokenizer(tmp_path)
    assert decode("text", "a red square", tokenizer=name).tolist() == [1, 0, 3]
    assert decode("text", b"a circle", tokenizer=name, longest=1).tolist() == [1]
    assert decode("text", "aä").tolist() == [98, 196, 165]
    lacking = Tokenizer(models.WordLevel({"a": 0}, unk_token="[UNK]"))
    lacking.save(str(tmp_path / "tokenizer.json"))
    name = read_tokenizer(str(tmp_path / "tokenizer.json"))
    with pytest.raises(fw.DiagnosticError, match="the tokenizer cannot read it: ") as caught:
        decode("text", "a circle", tokenizer=name)
    assert [d.code for d in caught.value.diagnostics] == ["E504"]
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(fw.DiagnosticError, match="is no tokenizer"):
        read_tokenizer(str(tmp_path / "tokenizer.json"))


# Skeletons and numbers


def skeleton(frames: int, bodies: int = 1) -> bytes:
    lines = [str(frames)]
    for frame in range(frames):
        lines.append(str(bodies))
        for body in range(bodies):
            lines += [f"72057 0 1 1 {body}", "25"]
            lines += [f"{joint + frame} {body} 2.5 0 0 0 0 1 2 3 4 2" for joint in range(25)]
    return ("\n".join(lines) + "\n").encode()


def test_skeletons_are_joints_over_time() -> None:
    array = decode("skeleton", skeleton(3, 2), centred=False)
    assert array.shape == (3, 3, 25, 2)
    assert array[:, 2, 4, 1].tolist() == [6, 1, 2.5]
    centred = decode("skeleton", skeleton(3))
    assert centred[:, 0, 0, 0].tolist() == [0, 0, 0]
    assert not centred[..., 1].any()
    stream = io.BytesIO()
    np.save(stream, array.transpose(1, 3, 2, 0))
    assert np.array_equal(decode("skeleton", stream.getvalue(), centred=False), array)


def test_skeletons_are_brought_to_a_length_and_seen_from_a_joint() -> None:
    """As the published BM-NAS code does: linearly in time, from a joint of the first body."""
    joints = np.random.default_rng(0).normal(size=(5, 2, 25, 3)).astype(np.float32)
    array = decode("skeleton", joints, centred=False, resampled=True, frames=8, origin=1)
    seen = joints - joints[:, :1, 1:2]
    flat = torch.tensor(seen).permute(3, 2, 1, 0).reshape(1, -1, 5, 1)
    expected = torch.nn.functional.interpolate(flat, size=(8, 1), mode="bilinear")
    expected = expected.reshape(3, 25, 2, 8).permute(0, 3, 1, 2)
    assert np.allclose(array, expected.numpy(), atol=1e-6)
    alone = decode("skeleton", joints[:, :1], centred=False, resampled=True, frames=8, origin=1)
    assert np.allclose(alone[:, 2, 7, 1], alone[:, 2, 9, 1])  # nobody, seen from there
    with pytest.raises(fw.DiagnosticError, match="joint 25, which it does not have"):
        transform_of("skeleton", {"origin": 25})


def test_what_a_sensor_did_not_see_is_zero() -> None:
    content = skeleton(2).replace(b"\n3 0 2.5", b"\nnan NaN 2.5")
    assert decode("skeleton", content, centred=False)[:, 0, 3, 0].tolist() == [0, 0, 2.5]


def test_numbers_are_taken_as_they_are() -> None:
    assert decode("numbers", np.arange(3)).tolist() == [0, 1, 2]
    assert decode("numbers", np.array([3.0, 4.0]), mean=(1.0, 2.0), std=(2.0,)).tolist() == [1, 1]


# What cannot be decoded

NOT_FINITE = np.array([1.0, np.inf])
WRONG: list[tuple[str, Any, str]] = [
    ("picture", b"", "no picture that is known"),
    ("picture", png(picture(0))[:-60], "cannot be decoded"),
    ("picture", png(picture(0), "JPEG")[:-60], "cannot be decoded"),
    ("picture", "text", "a text, not a picture"),
    ("picture", np.zeros((2, 2, 5), np.uint8), "is no picture"),
    ("picture", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture that is known"),
    ("sound", b"RIFF", "cannot be decoded"),
    ("sound", wave(8000, 0), "has no sample"),
    ("sound", silence(2**31 - 1), "its rate is 2,147,483,647 Hz"),
    ("sound", silence(400_001), "its rate is 400,001 Hz"),
    ("sound", silence(999), "its rate is 999 Hz"),
    ("sound", NOT_FINITE, "not finite"),
    ("video", b"RIFF", "cannot be decoded"),
    ("video", wave(8000), "no video that is known"),
    ("text", "  ", "the text is empty"),
    ("text", b"\xff", "byte 0 is not UTF-8"),
    ("text", "a" * 1_000_001, "longer than"),
    ("skeleton", b"", "a count is not a whole number"),
    ("skeleton", skeleton(3)[:300], "cannot be decoded"),
    ("skeleton", skeleton(3, 0), "nobody is in it"),
    ("skeleton", b"99999999", "at most 100,000"),
    ("skeleton", np.zeros((2, 3)), "is no skeleton"),
    ("numbers", NOT_FINITE, "not finite"),
    ("numbers", "abc", "a text, not a number"),
    ("numbers", (b"a", b"b"), "several files, not a number"),
    ("text", (b"a", b"b"), "several files, not a text"),
    ("video", (b"a", b"b"), "no picture that is known"),
    ("video", (), "it has no frame"),
    ("numbers", b"\x93NUMPY\x01\x00", "cannot be decoded"),
    ("numbers", np.array(["a"]), "not numbers"),
]


@pytest.mark.parametrize(("medium", "content", "why"), WRONG)
def test_what_is_broken_is_diagnosed(medium: str, content: Any, why: str) -> None:
    with pytest.raises(fw.DiagnosticError, match=why) as error:
        decode(medium, content)
    assert "`it` cannot be decoded" in str(error.value) or "it cannot be decoded" in str(
        error.value
    )


def chunked(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks."""
    parts = [
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def header(width: int, height: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (chunked(header(60_000, 60_000), (b"IDAT", b""), (b"IEND", b"")), "more than 100,000,000"),
        (
            chunked(header(1, 1), (b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000)))),
            "cannot be decoded",
        ),
        (np.zeros((0, 0, 3), np.uint8), "is no picture"),
        (np.zeros((200_000, 1, 3), np.uint8), "resized it has more than 100,000,000 pixels"),
    ],
    ids=["large", "packed", "empty", "long"],
)
def test_a_picture_that_says_it_is_large_is_refused(content: Any, why: str) -> None:
    with pytest.raises(fw.DiagnosticError, match=why):
        decode("picture", content, resize=224)


@pytest.mark.parametrize(
    "values",
    [{"crop": [10**5, 10**5]}, {"resize": 10**6}, {"resize": [0, 2]}, {"crop": 3}, {"resize": "a"}],
)
def test_a_transform_of_pictures_has_sizes(values: dict[str, Any]) -> None:
    with pytest.raises(fw.DiagnosticError, match="which is no size"):
        transform_of("video", values)


def test_a_picture_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusewright.runtime.raw.decoders.picture.MOST_PIXELS", 100)
    with pytest.raises(fw.DiagnosticError, match="more than 100 pixels"):
        decode("picture", png(picture(0)))


def test_media_are_found_by_endings_and_names() -> None:
    assert media() == ("numbers", "picture", "skeleton", "sound", "spectrogram", "text", "video")
    assert medium_of("a/B.JPEG") == "picture"
    assert medium_of("S001.skeleton") == "skeleton"
    assert medium_of("words about a picture") is None
    with pytest.raises(fw.DiagnosticError, match="no decoder `pictures`"):
        decoder("pictures")
    with pytest.raises(fw.DiagnosticError, match="has no `cropp`"):
        transform_of("picture", {"cropp": 3})


@pytest.mark.parametrize("rate", [999, 400_001, 10**12, 16_000.0, "16000"])
def test_a_transform_of_sounds_has_a_usual_rate(rate: Any) -> None:
    with pytest.raises(fw.DiagnosticError, match="1,000 to 400,000 Hz"):
        transform_of("sound", {"rate": rate})


@pytest.mark.parametrize("values", [{"hop": 401}, {"hop": 24}, {"mels": 201}, {"window": 1.5}])
def test_a_transform_of_spectrograms_has_sizes_that_go_together(values: dict[str, Any]) -> None:
    with pytest.raises(fw.DiagnosticError, match="sizes that do not go together"):
        transform_of("spectrogram", values)


@pytest.mark.parametrize("dropped", [-0.1, 1, "all"])
def test_a_transform_of_texts_keeps_words(dropped: Any) -> None:
    with pytest.raises(fw.DiagnosticError, match="`dropped` of a transform is"):
        transform_of("text", {"dropped": dropped})


def test_transforms_have_digests() -> None:
    one, same, other = (
        transform_of("picture", {"crop": crop}) for crop in ([2, 3], (2, 3), (3, 2))
    )
    digests = [transform_digest("picture", transform) for transform in (one, same, other)]
    assert digests[0] == digests[1] != digests[2]


def _npy(header: str) -> bytes:
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode()


@pytest.mark.parametrize("shape", ["-" * 5000 + "1,", "1 << 40,", "True,", "2,"])
def test_headers_of_arrays_are_read_as_those_of_data(shape: str) -> None:
    kind = decoder("numbers")
    content = _npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape})}}\n")
    with pytest.raises(fw.DiagnosticError, match="it cannot be decoded"):
        kind.decode(content, "it", kind.Transform())


def test_arrays_of_files_are_as_numpy_reads_them() -> None:
    kind = decoder("numbers")
    for array in (
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.ones((2, 3))),
        np.ones((0, 2)),
    ):
        np.save(stream := io.BytesIO(), array)
        assert np.array_equal(kind.decode(stream.getvalue(), "it", kind.Transform()), array)
