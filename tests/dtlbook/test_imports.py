"""Importing one framework's half never loads the other, and the shared half loads none."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = Path(__file__).resolve().parents[2] / "code"


@pytest.mark.parametrize(
    "module, absent",
    [
        ("dtlbook.torch.dann", ["tensorflow", "keras"]),
        ("dtlbook.tensorflow.dann", ["torch"]),
        (
            "dtlbook, dtlbook.data, dtlbook.recipe, dtlbook.history, dtlbook.checks, dtlbook.divergence",
            ["torch", "tensorflow", "keras"],
        ),
    ],
)
def test_what_an_import_loads(module, absent):
    program = f"import sys, {module}; print([name for name in {absent} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(CODE), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_the_helper_never_needs_the_press():
    for file in (CODE / "dtlbook").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not any(name.split(".")[0] == "press" for name in names), file


def test_both_frameworks_have_the_same_names_and_arguments():
    torch_dann = pytest.importorskip("dtlbook.torch.dann")
    tensorflow_dann = pytest.importorskip("dtlbook.tensorflow.dann")
    assert torch_dann.__all__ == tensorflow_dann.__all__
    for name in torch_dann.__all__:
        ours, theirs = (
            list(inspect.signature(getattr(module, name)).parameters)
            for module in (torch_dann, tensorflow_dann)
        )
        assert [n for n in ours if n != "device"] == theirs, name
