// The shift lab without its page: two clouds, a target moved or relabelled, what differs and what it costs. Uses core.js and settings.js.
//
// Source: y is 0 or 1 with probability ½ each, x is normal round (−1, 0) or (1, 0) with standard deviation SPREAD each way, so that
// p_S(1|x) = σ(2x₁/SPREAD²). The target is made from it by a map T(x) = scale · R x + (dx, dy), which carries along
//   both    the points with their labels;
//   points  the points; the rule p(y|x) stays, and labels are drawn by it where the points have come to lie;
//   labels  the rule; points stay, and labels are drawn as the rule says of T⁻¹(x).
// share is that of the right-hand cloud among the target's points, before T.

const between = (low, high, step) => Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => Math.round((low + i * step) * 100) / 100);
/** Every setting: where it begins and what it may be. */
export const LIMITS = {
  acts: { start: "both", choices: ["both", "points", "labels"] },
  dx: { start: 0, least: -3, most: 3, stops: between(-3, 3, 0.1) },
  dy: { start: 0, least: -3, most: 3, stops: between(-3, 3, 0.1) },
  rotation: { start: 0, least: -180, most: 180, stops: between(-180, 180, 5) },
  scale: { start: 1, least: 0.5, most: 2, stops: between(0.5, 2, 0.1) },
  share: { start: 0.5, least: 0.05, most: 0.95, stops: between(0.05, 0.95, 0.05) },
  space: { start: "plane", choices: ["plane", "line"] },
  answers: { start: "two", choices: ["two", "three"] },
  seed: { start: 0, least: 0, most: 999999, whole: true },
};
/** Named so that the answer has to be found: nothing, P(X), label shift, P(Y|X), both, 𝒳, 𝒴. */
export const PRESETS = {
  A: {}, B: { acts: "points", dx: 1.2 }, C: { share: 0.9 }, D: { acts: "labels", rotation: 60 },
  E: { dx: 1, rotation: 45, scale: 1.3 }, F: { space: "line" }, G: { answers: "three" },
};
/** Where each of the "try this" begins. */
export const EXPERIMENTS = [["A", { dy: -3 }], ["A", { acts: "labels", rotation: 180 }], ["A", { share: 0.9 }]];
export const SETTINGS = settingsFor("shift", LIMITS, PRESETS, EXPERIMENTS);
export const { settingsOf, readFragment, writeFragment } = SETTINGS;

export const SPREAD = 0.7, TRAINED = 400, TESTED = 2000; // standard deviation; points to learn from; points to measure on, of each domain
const DIFFERS = 1e-9; // equal distributions come out equal up to rounding

const density = (x, y, cx, s) => exp(-(squared(x - cx) + y * y) / (2 * s * s)) / (2 * 3.141592653589793 * s * s);
/** p_S(1|x): half of the points are of each class. */
export const rule = (x) => sigmoid(2 * x / (SPREAD * SPREAD));

/** T and its inverse: (x, y) -> [x, y]. */
export function mapping({ dx, dy, rotation, scale }) {
  const [c, s] = turn(rotation);
  return {
    there: (x, y) => [scale * (c * x - s * y) + dx, scale * (s * x + c * y) + dy],
    back: (x, y) => [(c * (x - dx) + s * (y - dy)) / scale, (-s * (x - dx) + c * (y - dy)) / scale],
  };
}

/** [p_S(x, 0), p_S(x, 1)] and [p_T(x, 0), p_T(x, 1)] at a point. */
export const sourceAt = (x, y) => [0.5 * density(x, y, -1, SPREAD), 0.5 * density(x, y, 1, SPREAD)];
export function targetAt(settings, { back }, x, y) {
  const { acts, share, scale } = settings, [u, v] = back(x, y);
  if (acts === "both") return [(1 - share) * density(u, v, -1, SPREAD) / (scale * scale), share * density(u, v, 1, SPREAD) / (scale * scale)];
  const [a, b] = acts === "points" ? [u, v] : [x, y], size = acts === "points" ? scale * scale : 1;
  const p = ((1 - share) * density(a, b, -1, SPREAD) + share * density(a, b, 1, SPREAD)) / size, one = rule(acts === "points" ? x : u);
  return [p * (1 - one), p * one];
}

/** p_T(y = 1), by the trapezoidal rule along the direction in which the rule rises. */
export function targetPrior(settings) {
  const { acts, share, scale } = settings;
  if (acts === "both") return share;
  const { there, back } = mapping(settings);
  const at = acts === "points" ? (c) => there(c, 0)[0] : (c) => back(c, 0)[0], wide = SPREAD * (acts === "points" ? scale : 1 / scale);
  const mean = (c) => {
    let sum = 0, weight = 0;
    for (let k = -200; k <= 200; k++) { const z = k / 20, w = exp(-z * z / 2); sum += w * rule(at(c) + wide * z); weight += w; }
    return sum / weight;
  };
  return (1 - share) * mean(-1) + share * mean(1);
}

/** The lab's world: samples, the source's classifier, and everything that is shown of them. */
export class Shift {
  constructor(settings) {
    const learning = generator(2 * settings.seed);
    this.train = this.sample(learning, TRAINED, 0.5);
    this.weights = logistic(this.train.x, this.train.y, new Float64Array(TRAINED).fill(1), TRAINED, 2);
    this.sourceTest = this.sample(learning, TESTED, 0.5);
    this.set(settings);
  }
  /** n points of the two clouds: x [n, 2], y, and u, where in (0, 1) each label lies when it is drawn by a rule. */
  sample(chance, n, share) {
    const x = new Float64Array(2 * n), y = new Int32Array(n), u = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      y[i] = +(chance.uniform() < share);
      x[2 * i] = 2 * y[i] - 1 + SPREAD * chance.normal();
      x[2 * i + 1] = SPREAD * chance.normal();
      u[i] = chance.uniform();
    }
    return { x, y, u };
  }
  /** The target anew; the source and its classifier depend on the seed alone. */
  set(settings) {
    this.settings = settings;
    const { acts, space, answers, seed, share } = settings, { there, back } = this.map = mapping(settings);
    const { x, y, u } = this.sample(generator(2 * seed + 1), TESTED, share);
    for (let i = 0; i < TESTED; i++) {
      let [a, b] = [x[2 * i], x[2 * i + 1]], [p, q] = [a, b];
      if (acts === "labels") [p, q] = back(a, b); else [a, b] = there(a, b);
      if (acts === "points") [p, q] = [a, b];
      if (acts !== "both") y[i] = +(u[i] < rule(p));
      if (answers === "three" && y[i] === 1 && q > 0) y[i] = 2; // the upper half of class 1 has an answer of its own
      x[2 * i] = a;
      x[2 * i + 1] = space === "line" ? 0 : b; // only the first number arrives
    }
    this.target = { x, y };
  }

  /** Logit of class 1 by the source's classifier, at points [n, 2]. */
  logit(x) {
    const [w, v, b] = this.weights;
    return Float64Array.from({ length: x.length / 2 }, (_, i) => w * x[2 * i] + v * x[2 * i + 1] + b);
  }
  /** log p_T(1|x) − log p_T(0|x) at points [n, 2]: 0 on the best boundary of the target. */
  best(x) {
    const { acts, share } = this.settings;
    return Float64Array.from({ length: x.length / 2 }, (_, i) => {
      const u = acts === "points" ? x[2 * i] : this.map.back(x[2 * i], x[2 * i + 1])[0];
      return 2 * u / (SPREAD * SPREAD) + (acts === "both" ? log(share / (1 - share)) : 0);
    });
  }
  accuracy({ x, y }) {
    const z = this.logit(x);
    return y.reduce((right, label, i) => right + (label === +(z[i] > 0)), 0) / y.length;
  }

  /** Accuracies of the source's classifier and the best one that the target allows (null: there is nothing to compute). */
  measure() {
    const { space, answers } = this.settings, target = this.target, z = this.best(target.x);
    const possible = space === "plane" && answers === "two";
    return {
      source_accuracy: this.accuracy(this.sourceTest), target_accuracy: space === "line" ? null : this.accuracy(target),
      best_accuracy: possible ? z.reduce((sum, v) => sum + sigmoid(Math.abs(v)), 0) / TESTED : null,
    };
  }

  /**
   * How far the distributions of the two domains are apart: total variation for P(X), P(Y) and, averaged over y, P(X|Y); for P(Y|X)
   * the mean of |p_T(1|x) − p_S(1|x)| over points of both. 0 means equal; null, that there is nothing to compare.
   */
  differences() {
    const { space, answers } = this.settings, spaces = space !== "plane", labels = answers !== "two";
    if (spaces || labels) return { spaces, labels, x: null, y_x: null, y: null, x_y: null };
    const prior = targetPrior(this.settings), { x, y } = this.sourceTest, settings = this.settings;
    let apart = 0, conditional = 0;
    const given = [0, 0], count = [0, 0];
    for (let i = 0; i < TESTED; i++) {
      const s = sourceAt(x[2 * i], x[2 * i + 1]), t = targetAt(settings, this.map, x[2 * i], x[2 * i + 1]), k = y[i];
      apart += Math.max(0, 1 - (t[0] + t[1]) / (s[0] + s[1])) / TESTED; // ∫ (p_S − p_T)₊ = E_S (1 − p_T / p_S)₊
      given[k] += Math.max(0, 1 - t[k] / (k ? prior : 1 - prior) / (2 * s[k]));
      count[k]++;
    }
    for (const points of [x, this.target.x]) {
      const z = this.best(points);
      for (let i = 0; i < TESTED; i++) conditional += Math.abs(sigmoid(z[i]) - rule(points[2 * i])) / (2 * TESTED);
    }
    return { spaces, labels, x: apart, y_x: conditional, y: Math.abs(prior - 0.5), x_y: (given[0] / count[0] + given[1] / count[1]) / 2 };
  }
  /** Its name by the definition in the chapter: none, covariate, label, concept, mixed, spaces or labels. */
  name(d = this.differences()) {
    if (d.spaces) return "spaces";
    if (d.labels) return "labels";
    const [x, y_x, y, x_y] = [d.x, d.y_x, d.y, d.x_y].map((size) => size > DIFFERS);
    if (!x && !y_x) return "none";
    if (y && !x_y) return "label";
    if (x && !y_x) return "covariate";
    return x ? "mixed" : "concept";
  }
}
