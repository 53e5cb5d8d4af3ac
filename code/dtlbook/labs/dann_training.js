// The DANN lab without its page: settings, a training run on two moons, what is measured of it. Uses core.js, settings.js and
// moons_run.js.

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
const HIDDEN = 16; // width of G_d

/** A training run. λ, learning rate and schedule may be changed while it goes on; all else makes another run. */
export class DannRun extends MoonsRun {
  constructor(settings) {
    super(settings, ["lam", "learning_rate", "label_loss", "domain_loss"], EVERY);
    this.nets = {
      f: network([2, settings.width, 2], ["tanh", "linear"], this.weights),
      y: network([2, 2], ["linear"], this.weights),
      d: network([2, HIDDEN, 1], ["tanh", "linear"], this.weights),
    };
  }

  /** Progress p, 0 … 1; after the end of the run it stays 1. */
  get progress() { return Math.min(this.step / (STEPS - 1), 1); }
  get lam() { return this.settings.lam * (this.settings.scheduled ? lambdaSchedule(this.progress) : 1); }
  get rate() { return this.settings.scheduled ? rateSchedule(this.progress, this.settings.rate) : this.settings.rate; }

  /** One update of all three parts. */
  advance() {
    const { batch, labels, nets, lam, rate } = this;
    this.draw();
    const { label, domain } = dannGradients(nets, batch, labels, BATCH, BATCH, lam);
    for (const part of [nets.f, nets.y, nets.d]) descend(part, rate, MOMENTUM);
    this.keep({ label_loss: label, domain_loss: domain }, { lam, learning_rate: rate });
  }

  /** A copy, as the network overwrites its own. */
  features(x) { return forward(this.nets.f, x, x.length / 2).slice(0, x.length); }
  /** The logit of "target" at features [n, 2]. */
  domainLogit(features) { return forward(this.nets.d, features, features.length / 2).slice(0, features.length / 2); }

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
