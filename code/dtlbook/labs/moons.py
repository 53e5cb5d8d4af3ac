"""The still picture of a lab that trains on two moons: input space and feature space at the end of a run."""

from __future__ import annotations

# JavaScript: (run, encode, inputLines, featureLines) -> what `picture` draws. `encode` takes (x, domain) to features, the
# lines take the points of a grid to numbers whose sign changes at the boundary.
END = """((run, encode, inputLines, featureLines) => {
  const shown = 80, domains = [run.source, run.target];
  const points = [domains.map(({ x }) => x.slice(0, 2 * shown)), domains.map(({ x }, domain) => encode(x.slice(0, 2 * shown), domain))];
  const grids = points.map((pair) => {
    const all = pair.flatMap((x) => Array.from(x)), ends = [0, 1].map((c) => {
      const of = all.filter((_, i) => i % 2 === c), low = Math.min(...of), high = Math.max(...of), rim = 0.06 * (high - low);
      return [low - rim, high + rim]; });
    return ends.map(([low, high]) => Array.from({ length: 50 }, (_, i) => low + (high - low) * i / 49));
  });
  const flat = ([xs, ys]) => Float64Array.from(ys.flatMap((v) => xs.flatMap((u) => [u, v])));
  return {
    ...run.measure(), grids, labels: domains.map(({ y }) => Array.from(y.slice(0, shown))),
    points: points.map((pair) => pair.map((x) => Array.from(x))),
    lines: [inputLines, featureLines].map((lines, k) => lines.map((line) => Array.from(line(flat(grids[k]))))),
  };
})"""


def picture(end: dict, styles: tuple[list[tuple[str, str]], list[tuple[str, str]]]):
    """Both planes; ``styles`` has (name of the colour, line style) of each line in the input and in the feature space."""
    import matplotlib.pyplot as plt
    import numpy as np

    from dtlbook.figures import PALETTE, STYLE

    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, 2, figsize=(5.2, 2.9))
        for k, (ax, title) in enumerate(zip(axes, ("input space", "feature space"), strict=True)):
            for d, (name, shape) in enumerate((("source", "o"), ("target", "^"))):
                x, y = np.reshape(end["points"][k][d], (-1, 2)), np.array(end["labels"][d])
                for label, fill in ((0, PALETTE["paper"]), (1, PALETTE[name])):
                    style = {"marker": shape, "s": 14, "facecolor": fill, "edgecolor": PALETTE[name], "linewidth": 1}
                    ax.scatter(*x[y == label].T, **style, label=name if label else None)
            for values, (colour, line) in zip(end["lines"][k], styles[k], strict=True):
                ax.contour(*end["grids"][k], np.reshape(values, (50, 50)), levels=[0], colors=PALETTE[colour],
                           linestyles=line, linewidths=2)  # fmt: skip
            ax.set(xticks=[], yticks=[], title=title)
        fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    plt.close(fig)
    return fig
