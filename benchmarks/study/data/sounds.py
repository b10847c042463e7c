"""Sounds as pictures of time and pitch: the energy in bands of the mel scale."""

import io

import numpy as np
from numpy.typing import NDArray

BANDS = 32
STEPS = 96
RATE = 32
"""Steps in a second."""
LOWEST, HIGHEST = 80.0, 8000.0
FLOOR = 1e-6


def log_mel(content: bytes | None) -> NDArray[np.float32]:
    """The logarithm of the energy in each band, (`BANDS`, `STEPS`); of silence after the end.

    `content` is a file that libsndfile reads, such as Ogg Vorbis; None is silent. Raises
    RuntimeError where it cannot be read.
    """
    if content is None:
        return _logarithm(np.zeros((BANDS, STEPS)))
    import soundfile

    with soundfile.SoundFile(io.BytesIO(content)) as sound:
        rate = sound.samplerate
        frames = min(sound.frames, rate * STEPS // RATE)
        wave = sound.read(frames, dtype="float64", always_2d=True).mean(1)
    return _logarithm(mel_energies(wave, rate))


def mel_energies(wave: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """The energy of a wave (samples,) in each band at each step, (`BANDS`, `STEPS`)."""
    hop = rate // RATE
    padded = np.zeros((STEPS + 1) * hop)
    padded[: len(wave)] = wave[: len(padded)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop)[::hop][:STEPS]
    spectrum = np.abs(np.fft.rfft(windows * np.hanning(2 * hop), axis=1)) ** 2 / hop
    energies: NDArray[np.float64] = filters(np.arange(hop + 1) * rate / (2 * hop)) @ spectrum.T
    return energies


def filters(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Triangles of the mel scale, (`BANDS`, frequencies), each from its neighbours' peaks."""
    pitches = np.linspace(_mel(np.array(LOWEST)), _mel(np.array(HIGHEST)), BANDS + 2)
    low, peak, high = (pitches[i : BANDS + i, None] for i in range(3))
    pitch = _mel(frequencies)
    rising, falling = (pitch - low) / (peak - low), (high - pitch) / (high - peak)
    triangles: NDArray[np.float64] = np.clip(np.minimum(rising, falling), 0, None)
    return triangles


def _mel(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = 2595 * np.log10(1 + frequency / 700)
    return scaled


def _logarithm(energies: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.log(energies + FLOOR).astype(np.float32)
