// The divergence lab without its page: two samples, every hypothesis of a class tried on them, a trained classifier beside it.
// Uses core.js and settings.js. Source: standard normal in the plane; target: normal round (dx, dy) with standard deviation `spread`.

const between = (low, high, step) => Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => Math.round((low + i * step) * 100) / 100);
/** Every setting: where it begins and what it may be. */
export const LIMITS = {
  family: { start: "half-planes", choices: ["thresholds", "half-planes", "discs"] },
  dx: { start: 2, least: -5, most: 5, stops: between(-5, 5, 0.1) },
  dy: { start: 0, least: -5, most: 5, stops: between(-5, 5, 0.1) },
  spread: { start: 1, least: 0.1, most: 4, stops: between(0.1, 4, 0.1) },
  size: { start: 40, least: 2, most: 80, whole: true, stops: [5, 10, 20, 40, 80] },
  seed: { start: 0, least: 0, most: 999999, whole: true },
};
export const PRESETS = {
  apart: {}, same: { dx: 0, size: 20 }, inside: { dx: 0, spread: 3 }, line: { family: "thresholds" },
};
/** Where each of the "try this" begins. */
export const EXPERIMENTS = [["same", { family: "thresholds" }], ["inside"], ["line"]];
export const SETTINGS = settingsFor("divergence", LIMITS, PRESETS, EXPERIMENTS);
export const { settingsOf, readFragment, writeFragment } = SETTINGS;

// ---- the best hypothesis of a class --------------------------------------------------------------------------
// A hypothesis is { family, at, cut, above }: η(x) = 1 where statistic(x) > cut, or where it is not if `above` is false. The
// statistic is the place along the direction `at` = [a, b], or the squared distance from `at`.

/** Values at points [n, 2] of what a hypothesis cuts. */
export function statistic({ family, at: [a, b] }, x) {
  return Float64Array.from({ length: x.length / 2 }, (_, i) => {
    const u = x[2 * i], v = x[2 * i + 1];
    return family === "discs" ? squared(u - a) + squared(v - b) : a * u + b * v;
  });
}
/** η at points [n, 2]: 1 is the answer "target". */
export const answers = (h, x) => Int32Array.from(statistic(h, x), (t) => +((t > h.cut) === h.above));

/** The cut of two lists of values that opens the widest gap between the shares above it: { gap = P_T − P_S, cut }. */
export function bestCut(s, t) {
  const all = [...Array.from(s, (v) => [v, -1 / s.length]), ...Array.from(t, (v) => [v, 1 / t.length])].sort((a, b) => b[0] - a[0]);
  let sum = 0, best = { gap: 0, cut: all[0][0] + 1 };
  for (let i = 0; i < all.length; i++) {
    sum += all[i][1];
    if (i + 1 < all.length && all[i + 1][0] === all[i][0]) continue;
    if (Math.abs(sum) > Math.abs(best.gap) + 1e-12) best = { gap: sum, cut: i + 1 < all.length ? (all[i][0] + all[i + 1][0]) / 2 : all[i][0] - 1 };
  }
  return best;
}

/** Every way in which a line divides the points: through each point, turned past all others, the point itself on either side. */
function bestHalfPlane(source, target) {
  const n = source.length / 2, m = target.length / 2, total = n + m, x = new Float64Array(2 * total);
  x.set(source);
  x.set(target, 2 * n);
  const weight = (i) => (i < n ? -1 / n : 1 / m), turns = new Float64Array(total), up = new Uint8Array(total);
  let best = { size: -1 };
  for (let p = 0; p < total; p++) {
    const order = [];
    let left = 0;
    for (let q = 0; q < total; q++) {
      let dx = x[2 * q] - x[2 * p], dy = x[2 * q + 1] - x[2 * p + 1];
      if (q === p || (dx === 0 && dy === 0)) continue;
      up[q] = +(dy > 0 || (dy === 0 && dx > 0));
      if (!up[q]) { dx = -dx; dy = -dy; } else left += weight(q);
      turns[q] = 1 - dx / (Math.abs(dx) + dy); // grows with the angle, 0 … 2
      order.push(q);
    }
    order.sort((a, b) => turns[a] - turns[b]);
    for (let k = 0; k <= order.length; k++) { // the line's direction lies between turn k − 1 and turn k
      const low = k ? turns[order[k - 1]] : 0, high = k < order.length ? turns[order[k]] : 2;
      if (high - low > 1e-9) for (const with_ of [0, 1]) {
        const gap = left + with_ * weight(p), size = Math.abs(gap);
        if (size > best.size + 1e-12) best = { size, gap, p, with_, turn: (low + high) / 2 };
      }
      if (k < order.length) left += up[order[k]] ? -weight(order[k]) : weight(order[k]);
    }
  }
  const { gap, p, with_, turn: t } = best, u = 1 - t, v = 1 - Math.abs(u), length = Math.sqrt(u * u + v * v);
  const at = [-v / length, u / length], along = statistic({ at }, x), here = along[p]; // left of the direction (u, v)
  const others = along.filter((_, i) => i !== p), side = others.filter((w) => (with_ ? w < here : w > here));
  const next = side.length ? side.reduce((a, b) => (with_ ? Math.max(a, b) : Math.min(a, b))) : here + (with_ ? -1 : 1);
  return { at, cut: (here + next) / 2, gap };
}

/** The hypothesis of the family that tells the samples [n, 2] and [m, 2] apart best, its two error rates, and d̂ = 2 (1 − their sum). */
export function bestHypothesis(family, source, target) {
  let found;
  if (family === "thresholds") found = { at: [1, 0], ...bestCut(source.filter((_, i) => i % 2 === 0), target.filter((_, i) => i % 2 === 0)) };
  else if (family === "half-planes") found = bestHalfPlane(source, target);
  else {
    found = { gap: 0 };
    for (const x of [source, target]) for (let i = 0; i < x.length; i += 2) {
      const h = { family, at: [x[i], x[i + 1]] }, one = bestCut(statistic(h, source), statistic(h, target));
      if (!found.at || Math.abs(one.gap) > Math.abs(found.gap) + 1e-12) found = { at: h.at, ...one };
    }
  }
  const h = { family, at: found.at, cut: found.cut, above: found.gap >= 0 };
  const share = (x) => answers(h, x).reduce((sum, v) => sum + v, 0) / (x.length / 2);
  const error_source = share(source), error_target = 1 - share(target);
  return { ...h, error_source, error_target, value: 2 * (1 - (error_source + error_target)) };
}

// ---- the distributions themselves ------------------------------------------------------------------------------
/** Standard normal distribution function: ½ + φ(x) (x + x³/3 + x⁵/15 + …). */
export function normalBelow(x) {
  if (x > 7 || x < -7) return +(x > 0);
  let sum = 0;
  for (let k = 1, term = x; Math.abs(term) > 1e-18; k++) { sum += term; term *= x * x / (2 * k + 1); }
  return 0.5 + sum * exp(-x * x / 2) / Math.sqrt(2 * 3.141592653589793);
}

/** d_H of N(0, 1) and N(delta, spread²) by thresholds: the widest gap lies where the two densities meet. */
export function exactDivergence(delta, spread) {
  const gap = (c) => Math.abs(normalBelow(c) - normalBelow((c - delta) / spread)), v = spread * spread;
  if (Math.abs(v - 1) < 1e-9) return 2 * gap(delta / 2);
  const a = v - 1, b = 2 * delta, c = -delta * delta - 2 * v * log(spread); // a c² + b c + const = 0
  const root = Math.sqrt(Math.max(b * b - 4 * a * c, 0));
  return 2 * Math.max(gap((-b - root) / (2 * a)), gap((-b + root) / (2 * a)));
}

/** Samples of these settings, and all that is shown of them. */
export class Divergence {
  constructor(settings) {
    const { family, dx, dy, spread, size, seed } = settings, chance = generator(seed);
    this.settings = settings;
    this.source = new Float64Array(2 * size);
    this.target = new Float64Array(2 * size);
    for (let i = 0; i < 2 * size; i++) { // the first points are the same for every size
      this.source[i] = chance.normal();
      this.target[i] = spread * chance.normal() + (i % 2 ? dy : dx);
    }
    if (family === "thresholds") for (const x of [this.source, this.target]) for (let i = 1; i < 2 * size; i += 2) x[i] = 0; // on the line
    this.best = bestHypothesis(family, this.source, this.target);
  }
  measure() {
    const { family, dx, dy, spread, size } = this.settings, { error_source, error_target, value } = this.best;
    return {
      error_source, error_target, h_divergence: value,
      proxy_a_distance: proxyADistance(this.source, this.target, size, size, family === "discs" ? 2 : 1),
      exact: family === "discs" ? null : exactDivergence(family === "thresholds" ? Math.abs(dx) : Math.sqrt(dx * dx + dy * dy), spread),
    };
  }
}
