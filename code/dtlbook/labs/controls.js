// What every lab's page is made of. A lab's file defines WORDS and render({ model, el }) and uses, of this file,
//
//   elements   make(tag, properties, ...children)   math(element, "L_y")   minus(text)   signed(v)   two(v): "0.62", or "–"
//   the page   labPage({ model, el, words, settings, changed, draw }): language, settings, controls, link, read-outs, sleep
//   canvas     paperOf(canvas) a clean sheet   mark(…) a point   boundary(…) where values change sign   arrow(…)
//              plane(canvas, colours, clouds, lines, options) points of two domains with boundaries   curves(…) over the steps
//              axes(canvas, colours, options) a frame with ticks   draggable(canvas, { grab, drag, drop }) by mouse or finger
//   runs       player(page, { step, atEnd, frame, stopped, pace }): play, pause, one step; sleeps out of view
//
// Marks tell domains by shape (● source, ▲ target), classes by filling (hollow 0, filled 1), and curves by dashes, so that
// colour is never needed. What can be dragged can be moved by a slider, too: sliders are the keyboard's way.
const COMMON = {
  ko: {
    presets: "준비된 상황", play: "학습", pause: "멈춤", step: "한 걸음", reset: "처음부터", share_link: "링크 만들기", more: "설정 더 보기",
    seed: "시드", linked: "주소창의 링크에 지금 설정이 담겼다.", try: "해 보자", set: "이렇게 맞추기", domains: ["● 소스", "▲ 타깃"],
    refused: (name, text) => `링크에 쓸 수 없는 값이 있어 무시했다: ${name}=${text}.`, bad: (name) => `쓸 수 없는 값이라 그대로 두었다: ${name}.`,
    source_accuracy: "소스 정확도", target_accuracy: "타깃 정확도", input: "입력 공간", feature: "특성 공간",
  },
  en: {
    presets: "Situations", play: "Train", pause: "Pause", step: "One step", reset: "Start again", share_link: "Make a link", more: "More settings",
    seed: "Seed", linked: "The link in the address bar holds these settings.", try: "Try this", set: "Set it up", domains: ["● source", "▲ target"],
    refused: (name, text) => `The link's ${name}=${text} is not a possible value and was left out.`, bad: (name) => `Not a possible value, so it was left as it was: ${name}.`,
    source_accuracy: "Source accuracy", target_accuracy: "Target accuracy", input: "Input space", feature: "Feature space",
  },
};

// ---- elements ---------------------------------------------------------------------------------------------------
const make = (tag, properties = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && name !== "role") element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};
/** Text with "L_y", "L_SA" and the like as real subscripts. */
const math = (element, text) => {
  element.replaceChildren(...text.split(/_(\w+)/).map((part, i) => (i % 2 ? make("sub", { textContent: part }) : part)));
  return element;
};
const minus = (text) => String(text).replace("-", "−");
const signed = (v) => (v < 0 ? "−" : "+") + Math.abs(v).toFixed(3);
const two = (value) => (value === undefined ? "–" : minus(value.toFixed(2)));
/** The author's choice, else the language of a published page, else the browser's. */
const languageOf = (model, el) => {
  const page = el.closest(".dtl-widget") && document.documentElement.lang;
  return (model.get("lang") || page || navigator.language || "en").startsWith("ko") ? "ko" : "en";
};

// ---- the page ---------------------------------------------------------------------------------------------------
/**
 * A lab's page, still empty. `words` { ko, en } of the lab go before those above; `settings` is what settingsFor gave;
 * changed(given, before) is called after settings have changed, with the new ones in page.now; draw() draws everything anew.
 *
 * It has  words, lang, published (the box in a page without a kernel, or null), now (all settings), visible, calm (fewer motions), box
 *   change(given)                 new settings from a control; refused in a sentence if one cannot be
 *   button(text, onclick, properties)
 *   slider(name, text)  check(name)  number(name)  choice(name)   controls of the setting `name`, labelled words[name]; choices words[`${name}-${choice}`]
 *   dial(name, stops, text, moved)    a slider over any stops that is no setting; page.dials[name].show(value) moves it
 *   presets()  tasks()            the row of presets, labelled words[preset]; the list "try this" of words.tasks
 *   links()                       [the button "make a link"], or [] where there is no page to link to
 *   view(name)                    a titled canvas, in page.views[name], described by `tell`
 *   readouts(names)  read(values) a list of numbers; their texts
 *   status, refusal               the live regions
 *   say(sentence)                 read out, and added to the names of the pictures
 *   colours()                     ink soft line paper source target f y d, as the page has them now
 *   mount(children, begin)        all into the page, begin() unless a link has set the lab up; returns what takes it out again
 *   atWaking                      functions to call when the lab comes into view
 */
function labPage({ model, el, words, settings, changed, draw }) {
  const lang = languageOf(model, el), published = el.closest(".dtl-widget"), id = `dtl-${settings.lab}-${Math.random().toString(36).slice(2, 9)}`;
  const all = { ...COMMON[lang], ...words[lang] }, { limits, names } = settings, shows = {}, dials = {}, views = {}, cells = {};
  let applying = false, presets = null;
  const calm = matchMedia("(prefers-reduced-motion: reduce)"), dark = matchMedia("(prefers-color-scheme: dark)");
  const status = make("p", { role: "status", className: "dtl-status" }), refusal = make("p", { role: "alert", className: "dtl-refused" });
  const screen = make("div", { className: "dtl-screen" }), box = make("div", { className: "dtl-lab", lang }, screen);

  const show = () => {
    for (const name of names) shows[name]?.(page.now[name]);
    const same = (preset) => { const s = settings.settingsOf(preset); return names.every((name) => name === "seed" || s[name] === page.now[name]); };
    for (const one of presets?.children ?? []) one.setAttribute("aria-pressed", same(one.value));
  };
  const change = (given) => {
    const wrong = Object.keys(given).find((name) => !settings.allowed(name, given[name]));
    refusal.textContent = wrong ? all.bad(all[wrong]) : "";
    if (wrong) return show();
    const before = page.now;
    page.now = { ...before, ...given };
    applying = true;
    for (const name of names) model.set(name, page.now[name]);
    applying = false;
    model.save_changes();
    show();
    changed(given, before);
  };
  const fromLink = () => {
    const read = published && settings.readFragment(location.hash);
    if (!read) return false;
    change(settings.settingsOf(settings.first, read.given));
    refusal.textContent = read.refused.map(([name, text]) => all.refused(name, text)).join(" ");
    return true;
  };
  const fromModel = () => {
    if (!applying) change(Object.fromEntries(names.filter((name) => model.get(name) !== page.now[name]).map((name) => [name, model.get(name)])));
  };

  const button = (text, onclick, properties = {}) => make("button", { type: "button", textContent: text, onclick, ...properties });
  const dial = (name, stops, text, moved) => {
    const input = make("input", { type: "range", id: `${id}-${name}`, min: 0, max: stops.length - 1, step: 1 }), output = make("output", {});
    output.setAttribute("for", input.id);
    output.setAttribute("aria-live", "off");
    input.addEventListener("input", () => moved(stops[+input.value]));
    dials[name] = { input, show: (value) => { // a value between two stops stands at the nearer one
      input.value = stops.reduce((best, stop, i) => (Math.abs(stop - value) < Math.abs(stops[best] - value) ? i : best), 0);
      output.value = text(value);
      input.setAttribute("aria-valuetext", text(value));
    } };
    return make("div", { className: "dtl-control" }, math(make("label", { htmlFor: input.id }), all[name]), output, input);
  };
  const slider = (name, text = minus) => {
    const control = dial(name, limits[name].stops, text, (value) => change({ [name]: value }));
    shows[name] = dials[name].show;
    return control;
  };
  const field = (name, control, className, labelFirst) => {
    const label = math(make("label", { htmlFor: control.id }), all[name]);
    return make("div", { className }, ...labelFirst ? [label, control] : [control, label]);
  };
  const check = (name) => {
    const input = make("input", { type: "checkbox", id: `${id}-${name}`, onchange: () => change({ [name]: input.checked }) });
    shows[name] = (value) => { input.checked = value; };
    return field(name, input, "dtl-check", false);
  };
  const number = (name) => {
    const { least, most, whole: integer } = limits[name];
    const input = make("input", { type: "number", id: `${id}-${name}`, min: least, max: most, step: integer ? 1 : "any", onchange: () => change({ [name]: input.value === "" ? NaN : +input.value }) });
    shows[name] = (value) => { input.value = value; };
    return field(name, input, "dtl-control", true);
  };
  const choice = (name) => {
    const select = make("select", { id: `${id}-${name}`, onchange: () => change({ [name]: select.value }) },
      ...limits[name].choices.map((one) => make("option", { value: one, textContent: all[`${name}-${one}`] })));
    shows[name] = (value) => { select.value = value; };
    return field(name, select, "dtl-control", true);
  };
  const page = {
    words: all, lang, published, now: Object.fromEntries(names.map((name) => [name, model.get(name)])), visible: true, box, status, refusal, dials, views, atWaking: [],
    get calm() { return calm.matches; },
    change, button, dial, slider, check, number, choice,
    presets: () => {
      presets = make("div", { role: "group", "aria-label": all.presets, className: "dtl-row" },
        ...Object.keys(settings.presets).map((name) => button(all[name], () => change(settings.settingsOf(name)), { value: name })));
      return presets;
    },
    tasks: () => make("div", {}, make("p", { className: "dtl-name", textContent: all.try }), make("ol", {}, ...all.tasks.map((text, i) => make("li", {}, math(make("span"), text), " ",
      button(all.set, () => change(settings.settingsOf(...settings.experiments[i])), { "aria-label": `${all.set}: ${i + 1}` }))))),
    links: () => (published ? [button(all.share_link, () => {
      history.replaceState(null, "", settings.writeFragment(page.now));
      navigator.clipboard?.writeText(location.href).catch(() => {});
      status.textContent = all.linked;
    })] : []),
    view: (name) => {
      views[name] = make("canvas", { role: "img", "aria-label": all[name] });
      return make("div", { className: "dtl-view" }, math(make("p", { className: "dtl-name" }), all[name]), views[name]);
    },
    readouts: (list) => make("dl", { className: "dtl-readouts" }, ...list.map((name) => make("div", {}, math(make("dt"), all[name]), cells[name] = make("dd", {})))),
    read: (values) => { for (const [name, text] of Object.entries(values)) cells[name].textContent = text; },
    say: (sentence) => {
      math(status, sentence);
      for (const [name, canvas] of Object.entries(views)) canvas.setAttribute("aria-label", `${all[name]}. ${sentence}`);
    },
    colours: () => {
      const style = getComputedStyle(box);
      return Object.fromEntries(["ink", "soft", "line", "paper", "source", "target", "f", "y", "d"].map((name) => [name, style.getPropertyValue(`--${name}`)]));
    },
    mount: (children, begin) => {
      screen.append(...children);
      const still = published?.querySelector(".dtl-still");
      if (still) box.append(make("div", { className: "dtl-prints" }, still.cloneNode(true)));
      for (const control of box.querySelectorAll("button, input, select, summary")) control.dataset.lmSuppressShortcuts = "true"; // JupyterLab would keep the keys
      const seen = new IntersectionObserver(([entry]) => {
        page.visible = entry.isIntersecting;
        if (page.visible) for (const wake of page.atWaking) wake();
      });
      let sized = false; // the first notice is that of the size it is drawn in already
      const redraw = () => draw(), resized = new ResizeObserver(() => { if (sized) redraw(); sized = true; }), recoloured = new MutationObserver(redraw);
      for (const name of names) model.on(`change:${name}`, fromModel);
      addEventListener("hashchange", fromLink);
      dark.addEventListener("change", redraw);
      el.append(box);
      show();
      if (!fromLink()) begin();
      seen.observe(box);
      for (const canvas of Object.values(views)) { resized.observe(canvas); break; }
      recoloured.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "theme"] });
      return () => {
        for (const observer of [seen, resized, recoloured]) observer.disconnect();
        dark.removeEventListener("change", redraw);
        removeEventListener("hashchange", fromLink);
        for (const name of names) model.off(`change:${name}`, fromModel);
      };
    },
  };
  return page;
}

/**
 * Play, pause and one step of a run. step() is one update; atEnd() whether the run has come to its end with the last one;
 * frame() draws what has been reached; stopped() says it, too; pace() gives the updates a frame.
 * Has play and one (buttons), start(), pause().
 */
function player(page, { step, atEnd, frame, stopped, pace }) {
  let playing = false, stop = null;
  const loop = () => {
    stop = null;
    if (!playing || !page.visible) return;
    const until = performance.now() + 12, { calm } = page;
    for (let i = 0; i < (calm ? 500 : pace()); i++) {
      step();
      if (atEnd()) return pause();
      if (!calm && i % 8 === 7 && performance.now() > until) break;
    }
    frame();
    const next = calm ? setTimeout(loop, 1000) : requestAnimationFrame(loop);
    stop = calm ? () => clearTimeout(next) : () => cancelAnimationFrame(next);
  };
  const start = () => {
    playing = true;
    play.textContent = page.words.pause;
    loop();
  };
  const pause = () => {
    if (!playing) return;
    playing = false;
    stop?.();
    stop = null;
    play.textContent = page.words.play;
    stopped();
  };
  const play = page.button(page.words.play, () => (playing ? pause() : start()), { className: "dtl-main" });
  const one = page.button(page.words.step, () => { pause(); step(); stopped(); });
  page.atWaking.push(() => { if (playing && !stop) loop(); });
  return { play, one, start, pause, leave: () => { playing = false; stop?.(); } };
}

// ---- canvas -----------------------------------------------------------------------------------------------------
/** A canvas as sharp as the screen, clean, and its size in CSS pixels. */
function paperOf(canvas) {
  const width = canvas.clientWidth, height = canvas.clientHeight, ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = `13px ${getComputedStyle(canvas).fontFamily}`;
  return { pen, width, height };
}

/** A point: ● for domain 0, ▲ for 1, filled or hollow. */
function mark(pen, x, y, domain, filled, colour, ground) {
  pen.beginPath();
  if (domain === 0) pen.arc(x, y, 3.6, 0, 7);
  else { pen.moveTo(x, y - 4.8); pen.lineTo(x + 4.4, y + 3.2); pen.lineTo(x - 4.4, y + 3.2); pen.closePath(); }
  pen.fillStyle = filled ? colour : ground;
  pen.fill();
  pen.strokeStyle = colour;
  pen.lineWidth = 1.4;
  pen.stroke();
}

const GRID = 36; // a boundary is looked for on so many squares each way

/** The line on which values [(GRID + 1)²] change sign: marching squares, pieces joined so that dashes run on. */
function boundary(pen, values, at, dash, colour) {
  const side = GRID + 1, ends = new Map(); // edge of the grid -> [where it is cut, the edges that its pieces lead to]
  const cut = (a, b) => {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    if (!ends.has(key)) {
      const t = values[a] / (values[a] - values[b]), [c, r, d, s] = [a % side, Math.floor(a / side), b % side, Math.floor(b / side)];
      ends.set(key, [at(c + t * (d - c), r + t * (s - r)), []]);
    }
    return key;
  };
  for (let r = 0; r < GRID; r++) for (let c = 0; c < GRID; c++) {
    const corners = [r * side + c, r * side + c + 1, (r + 1) * side + c + 1, (r + 1) * side + c];
    const keys = corners.map((a, e) => [a, corners[(e + 1) % 4]]).filter(([a, b]) => (values[a] > 0) !== (values[b] > 0)).map(([a, b]) => cut(a, b));
    for (let e = 0; e + 1 < keys.length; e += 2) {
      ends.get(keys[e])[1].push(keys[e + 1]);
      ends.get(keys[e + 1])[1].push(keys[e]);
    }
  }
  const trace = (start) => {
    pen.moveTo(...ends.get(start)[0]);
    for (let key = start; key;) {
      const next = ends.get(key)[1].pop();
      if (!next) return;
      const back = ends.get(next)[1];
      back.splice(back.indexOf(key), 1);
      pen.lineTo(...ends.get(next)[0]);
      key = next;
    }
  };
  pen.beginPath();
  for (const only of [true, false]) { // open lines from one of their ends, then closed ones from anywhere
    for (const [key, [, leads]] of ends) if (only ? leads.length === 1 : leads.length) trace(key);
  }
  pen.setLineDash(dash);
  pen.strokeStyle = colour;
  pen.lineWidth = 2.2;
  pen.stroke();
  pen.setLineDash([]);
}

/**
 * Points of the domains, clouds [{ x [n, 2], y? }], and lines [{ values(grid) -> where positive, dash, colour }].
 * options: shown (points of each cloud), range [left, right, bottom, top] (else what holds the points; one scale both ways).
 * Gives { pen, width, height, scale, place(u, v) -> [x, y] on the canvas, back(x, y) -> [u, v] }.
 */
function plane(canvas, colours, clouds, lines, { shown = Infinity, range } = {}) {
  const { pen, width, height } = paperOf(canvas), low = [Infinity, Infinity], high = [-Infinity, -Infinity];
  const counts = clouds.map(({ x }) => Math.min(shown, x.length / 2));
  clouds.forEach(({ x }, k) => { for (let i = 0; i < 2 * counts[k]; i++) { low[i % 2] = Math.min(low[i % 2], x[i]); high[i % 2] = Math.max(high[i % 2], x[i]); } });
  if (range) [low[0], high[0], low[1], high[1]] = range;
  const span = Math.max(high[0] - low[0], (high[1] - low[1]) * width / height, 1e-6) * (range ? 1 : 1.12), scale = width / span;
  const left = (low[0] + high[0]) / 2 - span / 2, top = (low[1] + high[1]) / 2 + height / scale / 2;
  const place = (u, v) => [(u - left) * scale, (top - v) * scale];
  if (lines.length) {
    const grid = new Float64Array(2 * (GRID + 1) ** 2);
    for (let r = 0, k = 0; r <= GRID; r++) for (let c = 0; c <= GRID; c++) { grid[k++] = left + c * span / GRID; grid[k++] = top - r * height / scale / GRID; }
    for (const { values, dash, colour } of lines) boundary(pen, values(grid), (c, r) => [c * width / GRID, r * height / GRID], dash, colour);
  }
  clouds.forEach(({ x, y }, domain) => {
    for (let i = 0; i < counts[domain]; i++) mark(pen, ...place(x[2 * i], x[2 * i + 1]), domain, !y || y[i] === 1, domain ? colours.target : colours.source, colours.paper);
  });
  return { pen, width, height, scale, place, back: (x, y) => [left + x / scale, top - y / scale] };
}

function arrow(pen, x, y, dx, dy, colour, dash) {
  const length = Math.hypot(dx, dy);
  if (length < 3) return;
  const u = dx / length, v = dy / length;
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 3;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x + dx - 6 * u, y + dy - 6 * v);
  pen.stroke();
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(x + dx, y + dy);
  pen.lineTo(x + dx - 10 * u + 5 * v, y + dy - 10 * v - 5 * u);
  pen.lineTo(x + dx - 10 * u - 5 * v, y + dy - 10 * v + 5 * u);
  pen.fill();
}

/**
 * An empty frame: x and y each { low, high, ticks: [[value, text], …] }, room right of it for names of curves.
 * Gives { pen, width, height, x(value), y(value), line(xs, ys, colour, dash, width), name(text, x, y, colour), names([{ text, x, y, colour }, …]) kept apart }.
 */
function axes(canvas, colours, { x: across, y: up, left = 34, right = 64, label = "" }) {
  const { pen, width, height } = paperOf(canvas), end = width - right, floor = height - 22, within = (v, { low, high }) => Math.min(Math.max(v, low), high);
  const x = (value) => left + (end - left) * (within(value, across) - across.low) / (across.high - across.low);
  const y = (value) => floor - (floor - 10) * (within(value, up) - up.low) / (up.high - up.low);
  pen.fillStyle = colours.soft;
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1;
  pen.textAlign = "right";
  for (const [value, text] of up.ticks) {
    pen.beginPath();
    pen.moveTo(left, y(value));
    pen.lineTo(end, y(value));
    pen.stroke();
    pen.fillText(text, left - 4, y(value) + 4);
  }
  across.ticks.forEach(([value, text], i) => {
    pen.textAlign = i === 0 ? "left" : i === across.ticks.length - 1 ? "right" : "center";
    pen.fillText(text, x(value), height - 6);
  });
  pen.textAlign = "left";
  if (label) pen.fillText(label, end + 6, height - 6);
  const line = (xs, ys, colour, dash = [], thick = 2) => {
    pen.beginPath();
    for (let i = 0; i < xs.length; i++) pen[i ? "lineTo" : "moveTo"](x(xs[i]), y(ys[i]));
    pen.setLineDash(dash);
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.stroke();
    pen.setLineDash([]);
  };
  const name = (text, at, height, colour) => { // "L_y" with its index lower
    pen.fillStyle = colour;
    const [stem, index = ""] = text.split("_");
    pen.fillText(stem, at, height);
    pen.fillText(index, at + pen.measureText(stem).width, height + 4);
  };
  const names = (list) => { // kept apart: pushed down, then up again from the floor
    list.sort((a, b) => a.y - b.y).forEach((one, i) => { if (i) one.y = Math.max(one.y, list[i - 1].y + 14); });
    list.reduceRight((below, one) => (one.y = Math.min(one.y, below - 14)), floor + 18);
    for (const one of list) name(one.text, one.x, one.y, one.colour);
  };
  return { pen, width, height, x, y, line, name, names };
}

/** Curves over the steps of a run, series [{ name, values, colour, dash }], each named at its end; rules are [value, text] at the left. */
function curves(canvas, colours, { steps, last, top, rules, series }) {
  const end = Math.max(last, steps.at(-1) ?? 0);
  const { x, y, line, names } = axes(canvas, colours, { x: { low: 0, high: end, ticks: [[0, "0"], [end, minus(end)]] }, y: { low: 0, high: top, ticks: rules } });
  const full = series.filter(({ values }) => values.length);
  for (const { values, colour, dash } of full) line(steps, values, colour, dash);
  names(full.map(({ name, values, colour }) => ({ text: name, colour, x: x(steps.at(-1)) + 4, y: y(values.at(-1)) + 4 })));
}

/**
 * Dragging by mouse or finger. grab(x, y) -> a handle, or null where there is nothing to take hold of; drag(handle, x, y) moves it;
 * drop(handle) ends. A finger that takes hold of nothing scrolls the page.
 */
function draggable(canvas, { grab, drag, drop = () => {} }) {
  let held = null;
  canvas.addEventListener("pointerdown", (event) => {
    held = event.button === 0 ? grab(event.offsetX, event.offsetY) : null;
    if (held === null) return;
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  canvas.addEventListener("touchstart", (event) => { if (held !== null) event.preventDefault(); }, { passive: false });
  canvas.addEventListener("pointermove", (event) => {
    if (held !== null) drag(held, event.offsetX, event.offsetY);
    else canvas.style.cursor = grab(event.offsetX, event.offsetY) === null ? "" : "grab";
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => {
    if (held !== null) drop(held);
    held = null;
  });
}
