// What the runs on two moons share: the points, the batches, what is measured and kept. Uses core.js.

export const POINTS = 200, BATCH = 32, MOMENTUM = 0.9; // of each domain; of each domain; of SGD

/** Source, target and test points, in every lab the same for the same seed; batches; a history. Each lab adds its networks. */
export class MoonsRun {
  /** `names` are the curves of the history, given to `keep` or measured; to them come the three that every run measures. */
  constructor(settings, names, every) {
    const { seed, rotation: degrees, share = 0.5, shift = 0 } = settings;
    this.settings = { ...settings };
    this.weights = generator(3 * seed);
    const points = generator(3 * seed + 1); // a width does not change the points
    this.chance = generator(3 * seed + 2);
    this.source = moons(points, POINTS);
    this.sourceTest = moons(points, POINTS);
    this.target = moons(points, POINTS, { degrees, share });
    this.targetTest = moons(points, POINTS, { degrees, share });
    for (const { x } of [this.target, this.targetTest]) for (let i = 0; i < x.length; i += 2) x[i] += shift; // to the right
    this.batch = new Float64Array(4 * BATCH); // BATCH rows of the source, then as many of the target
    this.labels = new Int32Array(BATCH);
    this.step = 0;
    this.every = every;
    this.sums = {};
    this.history = Object.fromEntries(["step", ...names, "source_accuracy", "target_accuracy", "proxy_a_distance"].map((name) => [name, []]));
  }

  draw() {
    const { batch, labels, source, target, chance } = this;
    for (let i = 0; i < BATCH; i++) {
      const s = chance.integer(POINTS), t = chance.integer(POINTS), j = BATCH + i;
      batch[2 * i] = source.x[2 * s];
      batch[2 * i + 1] = source.x[2 * s + 1];
      labels[i] = source.y[s];
      batch[2 * j] = target.x[2 * t]; // the target's labels are not looked at
      batch[2 * j + 1] = target.x[2 * t + 1];
    }
  }

  /** Counts the step; every so many steps `now`, the means of `losses` since the last time, and what is measured are kept. */
  keep(losses, now = {}) {
    this.step++;
    for (const [name, value] of Object.entries(losses)) {
      const [sum, count] = this.sums[name] ?? [0, 0];
      this.sums[name] = [sum + value, count + 1];
    }
    if (this.step % this.every) return;
    const means = Object.fromEntries(Object.entries(this.sums).map(([name, [sum, count]]) => [name, sum / count]));
    const entry = { step: this.step, ...now, ...means, ...this.measure() };
    for (const [name, values] of Object.entries(this.history)) values.push(entry[name] ?? null);
    this.sums = {};
  }

  /** On test points: both accuracies, each domain by its own encoder, and the PAD of the features. */
  measure() {
    const source = this.features(this.sourceTest.x, 0), target = this.features(this.targetTest.x, 1);
    return {
      source_accuracy: this.accuracy(source, this.sourceTest.y), target_accuracy: this.accuracy(target, this.targetTest.y),
      proxy_a_distance: proxyADistance(source, target, POINTS, POINTS),
    };
  }

  /** How much the logit of class 1 is above that of class 0 at features [n, 2]. */
  labelLogit(features) {
    const n = features.length / 2, z = forward(this.nets.y, features, n);
    return Float64Array.from({ length: n }, (_, i) => z[2 * i + 1] - z[2 * i]);
  }
  accuracy(features, y) {
    const z = this.labelLogit(features);
    return y.reduce((right, label, i) => right + ((z[i] > 0) === (label === 1)), 0) / y.length;
  }
}
