"""What MkDocs does not do by itself: pages from the top of the repository, named examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files  # pyright: ignore[reportMissingImports]

ROOT = Path(__file__).resolve().parents[1]
OWN = {"contributing.md": "CONTRIBUTING.md", "security.md": "SECURITY.md"} | {
    "changelog.md": "CHANGELOG.md"
}
"""Pages of the site that are files of the repository, where its readers look for them."""
BESIDE = ("site.css", "site.js")
PLAYGROUND = ROOT / "build" / "playground"
"""What esbuild made, which becomes a folder of the site."""
_SEARCH = 'data-md-component="search" role="dialog"'
_NAMED = re.compile(r"^(```\w+) (\S+)$", re.MULTILINE)


def on_config(config: Any) -> Any:
    """Gives a page that the navigation does not name a place at its end, under its own title."""
    written = str(config["nav"])
    others = [
        p.name for p in sorted(Path(config["docs_dir"]).glob("*.md")) if p.name not in written
    ]
    if others:
        config["nav"].append({"More": others})
    return config


def on_files(files: Files, *, config: Any) -> Files:
    """Adds the pages outside of `docs/`, the site's style and script, and the playground."""
    for page, source in {**OWN, **{name: f"website/{name}" for name in BESIDE}}.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    for made in sorted(PLAYGROUND.rglob("*")):
        if made.is_file():
            page = f"playground/{made.relative_to(PLAYGROUND).as_posix()}"
            files.append(File.generated(config, page, abs_src_path=str(made)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Gives an example with a file's name, ```` ```fuse small.fuse ````, that name as a title."""
    return _NAMED.sub(r'\1 title="\2"', markdown)


def on_post_page(output: str, **_: Any) -> str:
    """Names the theme's search, which it leaves without a name."""
    return output.replace(_SEARCH, f'{_SEARCH} aria-label="Search"')
