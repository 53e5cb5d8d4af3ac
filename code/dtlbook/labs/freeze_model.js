// The freeze lab without its page: its settings, and what is read off runs that were computed before. Uses settings.js.
// runs: { steps [records], [source][labels][frozen]: { test [seeds][records], own [records] }, scratch[labels]: the same }.

export const LIMITS = {
  source: { start: "broad", choices: ["broad", "upright"] },
  labels: { start: 1, least: 1, most: 60, stops: [1, 2, 5, 20, 60], only: true, whole: true }, // of each digit; 60: all, about 60 of each
  frozen: { start: 4, least: 0, most: 4, stops: [0, 1, 2, 3, 4], whole: true },
};
export const PRESETS = { few: {}, all: { labels: 60, frozen: 0 }, narrow: { source: "upright", labels: 60 } };
/** Where each of the "try this" begins. */
export const EXPERIMENTS = [["few"], ["all"], ["narrow"]];
export const SETTINGS = settingsFor("freeze", LIMITS, PRESETS, EXPERIMENTS);
export const { settingsOf, readFragment, writeFragment } = SETTINGS;

const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
/** The mean of several curves, [seeds][records] -> [records]. */
export const meanCurve = (curves) => curves[0].map((_, i) => mean(curves.map((curve) => curve[i])));

/** What the run of these settings ended with: means over the seeds, and the standard deviation (n − 1) of the target accuracy. */
export function ending(runs, { source, labels, frozen }) {
  const last = ({ test }) => test.map((curve) => curve.at(-1)), run = runs[source][labels][frozen], ends = last(run), accuracy = mean(ends);
  const scratch = mean(last(runs.scratch[labels])), each = LIMITS.frozen.stops.map((n) => mean(last(runs[source][labels][n])));
  return {
    accuracy, spread: Math.sqrt(ends.reduce((sum, v) => sum + (v - accuracy) * (v - accuracy), 0) / (ends.length - 1)),
    own: run.own.at(-1), scratch, gain: accuracy - scratch, each, best: each.indexOf(Math.max(...each)),
  };
}
