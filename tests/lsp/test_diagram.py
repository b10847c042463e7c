"""The request for a diagram: the picture of the text, and what of it stands at the cursor."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.language_client import Client
from ..support.lsp_documents import TEXT


def diagram(client: Client, at: str) -> dict[str, Any]:
    offset = client.text.index(at)
    line = client.text.count("\n", 0, offset)
    character = offset - (client.text.rfind("\n", 0, offset) + 1)
    given = {
        "textDocument": {"uri": client.uri},
        "position": {"line": line, "character": character},
        "dark": False,
    }
    answer: dict[str, Any] = client.request("fusewright/diagram", given)
    return answer


@pytest.mark.parametrize(
    ("at", "parts"),
    [
        ("cell Fuse", ["cluster_Fuse_1", "cluster_Fuse_2"]),
        ("Step", ["Fuse_1.Step_1", "Fuse_1.Step_2", "Fuse_2.Step_1", "Fuse_2.Step_2"]),
        ("Image[", ["Image"]),
        ("network", []),
    ],
)
def test_the_diagram_follows_the_cursor(server: Client, at: str, parts: list[str]) -> None:
    assert server.open(SPACE) == []
    found = diagram(server, at)
    assert found["at"] == parts
    assert all(f"<title>{part}</title>" in found["svg"] for part in parts)


def test_a_text_with_errors_has_no_diagram(server: Client) -> None:
    assert server.open(SPACE.replace("predict 3", "predict"))
    assert diagram(server, "cell") == {"svg": None, "at": []}
    server.open(TEXT)


SPACE = """network n(C = 4, L = 2)
modality m {
  Image[c 6, h 3, w 3]
  Text[c 5]
}
pool Sum, LinearGLU
cell Fuse[2](?, ?) {
  Step[2] = ?(x, y)
}
predict 3 classes
"""
