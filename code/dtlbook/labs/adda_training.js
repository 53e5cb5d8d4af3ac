// The ADDA lab without its page: settings, both stages on two moons, the sizes of both encoder gradients.
// Uses core.js, settings.js and moons_run.js.

/** Every setting: where it begins and what it may be. */
export const LIMITS = {
  minimax: { start: false }, // which loss moves M_t; the gradients of both are measured
  optimizer: { start: "adam", choices: ["adam", "sgd"] }, // of stage 2
  head: { start: 500, least: 0, most: 5000, whole: true, stops: [0, 50, 200, 500, 1000, 2000] }, // steps of D alone before M_t's first
  lam: { start: 1, least: 0, most: 100, stops: [0, 0.03, 0.1, 0.3, 1, 3, 10] }, // M_t's learning rate over D's
  rotation: { start: 30, least: -180, most: 180, stops: Array.from({ length: 37 }, (_, i) => 5 * i) },
  shift: { start: 0, least: -10, most: 10, stops: [0, 1, 2, 3, 4, 5, 6] }, // of the target, to the right
  share: { start: 0.5, least: 0.05, most: 0.95, stops: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] },
  rate: { start: 0.003, least: 0.00001, most: 1, stops: [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1] }, // D's, in stage 2
  width: { start: 16, least: 1, most: 64, whole: true, stops: [2, 4, 8, 16, 32, 64] },
  seed: { start: 0, least: 0, most: 999999, whole: true },
};
const FAR = { rotation: 0, shift: 5, head: 2000, optimizer: "sgd", rate: 0.1, lam: 0.03 };
export const PRESETS = {
  inverted: {},
  "head-0": { head: 0 },
  "far-minimax": { ...FAR, minimax: true },
  "far-inverted": FAR,
  "label-shift": { rotation: 0, share: 0.9 },
};
/** Where each of the "try this" begins: a preset, and what is set otherwise. */
export const EXPERIMENTS = [["inverted"], ["far-minimax"], ["label-shift"]];
export const SETTINGS = settingsFor("adda", LIMITS, PRESETS, EXPERIMENTS);
export const { settingsOf, readFragment, writeFragment } = SETTINGS;
export const FIRST = 1000, STEPS = 2000; // updates of stage 1; of M_t in stage 2
const HIDDEN = 16, FIRST_RATE = 0.03; // width of D; learning rate of stage 1

/** One step of Adam with β₁ = 0.5, β₂ = 0.999, ε = 1e−8; the net keeps its two means. */
export function adam(net, mu) {
  const { theta, gradient } = net, state = net.adam ??= { m: new Float64Array(theta.length), v: new Float64Array(theta.length), left1: 1, left2: 1 };
  state.left1 *= 0.5;
  state.left2 *= 0.999;
  const rate = mu / (1 - state.left1), root = Math.sqrt(1 - state.left2);
  for (let i = 0; i < theta.length; i++) {
    const g = gradient[i];
    state.m[i] = 0.5 * state.m[i] + 0.5 * g;
    state.v[i] = 0.999 * state.v[i] + 0.001 * g * g;
    theta[i] -= rate * state.m[i] / (Math.sqrt(state.v[i]) / root + 1e-8);
  }
}

const size = (gradient) => Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));

/** Both stages. λ, learning rate, loss and optimizer may be changed while it goes on; all else makes another run. */
export class AddaRun extends MoonsRun {
  constructor(settings) {
    super(settings, ["stage", "label_loss", "domain_loss", "encoder_loss", "inverted_gradient", "minimax_gradient", "target_logit"], 25);
    const { width } = settings;
    this.nets = {
      s: network([2, width, 2], ["tanh", "linear"], this.weights), // M_s
      y: network([2, 2], ["linear"], this.weights), // C
      d: network([2, HIDDEN, 1], ["tanh", "linear"], this.weights), // D: one logit, above 0 for "target"
      t: network([2, width, 2], ["tanh", "linear"]), // M_t: nothing before stage 2
    };
    this.stage = 1;
    this.next = "D"; // whose step is next in stage 2
    this.taken = { D: 0, M: 0 };
    this.latest = {}; // losses and gradient sizes of the latest step
  }

  /** Of the source by M_s; of the target by M_t, in stage 1 by M_s too. A copy. */
  features(x, domain) { return forward(domain && this.stage === 2 ? this.nets.t : this.nets.s, x, x.length / 2).slice(0, x.length); }
  domainLogit(features) { return forward(this.nets.d, features, features.length / 2).slice(0, features.length / 2); }
  measure() {
    const z = this.stage === 2 ? this.domainLogit(this.features(this.targetTest.x, 1)) : null;
    return { ...super.measure(), target_logit: z && z.reduce((sum, v) => sum + v / z.length, 0) };
  }

  /** Whether something is over with this step: "stage 1", "head" (D alone), "end"; else null. */
  get over() {
    const { taken: { D, M }, settings: { head } } = this;
    if (this.stage === 1 || this.next === "M") return null;
    return D === 0 ? "stage 1" : D === head && M === 0 ? "head" : M === STEPS ? "end" : null;
  }

  /** A step of stage 1, or of D alone, or of D and then M_t. */
  advance() {
    this.half();
    if (this.next === "M") this.half();
  }
  /** A step of stage 1, or of one of the two players of stage 2. */
  half() { if (this.stage === 1) this.learn(); else if (this.next === "D") this.discriminate(); else this.encode(); }

  learn() {
    const { nets, batch, labels } = this, up = new Float64Array(2 * BATCH);
    this.draw();
    const label_loss = crossEntropy(forward(nets.y, forward(nets.s, batch, BATCH), BATCH), labels, BATCH, 2, up);
    backward(nets.s, backward(nets.y, up, BATCH), BATCH);
    descend(nets.s, FIRST_RATE, MOMENTUM);
    descend(nets.y, FIRST_RATE, MOMENTUM);
    this.latest = { label_loss };
    this.keep(this.latest, { stage: 1 });
    if (this.step < FIRST) return;
    this.stage = 2; // from here on M_s and C stay as they are
    nets.t.theta.set(nets.s.theta);
  }

  /** D down L_D, on a new batch; M_t is not moved. */
  discriminate() {
    const { nets, batch } = this, end = 2 * BATCH, features = new Float64Array(2 * end), into = new Float64Array(end);
    this.draw();
    features.set(this.features(batch.subarray(0, end), 0));
    features.set(this.features(batch.subarray(end), 1), end);
    const domain_loss = domainLoss(forward(nets.d, features, end), BATCH, BATCH, into);
    backward(nets.d, into, end);
    this.update(nets.d, this.settings.rate);
    this.latest = { domain_loss, ...this.encoder() };
    if (++this.taken.D > this.settings.head) this.next = "M";
    else this.keep(this.latest, { stage: 2 });
  }

  /** M_t down L_M of the same batch, against the new D. */
  encode() {
    this.latest = { ...this.latest, ...this.encoder() };
    this.update(this.nets.t, this.settings.lam * this.settings.rate);
    this.taken.M++;
    this.next = "D";
    this.keep(this.latest, { stage: 2 });
  }

  /** L_M of the batch, the length of ∂L_M/∂θ_t by inverted labels and by minimax; that of the loss in use is left in nets.t.gradient. */
  encoder() {
    const { minimax } = this.settings, sizes = {};
    let encoder_loss;
    for (const one of [!minimax, minimax]) {
      encoder_loss = this.encoderGradient(one);
      sizes[one ? "minimax_gradient" : "inverted_gradient"] = size(this.nets.t.gradient);
    }
    return { encoder_loss, ...sizes };
  }
  encoderGradient(minimax) {
    const { nets: { t, d }, batch } = this, into = new Float64Array(BATCH);
    const loss = encoderLoss(forward(d, forward(t, batch.subarray(2 * BATCH), BATCH), BATCH), BATCH, minimax, into);
    backward(t, backward(d, into, BATCH), BATCH);
    return loss;
  }
  update(net, rate) { if (this.settings.optimizer === "adam") adam(net, rate); else descend(net, rate, 0); }

  /** At target features [n, 2], the way on which L_M falls: direction −∂z/∂f, length ∂L_M/∂z of the point, between 0 and 1. */
  pull(features) {
    const n = features.length / 2, z = this.domainLogit(features), at = backward(this.nets.d, new Float64Array(n).fill(1), n), sign = this.settings.minimax ? -1 : 1;
    return Float64Array.from({ length: 2 * n }, (_, i) => {
      const k = i >> 1, length = Math.sqrt(squared(at[2 * k]) + squared(at[2 * k + 1])) || 1;
      return -sigmoid(sign * z[k]) * at[i] / length;
    });
  }
}
