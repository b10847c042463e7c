from __future__ import annotations
import subprocess
FONT = "Helvetica,Arial,sans-serif"
def formats(): return ("dot",)
def run(text, format):
    if format == "dot": return text.encode()
    return subprocess.run(["dot", f"-T{format}", "-Gdpi=110"], input=text.encode(), stdout=subprocess.PIPE, timeout=60, check=True).stdout
