"""The commands `features …`: stores of features, made, looked at, checked and removed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.diagnostics.text import printable
from ...compiler.system.memory import memory_text, parse_memory
from ..app import (
    Commands,
    Json,
    Quiet,
    Sets,
    app,
    load_with,
    print_json,
)
from ..screen.bar import Bar

if TYPE_CHECKING:
    from ...runtime.store.folders import StoreFacts

features = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(features, name="features", help="Make, show, check and remove feature stores.")
Store = Annotated[Path, typer.Argument(metavar="STORE", help="The folder of a store.")]
Stores = Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of stores.")]


@features.command("import")
def import_(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="What `--data` takes.")],
    out: Annotated[Path, typer.Option(metavar="STORE", help="The folder of the store.")],
    dtype: Annotated[
        str, typer.Option(help="float32, float16 or bfloat16, as which features are stored.")
    ] = "float32",
    spec: Annotated[
        Path | None, typer.Option(metavar="SPEC", help="Import what this reads, and check it.")
    ] = None,
    sets: Sets = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a store that is there.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write a feature store of data, a shard at a time."""
    from ...runtime.data.canonical import GROUPS
    from ...runtime.data.importing import import_features
    from ...runtime.data.split import SPLIT
    from ...runtime.data.suggest import UNDIVIDED

    read = load_with(spec, sets) if spec else None
    with Bar("import") as bar:
        manifest = import_features(
            data, out, dtype=dtype, spec=read, overwrite=overwrite, progress=bar.show
        )
    facts = {"store": str(out), "samples": manifest.samples, "bytes": manifest.bytes}
    undivided = not {SPLIT, GROUPS} & {array.name for array in manifest.arrays}
    if json:
        print_json({**facts, "shards": len(manifest.shards), "undivided": undivided})
        return
    size = memory_text(manifest.bytes)
    print(f"store `{printable(str(out))}`: {manifest.samples:,} samples, {size}")
    if undivided:
        print(f"it has {UNDIVIDED}")


@features.command()
def show(store: Store, json: Json = False) -> None:
    """Say what a store holds: sizes, splits, classes, what is missing, constant or not finite."""
    from ...runtime.data.contents import contents_lines, store_contents

    contents = store_contents(store)
    if json:
        print_json(contents)
        return
    for line in contents_lines(contents):
        print(printable(line))


@features.command()
def check(store: Store, json: Json = False) -> None:
    """Read every byte of a store, and say what is wrong with it."""
    from ...runtime.store.check import check_store
    from ..screen.show import as_json

    try:
        found = check_store(store)
    except DiagnosticError as error:
        found = tuple(error.diagnostics)
    if json:
        print_json({"store": str(store), "diagnostics": [as_json(one) for one in found]})
        raise typer.Exit(1 if found else 0)
    if found:
        raise DiagnosticError(found)
    print(f"store `{printable(str(store))}` is whole")


@features.command("list")
def list_(folder: Stores, json: Json = False) -> None:
    """List the stores in a folder, with what they take and when they were used last."""
    from ...runtime.store.folders import stores_in

    stores = stores_in(folder)
    if json:
        print_json([_record(facts) for facts in stores])
        return
    for facts in stores:
        print(printable(_line(facts)))
    total = memory_text(sum(facts.bytes for facts in stores))
    print(f"{_counted(len(stores))}, {total}")


@features.command()
def remove(store: Store, json: Json = False) -> None:
    """Remove a store, finished or not, unless a process writes into it."""
    from ...runtime.store.folders import remove_store

    size = remove_store(store)
    if json:
        print_json({"removed": str(store), "bytes": size})
    else:
        print(f"removed `{printable(str(store))}`, {memory_text(size)}")


@features.command()
def prune(
    folder: Stores,
    most: Annotated[str, typer.Option(metavar="SIZE", help="What may stay, like `20GB`.")],
    json: Json = False,
) -> None:
    """Remove stores, those used longest ago first, until they take no more than is allowed."""
    from ...runtime.store.folders import prune as pruned

    result = pruned(folder, parse_memory(most))
    if json:
        parts = {"removed": result.removed, "kept": result.kept, "in_use": result.in_use}
        lists = {name: [_record(facts) for facts in part] for name, part in parts.items()}
        print_json({**lists, "bytes": result.bytes})
        return
    for facts in result.removed:
        print(printable(f"removed {_line(facts)}"))
    for facts in result.in_use:
        print(printable(f"kept {_line(facts)}"))
    print(f"{_counted(len(result.kept))} left, {memory_text(result.bytes)}")


def _counted(count: int) -> str:
    return f"{count:,} store{'' if count == 1 else 's'}"


def _record(facts: StoreFacts) -> dict[str, Any]:
    return {
        "store": str(facts.folder),
        "bytes": facts.bytes,
        "samples": facts.samples,
        "used": _time(facts),
        "owner": facts.owner,
        "problem": facts.problem,
    }


def _line(facts: StoreFacts) -> str:
    samples = "not finished" if facts.samples is None else f"{facts.samples:,} samples"
    owner = f", written by {facts.owner}" if facts.owner else ""
    return f"{facts.folder}: {memory_text(facts.bytes)}, {samples}, used {_time(facts)}{owner}"


def _time(facts: StoreFacts) -> str:
    return datetime.fromtimestamp(facts.used, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
