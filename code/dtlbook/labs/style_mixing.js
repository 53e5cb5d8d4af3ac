// The style lab without its page: an image as feature maps and back, AdaIN of them, what is measured. Uses core.js and settings.js.
//
// An image [h · w · 3] holds 0 … 1, row after row, R G B of each pixel. Feature maps z [c, n] are c channels of n places. Here
// they are cosine transforms of squares of b × b pixels: c = 3 b², n = h w / b². The transform is orthonormal, so it can be undone.
export const LIMITS = {
  content: { start: 6, least: 1, most: 9, whole: true, stops: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
  style: { start: 9, least: 1, most: 9, whole: true, stops: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
  alpha: { start: 0, least: 0, most: 1, stops: Array.from({ length: 21 }, (_, i) => i / 20) },
  block: { start: 1, least: 1, most: 14, whole: true, only: true, stops: [1, 2, 4, 7, 14] },
};
export const PRESETS = {
  colours: {},
  own: { alpha: 1 },
  texture: { block: 4 },
  "too-deep": { block: 14 },
};
/** Where each of the "try this" begins: a preset, and what is set otherwise. */
export const EXPERIMENTS = [["own"], ["colours"], ["colours", { content: 9, style: 2 }]];
export const SETTINGS = settingsFor("style", LIMITS, PRESETS, EXPERIMENTS);
export const { settingsOf, readFragment, writeFragment } = SETTINGS;
export const SIDE = 28, EPSILON = 1e-5; // pixels; added to a channel's variance, as in dtlbook.styles

/** The orthonormal cosine transform of b numbers (DCT-II) as a table [b, b]: row k is frequency k. */
export function cosines(b) {
  return Float64Array.from({ length: b * b }, (_, at) => {
    const k = Math.floor(at / b), i = at % b;
    return Math.sqrt((k ? 2 : 1) / b) * turn(90 * k * (2 * i + 1) / b)[0];
  });
}

/** Walks an image by squares: visit(channel, place, pixel, weight) of all that are not 0. */
function squares(side, b, visit) {
  if (side % b || side / b < 2) refuse(`squares of ${b} pixels must fit ${side} pixels at least twice: a style is a mean over places.`);
  const c = cosines(b), across = side / b;
  for (let colour = 0; colour < 3; colour++) for (let u = 0; u < b; u++) for (let v = 0; v < b; v++) for (let p = 0; p < across * across; p++) {
    const top = Math.floor(p / across) * b, left = (p % across) * b, channel = (colour * b + u) * b + v;
    for (let i = 0; i < b; i++) for (let j = 0; j < b; j++) visit(channel, p, ((top + i) * side + left + j) * 3 + colour, c[u * b + i] * c[v * b + j]);
  }
}

/** Image [side · side · 3] → maps z [3 b², (side / b)²]. */
export function maps(image, b, side = SIDE) {
  const places = (side / b) ** 2, z = new Float64Array(image.length);
  squares(side, b, (channel, p, pixel, weight) => { z[channel * places + p] += weight * image[pixel]; });
  return z;
}

/** Maps z [3 b², (side / b)²] → image [side · side · 3]. */
export function unmapped(z, b, side = SIDE) {
  const places = (side / b) ** 2, image = new Float64Array(z.length);
  squares(side, b, (channel, p, pixel, weight) => { image[pixel] += weight * z[channel * places + p]; });
  return image;
}

/** Mean and deviation √(variance + ε) of each channel of z [c, n]: the style. */
export function statistics(z, c) {
  const n = z.length / c, mean = new Float64Array(c), deviation = new Float64Array(c);
  for (let k = 0; k < c; k++) {
    for (let i = k * n; i < (k + 1) * n; i++) mean[k] += z[i] / n;
    for (let i = k * n; i < (k + 1) * n; i++) deviation[k] += squared(z[i] - mean[k]) / n;
    deviation[k] = Math.sqrt(deviation[k] + EPSILON);
  }
  return { mean, deviation };
}

/** AdaIN (SagNet, section 3.1): the content of z in a style between its own, α = 1, and that of `other`, α = 0; maps [c, n]. */
export function mixed(z, other, c, alpha) {
  if (!(alpha >= 0 && alpha <= 1)) refuse(`α must lie between 0 and 1, not ${alpha}.`);
  const n = z.length / c, own = statistics(z, c), its = statistics(other, c);
  return z.map((value, i) => {
    const k = Math.floor(i / n), mean = alpha * own.mean[k] + (1 - alpha) * its.mean[k], deviation = alpha * own.deviation[k] + (1 - alpha) * its.deviation[k];
    return deviation * (value - own.mean[k]) / own.deviation[k] + mean;
  });
}

/** Length of the difference of two styles: of all means and deviations. */
export function styleDistance(a, b) {
  let square = 0;
  for (const part of ["mean", "deviation"]) a[part].forEach((value, k) => { square += squared(value - b[part][k]); });
  return Math.sqrt(square);
}

/** Mean over R, G, B of the correlation of two images' pixels; a colour that is the same everywhere counts 0. */
export function likeness(a, b) {
  let sum = 0;
  for (let colour = 0; colour < 3; colour++) {
    let n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (let i = colour; i < a.length; i += 3) { n++; x += a[i]; y += b[i]; }
    x /= n;
    y /= n;
    for (let i = colour; i < a.length; i += 3) { xx += squared(a[i] - x); yy += squared(b[i] - y); xy += (a[i] - x) * (b[i] - y); }
    if (xx > 1e-12 && yy > 1e-12) sum += xy / Math.sqrt(xx * yy);
  }
  return sum / 3;
}

/**
 * All that the lab shows of images x and x' (0 … 1): a function of α. Mean and deviation are mixed along a straight line, so every
 * value of the maps moves along one, too, from that of x at α = 1 to that of the full exchange at α = 0.
 */
export function mixtures(x, other, block) {
  const c = 3 * block * block, z = maps(x, block), its = maps(other, block), exchanged = mixed(z, its, c, 0), far = unmapped(exchanged, block);
  const own = statistics(z, c), others = statistics(its, c), turned = unmapped(mixed(its, z, c, 0), block); // `turned`: content of x', style of x
  return (alpha) => {
    if (!(alpha >= 0 && alpha <= 1)) refuse(`α must lie between 0 and 1, not ${alpha}.`);
    const image = x.map((value, i) => alpha * value + (1 - alpha) * far[i]), made = statistics(z.map((value, i) => alpha * value + (1 - alpha) * exchanged[i]), c);
    return {
      image, turned, styles: { own, other: others, mixed: made }, channels: c, places: z.length / c,
      to_own: styleDistance(made, own), to_other: styleDistance(made, others), like_own: likeness(image, x), like_other: likeness(image, other),
      outside: image.reduce((count, value) => count + (value < -1e-9 || value > 1 + 1e-9), 0) / image.length,
    };
  };
}

/** The read-outs for every stop of α, of a function that `mixtures` gave: lists of one length. */
export function curve(at) {
  const kept = { alpha: [], to_own: [], to_other: [], like_own: [], like_other: [] };
  for (const alpha of LIMITS.alpha.stops) {
    const got = { alpha, ...at(alpha) };
    for (const name of Object.keys(kept)) kept[name].push(got[name]);
  }
  return kept;
}
