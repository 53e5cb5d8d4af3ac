"""Importing one framework's half never loads the other, and the shared half loads none."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = Path(__file__).resolve().parents[2] / "code"
PACKAGE = CODE / "dtlbook"
METHODS = sorted(path.stem for path in (PACKAGE / "torch").glob("*.py") if path.stem not in ("__init__", "many"))
SHARED = ["dtlbook", "dtlbook.data", "dtlbook.labs", "dtlbook.results"] + [
    f"dtlbook.{path.stem}" for path in sorted(PACKAGE.glob("*.py")) if path.stem != "__init__"
]


@pytest.mark.parametrize(
    "module, absent",
    [
        (", ".join(f"dtlbook.torch.{name}" for name in METHODS), ["tensorflow", "keras"]),
        (", ".join(f"dtlbook.tensorflow.{name}" for name in METHODS), ["torch"]),
        (", ".join(SHARED), ["torch", "tensorflow", "keras", "ray"]),
        ("dtlbook", ["numpy", "sklearn", "matplotlib", "torch", "tensorflow"]),
    ],
)
def test_what_an_import_loads(module, absent):
    program = f"import sys, {module}; print([name for name in {absent} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(CODE), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=120)
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


def test_each_method_stands_in_both_frameworks():
    theirs = sorted(path.stem for path in (PACKAGE / "tensorflow").glob("*.py") if path.stem != "__init__")
    assert METHODS == theirs


@pytest.mark.parametrize("method", METHODS)
def test_both_frameworks_have_the_same_names_and_arguments(method):
    ours = pytest.importorskip(f"dtlbook.torch.{method}")
    theirs = pytest.importorskip(f"dtlbook.tensorflow.{method}")
    only_here = {"training": {"cross_entropy"}}.get(method, set())  # PyTorch brings a cross-entropy of its own
    assert set(theirs.__all__) - set(ours.__all__) <= only_here and set(ours.__all__) <= set(theirs.__all__)
    for name in ours.__all__:
        a, b = (
            list(inspect.signature(getattr(module, name)).parameters)
            for module in (ours, theirs)
            if callable(getattr(module, name))
        )
        only_torch = ("device", "compiled", "graph")  # in TensorFlow every update is a graph, placed by TensorFlow
        assert [n for n in a if n not in only_torch] == b, name
