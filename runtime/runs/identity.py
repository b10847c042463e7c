"""What a run depends on, kept with its checkpoint, and in what two of them differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from shlex import quote
from typing import Any

from ...compiler.diagnostics.text import shortened

LONGEST = 1_000_000
MOST_NAMED, LONGEST_SHOWN = 8, 100


def run_identity(settings: Mapping[str, Any], **parts: str) -> str:
    """The settings of a run, and a digest of each of its other parts, as a text."""
    digests = {name: sha256(text.encode()).hexdigest() for name, text in parts.items() if text}
    return json.dumps({"settings": dict(settings), **digests}, sort_keys=True)


def identity_of(*parts: str) -> str:
    """A digest of parts, in their order, on which a trial or a study depends."""
    digest = sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def differences(known: str, own: str) -> tuple[list[str], list[str]]:
    """What two identities differ in, and the options that give those of the known one.

    Nothing where the known one is none that `run_identity` gave.
    """
    before, now = _read(known), _read(own)
    parts = [f"`{n}`" for n in sorted({*before, *now}) if before.get(n) != now.get(n)]
    old, new = before.get("settings"), now.get("settings")
    if type(old) is not dict or type(new) is not dict:
        return parts, []
    changed = [name for name in new if name in old and old[name] != new[name]]
    said = [f"`{n}` (it was {_value(old[n])}, and is {_value(new[n])})" for n in changed]
    others = [part for part in parts if part != "`settings`" or not changed]
    return [*said[:MOST_NAMED], *others], [_option(name, old[name]) for name in changed]


def _read(identity: str) -> dict[str, Any]:
    if len(identity) > LONGEST:
        return {}
    try:
        found = json.loads(identity)
    except (ValueError, RecursionError):
        return {}
    return found if type(found) is dict else {}


def _value(value: Any) -> str:
    return shortened(str(value), LONGEST_SHOWN) or "nothing"


def _option(name: str, value: Any) -> str:
    """The option of the command line that gives a setting its value."""
    option = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return option if value else ""
    return f"{option} {quote(_value(value))}" if value != "" else ""
