// What a lab can be set to: limits, presets, and the settings in a link's fragment. Uses core.js; knows of no page.

/**
 * limits: name -> { start, least, most, whole?, stops?, only? } a number, `only` one of the stops; { start: true or false }; { start, choices: [text, …] }.
 * presets: name -> what differs from the starts; the first is how a lab begins. experiments: [preset, what else is set?] of each "try this".
 * Gives { lab, limits, presets, experiments, names, first, allowed, settingsOf, readFragment, writeFragment }.
 */
export function settingsFor(lab, limits, presets, experiments = []) {
  const names = Object.keys(limits), [first] = Object.keys(presets);
  /** Whether `value` may stand for the setting `name`. */
  const allowed = (name, value) => {
    if (!Object.hasOwn(limits, name)) return false;
    const { start, choices, least, most, whole: integer, only, stops } = limits[name];
    if (choices) return choices.includes(value);
    if (typeof start === "boolean") return typeof value === "boolean";
    return Number.isFinite(value) && value >= least && value <= most && (!integer || Number.isInteger(value)) && (!only || stops.includes(value));
  };
  /** All settings: those of the preset, then those given. Raises RangeError for a name or a value that cannot be. */
  const settingsOf = (preset, given = {}) => {
    if (!Object.hasOwn(presets, preset)) refuse(`a preset must be one of ${Object.keys(presets).join(", ")}, not ${preset}.`);
    const settings = { ...Object.fromEntries(names.map((name) => [name, limits[name].start])), ...presets[preset] };
    for (const [name, value] of Object.entries(given)) {
      if (!allowed(name, value)) refuse(`${name} cannot be ${value}.`);
      settings[name] = value;
    }
    return settings;
  };
  /** A link's fragment, "dann?lam=0.3&seed=2", as { given, refused: [[name, text], …] }; null if it is not this lab's. */
  const readFragment = (fragment) => {
    const [head, ...rest] = fragment.replace(/^#/, "").split("?");
    if (head !== lab) return null;
    const given = {}, refused = [];
    for (const part of rest.join("?").split("&").filter(Boolean)) {
      const [name, ...texts] = part.split("="), text = texts.join("=").slice(0, 20), { start, choices } = (Object.hasOwn(limits, name) && limits[name]) || {};
      const value = choices ? text : typeof start === "boolean" ? { 1: true, 0: false }[text] : text.trim() === "" ? NaN : Number(text);
      if (allowed(name, value)) given[name] = value; else refused.push([name.slice(0, 20), text]);
    }
    return { given, refused };
  };
  /** The fragment that `readFragment` reads these settings from. */
  const writeFragment = (settings) => `#${lab}?${names.map((name) => `${name}=${limits[name].choices ? settings[name] : Number(settings[name])}`).join("&")}`;
  return { lab, limits, presets, experiments, names, first, allowed, settingsOf, readFragment, writeFragment };
}
