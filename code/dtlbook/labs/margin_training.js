// The margin lab without its page: settings, a training run of CCSA on two moons, what is measured of it. Uses core.js, settings.js, moons_run.js.

/** Every setting: where it begins and what it may be. */
export const LIMITS = {
  alpha: { start: 0.25, least: 0, most: 1, stops: [0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1] },
  margin: { start: 1, least: 0, most: 20, stops: [0, 0.25, 0.5, 1, 2, 4, 8] },
  labels: { start: 3, least: 1, most: 10, whole: true, stops: [1, 2, 3, 5, 10] },
  rotation: { start: 60, least: -180, most: 180, stops: Array.from({ length: 37 }, (_, i) => 5 * i) },
  rate: { start: 0.03, least: 0.0001, most: 1, stops: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3] },
  seed: { start: 0, least: 0, most: 999999, whole: true },
};
export const PRESETS = {
  pairs: {},
  "alpha-0": { alpha: 0 },
  "alpha-1": { alpha: 1 },
  collapse: { alpha: 1, margin: 0 },
  opposite: { rotation: 180 },
};
/** Where each of the "try this" begins: a preset, and what is set otherwise. */
export const EXPERIMENTS = [["alpha-0"], ["collapse"], ["pairs", { labels: 1 }]];
export const SETTINGS = settingsFor("margin", LIMITS, PRESETS, EXPERIMENTS);
export const { settingsOf, readFragment, writeFragment } = SETTINGS;
export const STEPS = 2000, EVERY = 20; // updates in a run; between two records
const WIDTH = 16; // hidden units of G_f

/**
 * Losses of one CCSA batch, and the gradients of (1 − α) L_C + α (L_SA + L_S) in the `gradient` of f and y. x holds n rows of the
 * source, then m labelled rows of the target; labels those of the source, few those of the target.
 */
export function ccsaGradients({ f, y }, x, labels, few, n, m, alpha, margin) {
  if (!(alpha >= 0 && alpha <= 1)) refuse(`α must lie between 0 and 1, not ${alpha}.`);
  finite(margin, "the margin", 0);
  const k = f.layers.at(-1).outputs, classes = y.layers.at(-1).outputs;
  const features = forward(f, x, n + m).subarray(0, (n + m) * k);
  const up = new Float64Array(n * classes), atFeature = new Float64Array((n + m) * k);
  const label = crossEntropy(forward(y, features, n), labels, n, classes, up);
  const { alignment, separation } = contrastive(features.subarray(0, n * k), labels, features.subarray(n * k), few, n, m, k, margin,
    atFeature.subarray(0, n * k), atFeature.subarray(n * k));
  for (let i = 0; i < up.length; i++) up[i] *= 1 - alpha;
  const fromLabels = backward(y, up, n);
  for (let i = 0; i < atFeature.length; i++) atFeature[i] = alpha * atFeature[i] + (i < n * k ? fromLabels[i] : 0);
  backward(f, atFeature, n + m);
  return { label, alignment, separation };
}

/** A training run. α, m and the learning rate may be changed while it goes on; all else makes another run. */
export class MarginRun extends MoonsRun {
  constructor(settings) {
    super(settings, ["alpha", "margin", "label_loss", "alignment_loss", "separation_loss", "distance_same", "distance_other"], EVERY);
    const { x, y } = this.target, kept = [0, 1].flatMap((c) => Array.from(y.keys()).filter((i) => y[i] === c).slice(0, settings.labels));
    this.few = { x: Float64Array.from(kept.flatMap((i) => [x[2 * i], x[2 * i + 1]])), y: Int32Array.from(kept, (i) => y[i]) };
    this.nets = { f: network([2, WIDTH, 2], ["tanh", "linear"], this.weights), y: network([2, 2], ["linear"], this.weights) };
    this.batch = new Float64Array(2 * (BATCH + kept.length));
    this.batch.set(this.few.x, 2 * BATCH); // the labelled target points are in every batch, the others in none
  }

  /** One update of both parts. */
  advance() {
    const { batch, labels, source, few, nets, settings: { alpha, margin, rate } } = this;
    for (let i = 0; i < BATCH; i++) {
      const s = this.chance.integer(POINTS);
      batch[2 * i] = source.x[2 * s];
      batch[2 * i + 1] = source.x[2 * s + 1];
      labels[i] = source.y[s];
    }
    const { label, alignment, separation } = ccsaGradients(nets, batch, labels, few.y, BATCH, few.y.length, alpha, margin);
    for (const part of [nets.f, nets.y]) descend(part, rate, MOMENTUM);
    this.keep({ alpha, margin, label_loss: label, alignment_loss: alignment, separation_loss: separation });
  }

  /** On test points, as everywhere; and the mean distance of the training pairs of one class and of two. */
  measure() {
    const { source, few } = this, a = this.features(source.x), b = this.features(few.x), sums = [0, 0], counts = [0, 0];
    source.y.forEach((y, i) => few.y.forEach((other, j) => {
      const kind = +(y !== other);
      sums[kind] += Math.sqrt(squared(a[2 * i] - b[2 * j]) + squared(a[2 * i + 1] - b[2 * j + 1]));
      counts[kind]++;
    }));
    return { ...super.measure(), distance_same: sums[0] / counts[0], distance_other: sums[1] / counts[1] };
  }

  /** A copy, as the network overwrites its own. */
  features(x) { return forward(this.nets.f, x, x.length / 2).slice(0, x.length); }

  /** The pair of source point i and labelled target point j: both features, d, is it of one class, its loss, −∂loss/∂f of both. */
  pairAt(i, j) {
    const a = this.features(this.source.x.slice(2 * i, 2 * i + 2)), b = this.features(this.few.x.slice(2 * j, 2 * j + 2));
    const y = this.source.y.subarray(i, i + 1), other = this.few.y.subarray(j, j + 1), toA = new Float64Array(2), toB = new Float64Array(2);
    const { alignment, separation } = contrastive(a, y, b, other, 1, 1, 2, this.settings.margin, toA, toB);
    const d = Math.sqrt(squared(a[0] - b[0]) + squared(a[1] - b[1]));
    return { a, b, d, same: y[0] === other[0], loss: alignment + separation, a_moves: toA.map((g) => -g), b_moves: toB.map((g) => -g) };
  }
}
