// What the labs compute with: numbers, networks, losses and their gradients, data. Nothing here knows of a page.
//
// A table [n, k] is a Float64Array of n·k numbers, row after row. A network's numbers stand in one Float64Array θ: for each
// layer its weight [inputs, outputs], then its bias. Sums, products, quotients and square roots are rounded alike by every
// browser, but Math.exp, log, tanh, sin, cos and powers are not; they are made here from what is, so that a seed gives one run.

const refuse = (sentence) => { throw new RangeError(sentence); };
/** `value`, or an error that names it. */
export const finite = (value, name, least = -Infinity) => (Number.isFinite(value) && value >= least ? value
  : refuse(`${name} must be a finite number${least > -Infinity ? `, ${least} or more` : ""}, not ${value}.`));
export const whole = (value, name, least = 1) => (Number.isInteger(value) && value >= least ? value
  : refuse(`${name} must be a whole number, ${least} or more, not ${value}.`));

// ---- numbers -------------------------------------------------------------------------------------------------
const LN2 = 0.6931471805599453, LN2_HIGH = 0.6931471803691238, LN2_LOW = 1.9082149292705877e-10;
const TWO_TO = new Float64Array(2101); // 2^(i − 1075); below −1074 it is 0
TWO_TO[1075] = 1;
for (let i = 1076; i < 2099; i++) TWO_TO[i] = TWO_TO[i - 1] * 2;
for (let i = 1074; i > 0; i--) TWO_TO[i] = TWO_TO[i + 1] / 2;

/** eˣ = 2ᵏ eʳ with |r| ≤ ½ ln 2; eʳ by Taylor's series up to r¹³. */
export function exp(x) {
  if (!(x > -745)) return x === x ? 0 : NaN;
  if (x > 709) return Infinity;
  const k = Math.round(x / LN2), r = x - k * LN2_HIGH - k * LN2_LOW;
  const series = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * (1 / 40320
    + r * (1 / 362880 + r * (1 / 3628800 + r * (1 / 39916800 + r * (1 / 479001600 + r / 6227020800))))))))))));
  return series * TWO_TO[k + 1075];
}

/** log(1 + t) for −½ ≤ t ≤ 1, as 2 artanh(t / (2 + t)). */
export function log1p(t) {
  const z = t / (2 + t), q = z * z;
  let sum = 0;
  for (let i = 35; i >= 1; i -= 2) sum = sum * q + 1 / i;
  return 2 * z * sum;
}

export function log(x) {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  let k = 0;
  while (x > 1.5) { x /= 2; k++; }
  while (x < 0.75) { x *= 2; k--; }
  return k * LN2 + log1p(x - 1);
}

export function tanh(x) {
  if (x > 0.5 || x < -0.5) return 1 - 2 / (exp(2 * x) + 1);
  const q = x * x; // Lambert's continued fraction
  return x / (1 + q / (3 + q / (5 + q / (7 + q / (9 + q / (11 + q / (13 + q / 15)))))));
}

export const squared = (x) => x * x;
export const sigmoid = (z) => (z >= 0 ? 1 / (1 + exp(-z)) : 1 - 1 / (1 + exp(z)));
export const softplus = (z) => (z > 0 ? z : 0) + log1p(exp(z > 0 ? -z : z));

/** [cos, sin] of an angle in degrees, exact at multiples of 90. */
export function turn(degrees) {
  const quarter = Math.round(degrees / 90), r = (degrees - 90 * quarter) / 180 * 3.141592653589793, q = r * r;
  let c = 1, s = 1;
  for (let i = 18; i >= 2; i -= 2) { c = 1 - q * c / (i * (i - 1)); s = 1 - q * s / (i * (i + 1)); }
  s *= r;
  return [[c, s], [-s, c], [-c, -s], [s, -c]][((quarter % 4) + 4) % 4];
}

// ---- chance: xoshiro128** (Blackman and Vigna, 2021), 32-bit integers only ------------------------------------
export function generator(seed) {
  whole(seed, "seed", 0);
  const s = new Uint32Array(4);
  let h = seed >>> 0;
  for (let i = 0; i < 4; i++) { // the finaliser of MurmurHash3 fills the state
    h = (h + 0x9e3779b9) >>> 0;
    let v = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    v = Math.imul(v ^ (v >>> 13), 0xc2b2ae35);
    s[i] = v ^ (v >>> 16);
  }
  const rotate = (v, k) => (v << k) | (v >>> (32 - k));
  const bits = () => {
    const out = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0, t = s[1] << 9;
    s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = rotate(s[3], 11);
    return out;
  };
  const uniform = () => bits() / 4294967296; // 0 ≤ u < 1
  const integer = (n) => Math.floor(uniform() * n);
  const normal = () => { // Marsaglia's polar method, one of the two numbers
    for (;;) {
      const u = 2 * uniform() - 1, v = 2 * uniform() - 1, q = u * u + v * v;
      if (q > 0 && q < 1) return u * Math.sqrt(-2 * log(q) / q);
    }
  };
  const shuffled = (n) => {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) { const j = integer(i + 1), kept = order[i]; order[i] = order[j]; order[j] = kept; }
    return order;
  };
  return { bits, uniform, integer, normal, shuffled };
}

// ---- networks of dense layers ----------------------------------------------------------------------------------
const ACTIVATIONS = ["linear", "relu", "tanh"];

/** widths [inputs, …, outputs], one activation a layer; weights and biases uniform in ±1/√inputs, as in dtlbook.recipe. */
export function network(widths, activations, chance) {
  widths.forEach((width) => whole(width, "a layer's width"));
  if (activations.length !== widths.length - 1) refuse(`${widths.length - 1} layers need as many activations, not ${activations.length}.`);
  const wrong = activations.find((name) => !ACTIVATIONS.includes(name));
  if (wrong !== undefined) refuse(`an activation must be one of ${ACTIVATIONS.join(", ")}, not ${wrong}.`);
  let size = 0;
  for (let l = 1; l < widths.length; l++) size += (widths[l - 1] + 1) * widths[l];
  const theta = new Float64Array(size), gradient = new Float64Array(size), velocity = new Float64Array(size), layers = [];
  for (let l = 1, at = 0; l < widths.length; l++) {
    const inputs = widths[l - 1], outputs = widths[l], weights = inputs * outputs, end = at + weights + outputs;
    if (chance) for (let i = at; i < end; i++) theta[i] = (2 * chance.uniform() - 1) / Math.sqrt(inputs);
    layers.push({
      inputs, outputs, activation: activations[l - 1], x: null, out: new Float64Array(0), dx: new Float64Array(0),
      w: theta.subarray(at, at + weights), b: theta.subarray(at + weights, end),
      gw: gradient.subarray(at, at + weights), gb: gradient.subarray(at + weights, end),
    });
    at = end;
  }
  return { layers, theta, gradient, velocity };
}

/** Outputs [n, outputs] for x [n, inputs]. The table belongs to the network and is overwritten by the next call. */
export function forward(net, x, n) {
  for (const layer of net.layers) {
    const { inputs, outputs, activation, w, b } = layer;
    if (layer.out.length < n * outputs) { layer.out = new Float64Array(n * outputs); layer.dx = new Float64Array(n * inputs); }
    const out = layer.out;
    layer.x = x;
    for (let r = 0; r < n; r++) {
      const row = r * outputs;
      for (let o = 0; o < outputs; o++) out[row + o] = b[o];
      for (let i = 0; i < inputs; i++) {
        const v = x[r * inputs + i], from = i * outputs;
        for (let o = 0; o < outputs; o++) out[row + o] += v * w[from + o];
      }
    }
    const end = n * outputs;
    if (activation === "relu") { for (let i = 0; i < end; i++) if (out[i] < 0) out[i] = 0; }
    else if (activation === "tanh") { for (let i = 0; i < end; i++) out[i] = tanh(out[i]); }
    x = out;
  }
  return x;
}

/** From ∂L/∂outputs [n, outputs] (overwritten) to net.gradient = ∂L/∂θ; returns ∂L/∂inputs. After `forward` of these n rows. */
export function backward(net, upstream, n) {
  let g = upstream;
  net.gradient.fill(0);
  for (let l = net.layers.length - 1; l >= 0; l--) {
    const { inputs, outputs, activation, x, out, dx, w, gw, gb } = net.layers[l], end = n * outputs;
    if (activation === "relu") { for (let i = 0; i < end; i++) if (out[i] <= 0) g[i] = 0; }
    else if (activation === "tanh") { for (let i = 0; i < end; i++) g[i] *= 1 - out[i] * out[i]; }
    for (let r = 0; r < n; r++) {
      const row = r * outputs;
      for (let o = 0; o < outputs; o++) gb[o] += g[row + o];
      for (let i = 0; i < inputs; i++) {
        const v = x[r * inputs + i], from = i * outputs;
        let sum = 0;
        for (let o = 0; o < outputs; o++) { gw[from + o] += v * g[row + o]; sum += w[from + o] * g[row + o]; }
        dx[r * inputs + i] = sum;
      }
    }
    g = dx;
  }
  return g;
}

/** One step of SGD with momentum: v ← m v + ∂L/∂θ, θ ← θ − μ v. */
export function descend({ theta, gradient, velocity }, mu, momentum) {
  for (let i = 0; i < theta.length; i++) {
    velocity[i] = momentum * velocity[i] + gradient[i];
    theta[i] -= mu * velocity[i];
  }
}

// ---- losses: each returns its value and writes its derivative by its first argument into `into` -------------------
/** Mean of −log softmax(logits)[y], logits [n, k], y [n]. */
export function crossEntropy(logits, y, n, k, into) {
  whole(n, "the number of labelled examples");
  let loss = 0;
  for (let r = 0; r < n; r++) {
    const row = r * k;
    if (!(Number.isInteger(y[r]) && y[r] >= 0 && y[r] < k)) refuse(`a label must be a class from 0 to ${k - 1}, not ${y[r]}.`);
    let top = logits[row], sum = 0;
    for (let c = 1; c < k; c++) if (logits[row + c] > top) top = logits[row + c];
    for (let c = 0; c < k; c++) sum += into[row + c] = exp(logits[row + c] - top);
    loss += log(sum) + top - logits[row + y[r]];
    for (let c = 0; c < k; c++) into[row + c] /= sum * n;
    into[row + y[r]] -= 1 / n;
  }
  return loss / n;
}

/** 1/n Σ softplus(z_i) + 1/n' Σ softplus(−z_j): a SUM of two means; z holds n logits of the source (d = 0), then n' of the target (d = 1). */
export function domainLoss(z, n, nTarget, into) {
  whole(n, "the number of source examples");
  whole(nTarget, "the number of target examples");
  let source = 0, target = 0;
  for (let i = 0; i < n; i++) { source += softplus(z[i]); into[i] = sigmoid(z[i]) / n; }
  for (let i = n; i < n + nTarget; i++) { target += softplus(-z[i]); into[i] = -sigmoid(-z[i]) / nTarget; }
  return source / n + target / nTarget;
}

/** Backward half of the gradient reversal layer R_λ: the gradient times −λ, in place. */
export function reverse(gradient, lam, length) {
  finite(lam, "λ", 0);
  for (let i = 0; i < length; i++) gradient[i] *= -lam;
  return gradient;
}

/**
 * Both losses of a DANN batch, and the gradients of all three parts in their `gradient`: ∂L_y/∂θ_f − λ ∂L_d/∂θ_f in θ_f,
 * ∂L_y/∂θ_y in θ_y, +∂L_d/∂θ_d in θ_d. x holds n rows of the source, then nTarget of the target; y the source's labels.
 */
export function dannGradients({ f, y, d }, x, labels, n, nTarget, lam) {
  finite(lam, "λ", 0); // before anything is written
  const total = n + nTarget, width = f.layers.at(-1).outputs, classes = y.layers.at(-1).outputs;
  const features = forward(f, x, total);
  const up = y.up?.length >= n * classes ? y.up : (y.up = new Float64Array(n * classes));
  const down = d.up?.length >= total ? d.up : (d.up = new Float64Array(total));
  const label = crossEntropy(forward(y, features, n), labels, n, classes, up);
  const domain = domainLoss(forward(d, features, total), n, nTarget, down);
  const atFeature = reverse(backward(d, down, total), lam, total * width);
  const fromLabels = backward(y, up, n);
  for (let i = 0; i < n * width; i++) atFeature[i] += fromLabels[i];
  backward(f, atFeature, total);
  return { label, domain };
}

/** ADDA (Tzeng et al., 2017, eq. 9): L_M of the target's logits z [n], with inverted labels or minimax. */
export function encoderLoss(z, n, minimax, into) {
  whole(n, "the number of target examples");
  let loss = 0;
  for (let i = 0; i < n; i++) {
    loss += minimax ? -softplus(-z[i]) : softplus(z[i]);
    into[i] = sigmoid(minimax ? -z[i] : z[i]) / n;
  }
  return loss / n;
}

/**
 * CCSA (Motiian et al., 2017): over all pairs of features a [n, k] and b [m, k], { alignment: mean of ½ d² over pairs of one
 * class, separation: mean of ½ max(0, margin − d)² over pairs of two }, d = ‖a_i − b_j‖; and the gradients of their sum.
 */
export function contrastive(a, labelsA, b, labelsB, n, m, k, margin, intoA, intoB) {
  whole(n, "the number of source examples");
  whole(m, "the number of target examples");
  finite(margin, "the margin", 0);
  intoA.fill(0);
  intoB.fill(0);
  let pairs = 0, alignment = 0, separation = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) pairs += labelsA[i] === labelsB[j];
  const one = 1 / Math.max(pairs, 1), two = 1 / Math.max(n * m - pairs, 1);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) {
    let square = 0, factor;
    for (let c = 0; c < k; c++) square += squared(a[i * k + c] - b[j * k + c]);
    if (labelsA[i] === labelsB[j]) {
      alignment += one * square / 2;
      factor = one;
    } else {
      const d = Math.sqrt(square), gap = Math.max(0, margin - d);
      separation += two * gap * gap / 2;
      factor = d > 0 ? -two * gap / d : 0; // at d = 0 there is no direction to part in
    }
    for (let c = 0; c < k; c++) {
      const g = factor * (a[i * k + c] - b[j * k + c]);
      intoA[i * k + c] += g;
      intoB[j * k + c] -= g;
    }
  }
  return { alignment, separation };
}

/**
 * MMD² of x [n, k] and y [m, k] with ∂/∂x and ∂/∂y in intoX and intoY (may be left out). bandwidths: σ's of
 * k(x, y) = Σ exp(−‖x − y‖² / (2σ²)), or null for the linear kernel xᵀy. Gretton et al. (2012), eq. 3 (unbiased) and 5.
 */
export function mmd2(x, y, n, m, k, bandwidths, unbiased, intoX, intoY) {
  whole(n, "the number of source examples", unbiased ? 2 : 1);
  whole(m, "the number of target examples", unbiased ? 2 : 1);
  if (bandwidths && !bandwidths.length) refuse("MMD² needs at least one bandwidth.");
  bandwidths?.forEach((s) => (s > 0 && s < Infinity) || refuse(`a bandwidth must be a finite number above 0, not ${s}.`));
  const within = (size) => (unbiased ? 1 / (size * (size - 1)) : 1 / (size * size));
  const middle = new Float64Array(k); // moving both samples leaves MMD² as it is, and the linear kernel its digits
  for (let i = 0; i < n * k; i++) middle[i % k] += x[i] / (n + m);
  for (let i = 0; i < m * k; i++) middle[i % k] += y[i] / (n + m);
  intoX?.fill(0);
  intoY?.fill(0);
  /** weight · Σ_{i,j} k(a_i, b_j), and its share of the gradients; `inside` a sample over the pairs j ≤ i, or j < i. */
  const add = (a, b, rows, columns, weight, intoA, intoB, inside) => {
    let total = 0;
    for (let i = 0; i < rows; i++) for (let j = 0, end = !inside ? columns : unbiased ? i : i + 1; j < end; j++) {
      const p = i * k, q = j * k, share = inside && i === j ? 0.5 : 1; // half a pair, as the weight counts both orders
      if (!bandwidths) {
        for (let c = 0; c < k; c++) {
          const u = a[p + c] - middle[c], v = b[q + c] - middle[c];
          total += share * u * v;
          if (intoA) { intoA[p + c] += share * weight * v; intoB[q + c] += share * weight * u; }
        }
        continue;
      }
      let square = 0, value = 0, slope = 0;
      for (let c = 0; c < k; c++) square += squared(a[p + c] - b[q + c]);
      for (const s of bandwidths) { const e = exp(-square / (2 * s * s)); value += e; slope += e / (s * s); }
      total += share * value;
      if (intoA) for (let c = 0; c < k; c++) {
        const g = weight * slope * (a[p + c] - b[q + c]);
        intoA[p + c] -= g;
        intoB[q + c] += g;
      }
    }
    return weight * total;
  };
  return add(x, x, n, n, 2 * within(n), intoX, intoX, true) + add(y, y, m, m, 2 * within(m), intoY, intoY, true)
    + add(x, y, n, m, -2 / (n * m), intoX, intoY, false);
}

/** The median distance of two points of the pooled sample [n + m, k]; a constant in training. */
export function medianBandwidth(x, y, n, m, k) {
  const total = n + m, pooled = new Float64Array(total * k), distances = new Float64Array(total * (total - 1) / 2);
  let pair = 0;
  pooled.set(x.subarray(0, n * k));
  pooled.set(y.subarray(0, m * k), n * k);
  for (let i = 0; i < total; i++) for (let j = 0; j < i; j++) {
    let square = 0;
    for (let c = 0; c < k; c++) square += squared(pooled[i * k + c] - pooled[j * k + c]);
    distances[pair++] = Math.sqrt(square);
  }
  distances.sort(); // a typed array sorts by size
  const half = distances.length >> 1, median = distances.length % 2 ? distances[half] : (distances[half - 1] + distances[half]) / 2;
  return median > 0 ? median : refuse("the median distance is 0: the points are all the same; give a bandwidth.");
}

// ---- schedules: Ganin et al., JMLR 2016, section 5.2.2 -----------------------------------------------------------
const progress = (p) => (p >= 0 && p <= 1 ? p : refuse(`progress p must lie between 0 and 1, not ${p}.`));
export const lambdaSchedule = (p, gamma = 10) => 2 / (1 + exp(-gamma * progress(p))) - 1;
export const rateSchedule = (p, mu, alpha = 10, beta = 0.75) => mu * exp(-beta * log(1 + alpha * progress(p)));

// ---- data ---------------------------------------------------------------------------------------------------------
/** Two half moons round the origin, turned anticlockwise: x [n, 2], y [n], in random order; `share` of them are class 1. */
export function moons(chance, n, { degrees = 0, noise = 0.1, share = 0.5 } = {}) {
  whole(n, "the number of points", 2);
  finite(degrees, "the rotation");
  finite(noise, "the noise", 0);
  if (!(share >= 0 && share <= 1)) refuse(`the share of class 1 must lie between 0 and 1, not ${share}.`);
  const x = new Float64Array(2 * n), y = new Int32Array(n), [c, s] = turn(degrees), ones = Math.round(n * share);
  chance.shuffled(n).forEach((place, i) => {
    const one = i < ones, [a, b] = turn(180 * chance.uniform());
    const u = (one ? 1 - a : a) - 0.5 + noise * chance.normal(), v = (one ? 0.5 - b : b) - 0.25 + noise * chance.normal();
    y[place] = +one;
    x[2 * place] = c * u - s * v;
    x[2 * place + 1] = s * u + c * v;
  });
  return { x, y };
}

// ---- how far apart two sets of features are -----------------------------------------------------------------------
/** Weights [k + 1], bias last, that minimise ½‖w‖² + C Σ a_i L_d^i over rows of x [n, k] with d [n], a [n]: Newton's method. */
export function logistic(x, d, a, n, k, strength = 1) {
  const size = k + 1, w = new Float64Array(size);
  for (let round = 0; round < 25; round++) {
    const g = new Float64Array(size), h = Array.from({ length: size }, () => new Float64Array(size + 1));
    for (let c = 0; c < k; c++) { g[c] = w[c]; h[c][c] = 1; }
    for (let r = 0; r < n; r++) {
      let z = w[k];
      for (let c = 0; c < k; c++) z += w[c] * x[r * k + c];
      const p = sigmoid(z), slope = strength * a[r] * (p - d[r]), bend = strength * a[r] * p * (1 - p);
      for (let i = 0; i < size; i++) {
        const u = i < k ? x[r * k + i] : 1;
        g[i] += slope * u;
        for (let j = 0; j <= i; j++) h[i][j] += bend * u * (j < k ? x[r * k + j] : 1);
      }
    }
    for (let i = 0; i < size; i++) { h[i][size] = g[i]; for (let j = 0; j < i; j++) h[j][i] = h[i][j]; }
    h[k][k] += 1e-12; // every point on the far side of the boundary: no bend left
    let largest = 0;
    for (let i = 0; i < size; i++) for (let j = i + 1; j < size; j++) { // elimination; the matrix is positive definite
      const factor = h[j][i] / h[i][i];
      for (let c = i; c <= size; c++) h[j][c] -= factor * h[i][c];
    }
    for (let i = size - 1; i >= 0; i--) {
      for (let j = i + 1; j < size; j++) h[i][size] -= h[i][j] * h[j][size];
      h[i][size] /= h[i][i];
      w[i] -= h[i][size];
      largest = Math.max(largest, Math.abs(h[i][size]));
    }
    if (largest < 1e-10) break;
  }
  return w;
}

/** All products of up to `degree` of two standardised coordinates: [n, 2] → { table [n, k], k }. */
export function powers(x, n, degree) {
  const k = (degree + 1) * (degree + 2) / 2 - 1, table = new Float64Array(n * k);
  const middle = [0, 0];
  let spread = 0;
  for (let i = 0; i < 2 * n; i++) middle[i % 2] += x[i] / n;
  for (let i = 0; i < 2 * n; i++) spread += squared(x[i] - middle[i % 2]) / (2 * n);
  const scale = Math.sqrt(spread) || 1;
  for (let r = 0; r < n; r++) {
    const u = (x[2 * r] - middle[0]) / scale, v = (x[2 * r + 1] - middle[1]) / scale;
    let at = r * k, below = [1]; // the products of one degree less
    for (let total = 1; total <= degree; total++) {
      below = [...below.map((product) => product * u), below.at(-1) * v];
      for (const product of below) table[at++] = product;
    }
  }
  return { table, k };
}

/**
 * Proxy A-distance 2(1 − 2ε) (JMLR 2016, eq. 3) of two samples of the plane: ε is the error, each domain counting one half, of
 * a fresh logistic regression on products of up to `degree` coordinates; each half of the rows is judged by the other's fit.
 */
export function proxyADistance(source, target, n, m, degree = 3, strength = 1) {
  whole(n, "the number of source examples", 2);
  whole(m, "the number of target examples", 2);
  const all = new Float64Array(2 * (n + m));
  all.set(source.subarray(0, 2 * n));
  all.set(target.subarray(0, 2 * m), 2 * n);
  const { table, k } = powers(all, n + m, degree), wrong = [0, 0], size = [n, m];
  for (const half of [0, 1]) {
    const rows = [], d = [], a = [], place = (i) => (i < n ? i : i - n);
    for (let i = 0; i < n + m; i++) if (place(i) % 2 === half) rows.push(i);
    const mine = rows.filter((i) => i < n).length, count = [mine, rows.length - mine], x = new Float64Array(rows.length * k);
    rows.forEach((i, r) => {
      d[r] = +(i >= n);
      a[r] = rows.length / (2 * count[d[r]]); // balanced
      x.set(table.subarray(i * k, (i + 1) * k), r * k);
    });
    const w = logistic(x, d, a, rows.length, k, strength);
    for (let i = 0; i < n + m; i++) {
      if (place(i) % 2 === half) continue;
      let z = w[k];
      for (let c = 0; c < k; c++) z += w[c] * table[i * k + c];
      if ((z > 0) !== (i >= n)) wrong[+(i >= n)]++;
    }
  }
  return 2 * (1 - (wrong[0] / size[0] + wrong[1] / size[1]));
}
