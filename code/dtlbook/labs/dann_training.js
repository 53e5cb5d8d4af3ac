// The DANN lab without its page: settings, a training run on two moons, what is measured of it. Uses core.js and settings.js.

/** Every setting: where it begins and what it may be. */
export const LIMITS = {
  lam: { start: 1, least: 0, most: 100, stops: [0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 30, 100] },
  rotation: { start: 35, least: -180, most: 180, stops: Array.from({ length: 37 }, (_, i) => 5 * i) },
  share: { start: 0.5, least: 0.05, most: 0.95, stops: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] },
  rate: { start: 0.03, least: 0.0001, most: 1, stops: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3] },
  width: { start: 16, least: 1, most: 64, whole: true, stops: [2, 4, 8, 16, 32, 64] },
  seed: { start: 0, least: 0, most: 999999, whole: true },
  scheduled: { start: true },
};
export const PRESETS = {
  rotated: {},
  "lambda-0": { lam: 0 },
  "lambda-large": { lam: 30, rate: 0.1, scheduled: false },
  "label-shift": { lam: 5, rotation: 0, share: 0.9 },
};
/** Where each of the "try this" begins: a preset, and what is set otherwise. */
export const EXPERIMENTS = [["lambda-0"], ["lambda-0", { rotation: 180 }], ["label-shift", { lam: 0 }]];
export const SETTINGS = settingsFor("dann", LIMITS, PRESETS, EXPERIMENTS);
export const { settingsOf, readFragment, writeFragment } = SETTINGS;
export const STEPS = 3000, EVERY = 25; // updates in a run; between two records
const POINTS = 200, BATCH = 32, MOMENTUM = 0.9, HIDDEN = 16; // of each domain; width of G_d

/** A training run. λ, learning rate and schedule may be changed while it goes on; all else makes another run. */
export class DannRun {
  constructor(settings) {
    this.settings = { ...settings };
    const { seed, rotation: degrees, share, width } = settings;
    const weights = generator(3 * seed), points = generator(3 * seed + 1); // a width does not change the points
    this.chance = generator(3 * seed + 2);
    this.source = moons(points, POINTS);
    this.sourceTest = moons(points, POINTS);
    this.target = moons(points, POINTS, { degrees, share });
    this.targetTest = moons(points, POINTS, { degrees, share });
    this.nets = {
      f: network([2, width, 2], ["tanh", "linear"], weights),
      y: network([2, 2], ["linear"], weights),
      d: network([2, HIDDEN, 1], ["tanh", "linear"], weights),
    };
    this.step = 0;
    this.batch = new Float64Array(4 * BATCH);
    this.labels = new Int32Array(BATCH);
    this.sums = { label: 0, domain: 0, count: 0 };
    this.history = {
      step: [], lam: [], learning_rate: [], label_loss: [], domain_loss: [], source_accuracy: [], target_accuracy: [], proxy_a_distance: [],
    };
  }

  /** Progress p, 0 … 1; after the end of the run it stays 1. */
  get progress() { return Math.min(this.step / (STEPS - 1), 1); }
  get lam() { return this.settings.lam * (this.settings.scheduled ? lambdaSchedule(this.progress) : 1); }
  get rate() { return this.settings.scheduled ? rateSchedule(this.progress, this.settings.rate) : this.settings.rate; }

  /** One update of all three parts. */
  advance() {
    const { batch, labels, source, target, chance, nets, lam, rate } = this;
    for (let i = 0; i < BATCH; i++) {
      const s = chance.integer(POINTS), t = chance.integer(POINTS), j = BATCH + i;
      batch[2 * i] = source.x[2 * s];
      batch[2 * i + 1] = source.x[2 * s + 1];
      labels[i] = source.y[s];
      batch[2 * j] = target.x[2 * t]; // the target's labels are not looked at
      batch[2 * j + 1] = target.x[2 * t + 1];
    }
    const { label, domain } = dannGradients(nets, batch, labels, BATCH, BATCH, lam);
    for (const part of [nets.f, nets.y, nets.d]) descend(part, rate, MOMENTUM);
    this.sums.label += label;
    this.sums.domain += domain;
    this.sums.count++;
    this.step++;
    if (this.step % EVERY === 0) this.record(lam, rate);
  }

  record(lam, rate) {
    const { label, domain, count } = this.sums, h = this.history, now = this.measure();
    const entry = { step: this.step, lam, learning_rate: rate, label_loss: label / count, domain_loss: domain / count, ...now };
    for (const [name, value] of Object.entries(entry)) h[name].push(value);
    this.sums = { label: 0, domain: 0, count: 0 };
  }

  /** On test points: both accuracies and the PAD of the features. */
  measure() {
    const source = this.features(this.sourceTest.x), target = this.features(this.targetTest.x);
    return {
      source_accuracy: this.accuracy(source, this.sourceTest.y), target_accuracy: this.accuracy(target, this.targetTest.y),
      proxy_a_distance: proxyADistance(source, target, POINTS, POINTS),
    };
  }

  /** A copy, as the network overwrites its own. */
  features(x) { return forward(this.nets.f, x, x.length / 2).slice(0, x.length); }
  /** How much the logit of class 1 is above that of class 0, and the logit of "target", at features [n, 2]. */
  labelLogit(features) {
    const n = features.length / 2, z = forward(this.nets.y, features, n);
    return Float64Array.from({ length: n }, (_, i) => z[2 * i + 1] - z[2 * i]);
  }
  domainLogit(features) { return forward(this.nets.d, features, features.length / 2).slice(0, features.length / 2); }
  accuracy(features, y) {
    const z = this.labelLogit(features);
    return y.reduce((right, label, i) => right + ((z[i] > 0) === (label === 1)), 0) / y.length;
  }

  /**
   * The three gradients of one training point's own losses: ∂L_y/∂f (0 for a target point, whose label nobody has), +∂L_d/∂f as
   * G_d sends it up, −λ∂L_d/∂f as the reversal layer hands it on, and the length of +∂L_d/∂θ_d.
   */
  gradientsAt(domain, i) {
    const { x, y } = domain === 0 ? this.source : this.target, { nets } = this;
    const f = this.features(x.slice(2 * i, 2 * i + 2)), sign = domain === 0 ? 1 : -1;
    const z = forward(nets.d, f, 1)[0];
    const d = backward(nets.d, Float64Array.of(sign * sigmoid(sign * z)), 1).slice(0, 2);
    const length = Math.sqrt(nets.d.gradient.reduce((sum, g) => sum + g * g, 0));
    const label = new Float64Array(2);
    if (domain === 0) {
      const up = new Float64Array(2);
      crossEntropy(forward(nets.y, f, 1), [y[i]], 1, 2, up);
      label.set(backward(nets.y, up, 1).subarray(0, 2));
    }
    return { f, label, domain: d, reversed: reverse(d.slice(), this.lam, 2), length };
  }
}
