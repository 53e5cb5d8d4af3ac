"""The slider that the tests move: three values, two languages."""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat.v4
import numpy as np
from nbclient import NotebookClient

from dtlbook.figures import domain_scatter, use_style
from dtlbook.labs import sweep

LABEL = {"ko": "λ, 도메인 혼동의 무게", "en": "λ, the weight of domain confusion"}
PREDICT = {
    "ko": "λ를 키우면 두 도메인의 특성은 가까워질까, 멀어질까?",
    "en": "As λ grows, do the features of the two domains move together or apart?",
}
VALUES = [0, 0.3, 1]


def run(lam):
    """Two clouds whose distance shrinks with λ."""
    rng = np.random.default_rng(0)
    gap = 3 * (1 - lam)
    y = np.arange(300) % 3
    z = rng.normal(scale=0.5, size=(300, 2)) + 2 * np.eye(3)[y, :2]
    return {"gap": gap, "z": (z[:150] - gap / 2, z[150:] + gap / 2), "y": (y[:150], y[150:])}


def draw(result):
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(5.2, 2.8))
    domain_scatter(axes[0], *result["z"])
    domain_scatter(axes[1], *result["z"], *result["y"])
    axes[0].set_title("domains")
    axes[1].set_title("classes")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return fig


def describe(lam, result):
    gap = f"{result['gap']:.1f}"
    return {
        "ko": f"λ가 {lam}일 때 두 도메인의 중심은 {gap}만큼 떨어져 있다 & 겹치는 점을 세어 볼 수 있다.",
        "en": f'With λ = {lam} the centres of the "two" domains are {gap} apart & the overlap can be counted.',
    }


def example(**options):
    return sweep(VALUES, run, draw, **{"label": LABEL, "describe": describe, "predict": PREDICT, **options})


HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
START = f"import sys; sys.path[:0] = {[str(HERE), str(ROOT / 'code')]}\nfrom lab_example import example"


def executed(*cells, press=False):
    """A notebook of these cells, run as a reader's or as the press's."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (START, *cells)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    env = {**os.environ, "DTLBOOK_PRESS": "1" if press else "0", "OMP_NUM_THREADS": "1"}
    NotebookClient(notebook, timeout=120).execute(env=env)
    return notebook
