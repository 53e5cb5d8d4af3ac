// The MMD lab without its page: two samples and their test, and DDC on two moons. Uses core.js, settings.js and moons_run.js.

/** Every setting: where it begins and what it may be. */
export const LIMITS = {
  view: { start: "samples", choices: ["samples", "ddc"] },
  kernel: { start: "rbf", choices: ["rbf", "linear"] },
  median: { start: true }, // σ is the median distance, and `sigma` waits
  sigma: { start: 1, least: 0.01, most: 100, stops: [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20] },
  // two samples
  dx: { start: 1, least: -10, most: 10, stops: Array.from({ length: 33 }, (_, i) => i / 4 - 4) }, // centre of the target; the source's is 0
  dy: { start: 0, least: -10, most: 10, stops: Array.from({ length: 25 }, (_, i) => i / 4 - 3) },
  spread: { start: 1, least: 0.1, most: 5, stops: [0.2, 0.5, 0.8, 1, 1.2, 1.5, 2, 2.5, 3] }, // of the target; the source's is 1
  size: { start: 40, least: 2, most: 100, whole: true, stops: [5, 10, 20, 40, 60, 80, 100] }, // points of each sample
  // DDC
  lam: { start: 10, least: 0, most: 100, stops: [0, 0.1, 0.3, 1, 3, 10, 20, 30] },
  rotation: { start: 30, least: -180, most: 180, stops: Array.from({ length: 37 }, (_, i) => 5 * i) },
  rate: { start: 0.03, least: 0.0001, most: 1, stops: [0.001, 0.003, 0.01, 0.03, 0.1] },
  seed: { start: 0, least: 0, most: 999999, whole: true },
};
export const PRESETS = {
  shifted: {},
  same: { dx: 0 },
  wider: { dx: 0, spread: 2.5 },
  ddc: { view: "ddc" },
  "ddc-0": { view: "ddc", lam: 0 },
  "ddc-1": { view: "ddc", lam: 1 },
};
/** Where each of the "try this" begins: a preset, and what is set otherwise. */
export const EXPERIMENTS = [["same"], ["wider", { kernel: "linear" }], ["ddc-0"]];
export const SETTINGS = settingsFor("mmd", LIMITS, PRESETS, EXPERIMENTS);
export const { settingsOf, readFragment, writeFragment } = SETTINGS;
export const PERMUTATIONS = 500, STEPS = 2000; // cuts of the null distribution; updates in a run
const WIDTH = 16; // of G_f

/** Two samples of round normal clouds, [size, 2] each; where the target stands changes nothing of the draws. */
export function samples({ seed, size, dx, dy, spread }) {
  const chance = generator(2 * seed + 1), source = new Float64Array(2 * size), target = new Float64Array(2 * size);
  for (let i = 0; i < 2 * size; i++) source[i] = chance.normal();
  for (let i = 0; i < 2 * size; i++) target[i] = spread * chance.normal() + (i % 2 ? dy : dx);
  return { source, target };
}

/** The bandwidths that `mmd2` takes: null for the linear kernel. Of samples x [n, 2] and y [m, 2]. */
export const bandwidthsOf = ({ kernel, median, sigma }, x, y) => (kernel === "linear" ? null
  : [median ? medianBandwidth(x, y, x.length / 2, y.length / 2, 2) : sigma]);

/** k(a, b) of two points of the plane, at these places of the tables. */
const kernelAt = (a, i, b, j, sigma) => {
  const [u, v, s, t] = [a[2 * i], a[2 * i + 1], b[2 * j], b[2 * j + 1]];
  return sigma === null ? u * s + v * t : exp(-(squared(u - s) + squared(v - t)) / (2 * sigma * sigma));
};

/** Witness function, mean of k(x_i, t) − mean of k(y_j, t), at points t [p, 2]: above 0 where x is denser. */
export function witness(x, y, points, sigma) {
  return Float64Array.from({ length: points.length / 2 }, (_, p) => {
    let at = 0;
    for (let i = 0; i < x.length / 2; i++) at += kernelAt(x, i, points, p, sigma) / (x.length / 2);
    for (let j = 0; j < y.length / 2; j++) at -= kernelAt(y, j, points, p, sigma) / (y.length / 2);
    return at;
  });
}

/**
 * The permutation test of x [n, 2] and y [m, 2]: { observed, values, pValue, critical }. values are the unbiased MMD² of
 * random cuts of the pooled sample; pValue is (1 + how many reach the observed) / (1 + cuts), at most 0.05 where the observed
 * is above critical.
 */
export function permutationTest(x, y, sigma, seed, cuts = PERMUTATIONS) {
  const n = whole(x.length / 2, "the number of source examples", 2), m = whole(y.length / 2, "the number of target examples", 2), all = n + m;
  const pooled = new Float64Array(2 * all), gram = new Float64Array(all * all), row = new Float64Array(all), chance = generator(2 * seed);
  pooled.set(x);
  pooled.set(y, 2 * n);
  const middle = [0, 0]; // moving the pooled sample leaves MMD² as it is, and the linear kernel its digits
  for (let i = 0; i < 2 * all; i++) middle[i % 2] += pooled[i] / all;
  for (let i = 0; i < 2 * all; i++) pooled[i] -= middle[i % 2];
  let total = 0;
  for (let i = 0; i < all; i++) for (let j = 0; j < i; j++) {
    const value = kernelAt(pooled, i, pooled, j, sigma);
    gram[i * all + j] = gram[j * all + i] = value; // the diagonal stays 0: the unbiased estimate leaves i = j out
    row[i] += value;
    row[j] += value;
    total += 2 * value;
  }
  const cut = (order) => { // its first n are called x
    let inside = 0, toAll = 0;
    for (let a = 0; a < n; a++) {
      const from = order[a] * all;
      toAll += row[order[a]];
      for (let b = 0; b < a; b++) inside += gram[from + order[b]];
    }
    const between = toAll - 2 * inside;
    return 2 * inside / (n * (n - 1)) + (total - 2 * inside - 2 * between) / (m * (m - 1)) - 2 * between / (n * m);
  };
  const observed = cut(Int32Array.from({ length: all }, (_, i) => i)), values = new Float64Array(cuts);
  for (let c = 0; c < cuts; c++) values[c] = cut(chance.shuffled(all));
  const slack = 1e-12 * values.reduce((most, value) => Math.max(most, Math.abs(value)), Math.abs(observed)); // one cut may differ in its last digit
  const reached = values.reduce((count, value) => count + (value >= observed - slack), 0), sorted = values.slice().sort();
  return { observed, values, pValue: (1 + reached) / (1 + cuts), critical: sorted[cuts - Math.floor(0.05 * (1 + cuts))] };
}

/** All that is told of the two samples. */
export function compare(settings) {
  const { source, target } = samples(settings), bandwidths = bandwidthsOf(settings, source, target), sigma = bandwidths && bandwidths[0];
  const n = settings.size, both = (unbiased) => mmd2(source, target, n, n, 2, bandwidths, unbiased);
  return { source, target, sigma, biased: both(false), unbiased: both(true), ...permutationTest(source, target, sigma, settings.seed) };
}

/** DDC: L_y + λ MMD² (unbiased) of the features. λ, kernel and learning rate may be changed while it goes on. */
export class DdcRun extends MoonsRun {
  constructor(settings) {
    super(settings, ["lam", "label_loss", "mmd2"], 25);
    this.nets = { f: network([2, WIDTH, 2], ["tanh", "linear"], this.weights), y: network([2, 2], ["linear"], this.weights) };
    this.up = new Float64Array(2 * BATCH);
    this.toSource = new Float64Array(2 * BATCH);
    this.toTarget = new Float64Array(2 * BATCH);
    this.atFeature = new Float64Array(4 * BATCH);
  }

  features(x) { return forward(this.nets.f, x, x.length / 2).slice(0, x.length); }

  /** Both losses of this.batch, and the gradients of their sum L_y + λ MMD² in the nets. */
  gradients() {
    const { nets: { f, y }, settings, labels, up, toSource, toTarget, atFeature } = this, end = 2 * BATCH;
    const features = forward(f, this.batch, 2 * BATCH), source = features.subarray(0, end), target = features.subarray(end, 2 * end);
    const label_loss = crossEntropy(forward(y, source, BATCH), labels, BATCH, 2, up);
    const apart = mmd2(source, target, BATCH, BATCH, 2, bandwidthsOf(settings, source, target), true, toSource, toTarget);
    const fromLabels = backward(y, up, BATCH);
    for (let i = 0; i < end; i++) {
      atFeature[i] = fromLabels[i] + settings.lam * toSource[i];
      atFeature[end + i] = settings.lam * toTarget[i];
    }
    backward(f, atFeature, 2 * BATCH);
    return { label_loss, mmd2: apart };
  }

  advance() {
    const { nets: { f, y }, settings: { lam, rate } } = this;
    this.draw();
    const losses = this.gradients();
    descend(f, rate, MOMENTUM);
    descend(y, rate, MOMENTUM);
    this.keep(losses, { lam });
  }

  /** Where −∂MMD²/∂f points at features of both domains, [n, 2] each; and the bandwidth, null for the linear kernel. */
  pull(source, target) {
    const bandwidths = bandwidthsOf(this.settings, source, target), into = [source, target].map((x) => new Float64Array(x.length));
    mmd2(source, target, source.length / 2, target.length / 2, 2, bandwidths, true, ...into);
    return { pulls: into.map((g) => g.map((v) => -v)), sigma: bandwidths && bandwidths[0] };
  }
}
