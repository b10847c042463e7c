"""Weights of published networks: they give the published logits, and go back as they came."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import Tensor

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.published.importing import import_file, import_text
from fusewright.compiler.targets.safetensors import read_spec
from fusewright.runtime.deploy.published import export_weights, import_weights

from ...support.found import SPACE
from ...support.paths import VECTORS

GENOTYPE = (
    "Genotype(edges=[('skip', 0), ('skip', 2), ('skip', 1), ('skip', 3)], "
    "steps=[StepGenotype(inner_edges=[('skip', 0), ('skip', 1), ('skip', 2), ('skip', 1)], "
    "inner_steps=['ScaleDotAttn', 'LinearGLU'], inner_concat=[2, 3]), "
    "StepGenotype(inner_edges=[('skip', 1), ('skip', 0), ('skip', 0), ('skip', 2)], "
    "inner_steps=['ConcatFC', 'Sum'], inner_concat=[2, 3])], concat=[3, 4])"
)
MFAS = """
network small(C = 6, L = 1, dropout = 0.4)
modality video { V_1[c 4, t *, h *, w *] V_2[c 5, t *] }
modality skeleton { S_1[c 2, t *, w *] S_2[c 3] }
predict 3 classes
"""
LAYERS = "[[1, 0, 1], [0, 1, 0], [1, 1, 2]]"


def network(name: str) -> Spec:
    if name.startswith("mfas"):
        return import_text(LAYERS, fw.loads(MFAS), alphas=name == "mfas_alphas")[0]
    return import_text(GENOTYPE, SPACE)[0]


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("found", "found"), ("searched", "found"), ("mfas", "mfas"), ("mfas_alphas", "mfas_alphas")],
)
def test_imported_weights_give_the_published_logits(
    name: str, numbers: str, tmp_path: Path
) -> None:
    content, rest = import_weights(network(name), VECTORS / f"{name}.pt")
    (tmp_path / "net.safetensors").write_bytes(content)
    spec = read_spec(tmp_path / "net.safetensors")
    assert spec == network(name)
    given = load_file(VECTORS / f"{numbers}.safetensors")
    expected = given.pop("logits")
    module = fw.compile(spec, "torch", weights=tmp_path / "net.safetensors").eval()
    features = {key: torch.from_numpy(value) for key, value in given.items()}
    if "A_2" in features:
        features["A_2"] = features["A_2"].transpose(1, 2)
    with torch.no_grad():
        found = module(features).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)
    assert bool(rest) == (name in {"searched", "mfas"})  # other candidates; alphas that are unused


@pytest.mark.parametrize("name", ["found", "mfas_alphas"])
def test_weights_go_back_as_they_came(name: str, tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").write_bytes(
        import_weights(network(name), VECTORS / f"{name}.pt")[0]
    )
    written = export_weights(tmp_path / "net.safetensors")
    found: dict[str, Tensor] = torch.load(io.BytesIO(written), weights_only=True)
    expected: dict[str, Tensor] = torch.load(VECTORS / f"{name}.pt", weights_only=True)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    other = network("found")
    with pytest.raises(DiagnosticError, match=r"E505.*the state dict lacks `reshape_layers\.0"):
        import_weights(other, VECTORS / "mfas.pt")
    state = torch.load(VECTORS / "found.pt", weights_only=True)
    state["central_classifier.weight"] = torch.zeros(3, 47)
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(DiagnosticError, match=r"E505.*`head.W` is \(47, 3\)"):
        import_weights(other, tmp_path / "other.pt")
    state["central_classifier.weight"] = torch.zeros(3)
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(DiagnosticError, match=r"E505.*`central_classifier.weight` is \(3,\)"):
        import_weights(other, tmp_path / "other.pt")
    (tmp_path / "other.pt").write_bytes(b"PK\3\4 nothing")
    with pytest.raises(DiagnosticError, match="E504"):
        import_weights(other, tmp_path / "other.pt")


def test_the_pickle_that_the_published_code_wrote_is_the_genotype() -> None:
    assert import_file(VECTORS / "found.pkl", SPACE)[0] == network("found")


def test_an_operation_that_the_published_code_lacks_has_no_place_there(tmp_path: Path) -> None:
    spec = fw.loads("""
    network other(C = 6, L = 4)
    use fusion
    modality a { A[c 3] B[c 5] }
    cell Cell_1(A, B) { Step_1 = GMU(x, y) }
    predict 3 classes
    """)
    fw.deploy(spec, tmp_path / "gmu.safetensors", initial=True)
    with pytest.raises(DiagnosticError, match=r"E602.*no place for"):
        export_weights(tmp_path / "gmu.safetensors")
