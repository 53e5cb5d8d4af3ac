// The DANN lab's page (see dann.py): controls, pictures and read-outs round a DannRun of dann_training.js.
const WORDS = {
  ko: {
    presets: "준비된 상황", rotated: "적응 성공", "lambda-0": "λ = 0", "lambda-large": "λ가 너무 큼", "label-shift": "레이블 시프트",
    lam: "λ, 도메인 혼동의 무게", rotation: "타깃의 회전", share: "타깃에서 클래스 1의 비율", rate: "학습률 μ", width: "G_f의 은닉 너비", seed: "시드",
    scheduled: "논문의 스케줄(λ는 0에서 커지고, μ는 줄어든다)", speed: "프레임마다 걸음 수", point: "그레이디언트를 볼 점",
    play: "학습", pause: "멈춤", step: "한 걸음", reset: "처음부터", share_link: "링크 만들기", more: "설정 더 보기",
    input: "입력 공간", feature: "특성 공간", losses: "손실과 PAD", accuracies: "정확도",
    legend: "● 소스, ▲ 타깃. 속이 빈 것은 클래스 0, 찬 것은 클래스 1. 실선은 레이블의 경계, 점선은 도메인 분류기의 경계.",
    now: "걸음", source_accuracy: "소스 정확도", target_accuracy: "타깃 정확도", pad: "PAD", lam_now: "지금 λ", rate_now: "지금 μ", label_loss: "L_y", domain_loss: "L_d",
    status: (m) => `${m.step}걸음. 소스 정확도 ${m.source}, 타깃 정확도 ${m.target}, PAD ${m.pad}.`,
    linked: "주소창의 링크에 지금 설정이 담겼다.",
    refused: (name, text) => `링크에 쓸 수 없는 값이 있어 무시했다: ${name}=${text}.`, bad: (name) => `쓸 수 없는 값이라 그대로 두었다: ${name}.`,
    of: ["소스 점", "타깃 점"], domains: ["● 소스", "▲ 타깃"],
    arrows: "특성 공간의 화살표는 고른 점(동그라미)의 그레이디언트다. L_y와 L_d는 이 점 하나의 손실, f는 이 점의 특성이다. 갱신은 그레이디언트의 반대쪽으로 간다.",
    arrow_y: (g) => `∂L_y/∂f = ${g}`, arrow_none: "∂L_y/∂f = 0. 타깃에는 레이블이 없다.", arrow_d: (g, n) => `+∂L_d/∂f = ${g}. G_d가 반전 층으로 올려 보낸다. θ_d는 +∂L_d/∂θ_d(길이 ${n})를 그대로 받는다.`,
    arrow_r: (g) => `−λ ∂L_d/∂f = ${g}. 반전 층이 θ_f로 넘긴다.`,
    about_pad: "PAD는 새로 학습한 분류기(두 특성의 3차 다항식에 대한 로지스틱 회귀)로 잰다. 1.39는 동전 던지기의 도메인 손실 2 log 2다. 정확도와 PAD는 학습에 쓰지 않은 점에서 잰다.",
    try: "해 보자", set: "이렇게 맞추기",
    tasks: ["λ = 0으로 끝까지 학습하고, 다음에는 λ = 1로 학습한다. 타깃 정확도는 0.7 안팎에서 0.85 위로 오르고 소스 정확도는 0.95 위에 머문다.",
      "타깃을 180° 돌린다. λ가 무엇이든 PAD는 0 근처인데 타깃 정확도도 0 근처다. 두 초승달이 자리를 맞바꾸었다.",
      "돌리지 않고 타깃의 클래스 1만 90%로 한다. λ = 0이면 거의 다 맞히지만, λ = 5로 적응하면 소스도 타깃도 나빠진다."],
  },
  en: {
    presets: "Situations", rotated: "Adaptation works", "lambda-0": "λ = 0", "lambda-large": "λ too large", "label-shift": "Label shift",
    lam: "λ, the weight of domain confusion", rotation: "Rotation of the target", share: "Share of class 1 in the target", rate: "Learning rate μ", width: "Hidden width of G_f", seed: "Seed",
    scheduled: "The paper's schedules (λ grows from 0, μ decays)", speed: "Steps a frame", point: "Point whose gradients are shown",
    play: "Train", pause: "Pause", step: "One step", reset: "Start again", share_link: "Make a link", more: "More settings",
    input: "Input space", feature: "Feature space", losses: "Losses and PAD", accuracies: "Accuracy",
    legend: "● source, ▲ target. Hollow is class 0, filled is class 1. Solid line: boundary of the labels; dashed line: boundary of the domain classifier.",
    now: "Step", source_accuracy: "Source accuracy", target_accuracy: "Target accuracy", pad: "PAD", lam_now: "λ now", rate_now: "μ now", label_loss: "L_y", domain_loss: "L_d",
    status: (m) => `Step ${m.step}. Source accuracy ${m.source}, target accuracy ${m.target}, PAD ${m.pad}.`,
    linked: "The link in the address bar holds these settings.",
    refused: (name, text) => `The link's ${name}=${text} is not a possible value and was left out.`, bad: (name) => `Not a possible value, so it was left as it was: ${name}.`,
    of: ["source point", "target point"], domains: ["● source", "▲ target"],
    arrows: "The arrows in feature space are gradients at the chosen point (circled). L_y and L_d are the losses of this one point, f is its feature. An update goes against the gradients.",
    arrow_y: (g) => `∂L_y/∂f = ${g}`, arrow_none: "∂L_y/∂f = 0: the target has no labels.", arrow_d: (g, n) => `+∂L_d/∂f = ${g}, sent up by G_d to the reversal layer. θ_d takes +∂L_d/∂θ_d, of length ${n}, as it is.`,
    arrow_r: (g) => `−λ ∂L_d/∂f = ${g}, handed on to θ_f by the reversal layer.`,
    about_pad: "PAD is measured by a fresh classifier, a logistic regression on polynomials of degree 3 in the two features. 1.39 is 2 log 2, the domain loss of a coin. Accuracies and PAD are those of points that training has not seen.",
    try: "Try this", set: "Set it up",
    tasks: ["Train to the end with λ = 0, then with λ = 1. Target accuracy rises from about 0.7 to above 0.85, and source accuracy stays above 0.95.",
      "Turn the target by 180°. Whatever λ is, PAD is near 0, and so is target accuracy: the two moons have changed places.",
      "Turn nothing, but let class 1 be 90 % of the target. With λ = 0 nearly all is right; adapting with λ = 5 makes both source and target worse."],
  },
};
const SHOWN = 80; // points drawn of each domain
const GRID = 36; // a boundary is looked for on so many squares each way

const make = (tag, properties = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && name !== "role") element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};
/** The author's choice, else the language of a published page, else the browser's. */
const languageOf = (model, el) => {
  const page = el.closest(".dtl-widget") && document.documentElement.lang;
  return (model.get("lang") || page || navigator.language || "en").startsWith("ko") ? "ko" : "en";
};
/** Text with "L_y" and the like as real subscripts. */
const math = (element, text) => {
  element.replaceChildren(...text.split(/_(\w)/).map((part, i) => (i % 2 ? make("sub", { textContent: part }) : part)));
  return element;
};
const minus = (text) => String(text).replace("-", "−");
const signed = (v) => (v < 0 ? "−" : "+") + Math.abs(v).toFixed(3);

// ---- drawing ----------------------------------------------------------------------------------------------------
/** A canvas as sharp as the screen, and its size in CSS pixels. */
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

/** Points of both domains with boundaries; returns where a point stands on the canvas. */
function plane(canvas, colours, clouds, lines) {
  const { pen, width, height } = paperOf(canvas);
  const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
  for (const { x } of clouds) for (let i = 0; i < 2 * SHOWN; i++) { low[i % 2] = Math.min(low[i % 2], x[i]); high[i % 2] = Math.max(high[i % 2], x[i]); }
  const span = Math.max(high[0] - low[0], (high[1] - low[1]) * width / height, 1e-6) * 1.12, scale = width / span;
  const left = (low[0] + high[0]) / 2 - span / 2, top = (low[1] + high[1]) / 2 + height / scale / 2;
  const place = (u, v) => [(u - left) * scale, (top - v) * scale];
  const grid = new Float64Array(2 * (GRID + 1) ** 2);
  for (let r = 0, k = 0; r <= GRID; r++) for (let c = 0; c <= GRID; c++) { grid[k++] = left + c * span / GRID; grid[k++] = top - r * height / scale / GRID; }
  for (const { values, dash, colour } of lines) boundary(pen, values(grid), (c, r) => [c * width / GRID, r * height / GRID], dash, colour);
  clouds.forEach(({ x, y }, domain) => {
    for (let i = 0; i < SHOWN; i++) mark(pen, ...place(x[2 * i], x[2 * i + 1]), domain, y[i] === 1, domain ? colours.target : colours.source, colours.paper);
  });
  return { pen, place };
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

/** Curves over the steps; each is named at its end. */
function curves(canvas, colours, steps, top, rules, series) {
  const { pen, width, height } = paperOf(canvas), left = 30, right = width - 64, floor = height - 22;
  const last = Math.max(STEPS, steps.at(-1) ?? 0);
  const x = (step) => left + (right - left) * step / last, y = (value) => floor - (floor - 10) * Math.min(Math.max(value, 0), top) / top;
  pen.fillStyle = colours.soft;
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1;
  for (const [value, text] of rules) {
    pen.beginPath();
    pen.moveTo(left, y(value));
    pen.lineTo(right, y(value));
    pen.stroke();
    pen.textAlign = "right";
    pen.fillText(text, left - 4, y(value) + 4);
  }
  pen.fillText(minus(last), right, height - 6);
  pen.textAlign = "left";
  pen.fillText("0", left, height - 6);
  const ends = [];
  for (const { name, values, colour, dash } of series) {
    if (!values.length) continue;
    pen.beginPath();
    values.forEach((value, i) => pen[i ? "lineTo" : "moveTo"](x(steps[i]), y(value)));
    pen.setLineDash(dash);
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.stroke();
    pen.setLineDash([]);
    ends.push({ name, colour, x: x(steps.at(-1)) + 4, y: y(values.at(-1)) + 4 });
  }
  ends.sort((a, b) => a.y - b.y).forEach((end, i) => {
    if (i) end.y = Math.max(end.y, ends[i - 1].y + 14);
    pen.fillStyle = end.colour;
    const [name, index = ""] = end.name.split("_");
    pen.fillText(name, end.x, end.y);
    pen.fillText(index, end.x + pen.measureText(name).width, end.y + 4);
  });
}

// ---- the lab ----------------------------------------------------------------------------------------------------
function render({ model, el }) {
  const lang = languageOf(model, el), words = WORDS[lang], published = el.closest(".dtl-widget");
  const names = Object.keys(LIMITS), id = `dtl-dann-${Math.random().toString(36).slice(2, 9)}`;
  let settings = Object.fromEntries(names.map((name) => [name, model.get(name)])), run = new DannRun(settings);
  let playing = false, visible = true, waiting = null, applying = false, measured = run.measure(), place = null;

  // --- controls
  const button = (text, onclick, properties = {}) => make("button", { type: "button", textContent: text, onclick, ...properties });
  const play = button(words.play, () => (playing ? pause() : start()), { className: "dtl-main" });
  const step = button(words.step, () => { pause(); forwards(1); tell(); });
  const reset = button(words.reset, () => restart());
  const link = button(words.share_link, () => {
    history.replaceState(null, "", writeFragment(settings));
    navigator.clipboard?.writeText(location.href).catch(() => {});
    status.textContent = words.linked;
  });
  const presets = make("div", { role: "group", "aria-label": words.presets, className: "dtl-row" },
    ...Object.keys(PRESETS).map((name) => button(words[name], () => change(settingsOf(name)), { value: name })));
  const unit = { rotation: (v) => `${minus(v)}°`, share: (v) => `${Math.round(100 * v)} %` };
  const sliders = {};
  const slider = (name, stops, text, moved) => {
    const input = make("input", { type: "range", id: `${id}-${name}`, min: 0, max: stops.length - 1, step: 1 });
    const output = make("output", {});
    output.setAttribute("for", input.id);
    output.setAttribute("aria-live", "off");
    input.addEventListener("input", () => moved(stops[+input.value]));
    const show = (value) => { // a value between two stops stands at the nearer one
      input.value = stops.reduce((best, stop, i) => (Math.abs(stop - value) < Math.abs(stops[best] - value) ? i : best), 0);
      output.value = text(value);
      input.setAttribute("aria-valuetext", text(value));
    };
    sliders[name] = { input, show };
    return make("div", { className: "dtl-control" }, math(make("label", { htmlFor: input.id }), words[name]), output, input);
  };
  const setting = (name) => slider(name, LIMITS[name].stops, unit[name] ?? minus, (value) => change({ [name]: value }));
  const scheduled = make("input", { type: "checkbox", id: `${id}-scheduled`, onchange: () => change({ scheduled: scheduled.checked }) });
  const seed = make("input", { type: "number", id: `${id}-seed`, min: 0, max: LIMITS.seed.most, step: 1, onchange: () => change({ seed: seed.value === "" ? NaN : +seed.value }) });
  let pace = 10, point = 0;
  const speed = slider("speed", [1, 5, 10, 40], String, (value) => { pace = value; sliders.speed.show(pace); });
  const which = (i) => `${words.of[+(i >= SHOWN)]} ${i % SHOWN + 1}`;
  const chooser = slider("point", Array.from({ length: 2 * SHOWN }, (_, i) => i), which, (value) => choose(value));

  // --- pictures and read-outs
  const view = (name) => {
    const canvas = make("canvas", { role: "img", "aria-label": words[name] });
    views[name] = canvas;
    return make("div", { className: "dtl-view" }, make("p", { className: "dtl-name", textContent: words[name] }), canvas);
  };
  const views = {}, readouts = {};
  const readout = (name) => make("div", {}, math(make("dt"), words[name]), readouts[name] = make("dd", {}));
  const status = make("p", { role: "status", className: "dtl-status" });
  const refusal = make("p", { role: "alert", className: "dtl-refused" });
  const gradients = [0, 1, 2].map((i) => make("li", { className: `dtl-arrow-${"ydf"[i]}` }));
  const tasks = words.tasks.map((text, i) => make("li", {}, text, " ",
    button(words.set, () => change(settingsOf(...EXPERIMENTS[i])), { "aria-label": `${words.set}: ${i + 1}` })));
  const box = make("div", { className: "dtl-lab", lang },
    make("div", { className: "dtl-screen" },
      presets, refusal,
      make("div", { className: "dtl-row" }, play, step, reset, ...published ? [link] : []),
      make("div", { className: "dtl-controls" }, setting("lam"), setting("rotation"), setting("share"), speed,
        make("div", { className: "dtl-check" }, scheduled, make("label", { htmlFor: scheduled.id, textContent: words.scheduled }))),
      make("details", {}, make("summary", { textContent: words.more }), make("div", { className: "dtl-controls" }, setting("rate"), setting("width"),
        make("div", { className: "dtl-control" }, make("label", { htmlFor: seed.id, textContent: words.seed }), seed))),
      make("dl", { className: "dtl-readouts" }, ...["now", "source_accuracy", "target_accuracy", "pad", "label_loss", "domain_loss", "lam_now", "rate_now"].map(readout)),
      make("div", { className: "dtl-views" }, view("input"), view("feature"), view("losses"), view("accuracies")),
      make("p", { className: "dtl-note", textContent: words.legend }), status,
      chooser, make("ul", { className: "dtl-arrows" }, ...gradients),
      math(make("p", { className: "dtl-note" }), `${words.arrows} ${words.about_pad}`),
      make("p", { className: "dtl-name", textContent: words.try }), make("ol", {}, ...tasks)));
  const still = published?.querySelector(".dtl-still");
  if (still) box.append(make("div", { className: "dtl-prints" }, still.cloneNode(true)));
  for (const control of box.querySelectorAll("button, input, summary")) control.dataset.lmSuppressShortcuts = "true"; // JupyterLab would keep the keys

  // --- what is shown
  const two = (value) => (value === undefined ? "–" : minus(value.toFixed(2)));
  function draw() {
    const style = getComputedStyle(box), colours = {};
    for (const name of ["ink", "soft", "line", "paper", "source", "target", "f", "y", "d"]) colours[name] = style.getPropertyValue(`--${name}`);
    const h = run.history, at = (name) => h[name].at(-1);
    const values = {
      now: `${run.step} / ${STEPS}`, source_accuracy: two(measured.source_accuracy), target_accuracy: two(measured.target_accuracy),
      pad: two(measured.proxy_a_distance), label_loss: two(at("label_loss")), domain_loss: two(at("domain_loss")), lam_now: two(run.lam), rate_now: run.rate.toFixed(4),
    };
    for (const [name, text] of Object.entries(values)) readouts[name].textContent = text;
    const g = run.gradientsAt(+(point >= SHOWN), point % SHOWN), pair = (v) => `(${signed(v[0])}, ${signed(v[1])})`;
    math(gradients[0], point < SHOWN ? words.arrow_y(pair(g.label)) : words.arrow_none);
    math(gradients[1], words.arrow_d(pair(g.domain), g.length.toFixed(3)));
    math(gradients[2], words.arrow_r(pair(g.reversed)));
    const label = { values: (f) => run.labelLogit(f), dash: [], colour: colours.y };
    plane(views.input, colours, [run.source, run.target], [{ ...label, values: (x) => run.labelLogit(run.features(x)) }]);
    const clouds = [run.source, run.target].map(({ x, y }) => ({ x: run.features(x.subarray(0, 2 * SHOWN)), y }));
    const { pen, place: where } = plane(views.feature, colours, clouds, [label, { values: (f) => run.domainLogit(f), dash: [7, 5], colour: colours.d }]);
    place = (i) => where(...clouds[+(i >= SHOWN)].x.subarray(2 * (i % SHOWN), 2 * (i % SHOWN) + 2));
    const [x, y] = place(point), longest = Math.max(...[g.label, g.domain, g.reversed].map((v) => Math.hypot(...v))) || 1;
    pen.beginPath();
    pen.arc(x, y, 9, 0, 7);
    pen.strokeStyle = colours.ink;
    pen.stroke();
    for (const [v, colour, dash] of [[g.label, colours.y, []], [g.domain, colours.d, [5, 3]], [g.reversed, colours.f, []]]) {
      arrow(pen, x, y, 55 * v[0] / longest, -55 * v[1] / longest, colour, dash);
    }
    curves(views.losses, colours, h.step, 2, [[0, "0"], [1, "1"], [2 * 0.6931471805599453, "1.39"], [2, "2"]], [
      { name: "L_y", values: h.label_loss, colour: colours.y, dash: [] }, { name: "L_d", values: h.domain_loss, colour: colours.d, dash: [7, 4] },
      { name: "PAD", values: h.proxy_a_distance, colour: colours.ink, dash: [2, 3] }]);
    curves(views.accuracies, colours, h.step, 1, [[0, "0"], [0.5, "0.5"], [1, "1"]], [
      { name: words.domains[0], values: h.source_accuracy, colour: colours.source, dash: [] },
      { name: words.domains[1], values: h.target_accuracy, colour: colours.target, dash: [7, 4] }]);
  }
  function tell() {
    const m = { step: run.step, source: two(measured.source_accuracy), target: two(measured.target_accuracy), pad: two(measured.proxy_a_distance) };
    status.textContent = words.status(m);
    for (const name of Object.keys(views)) views[name].setAttribute("aria-label", `${words[name]}. ${words.status(m)}`);
    model.set("history", structuredClone(run.history));
    model.save_changes();
    draw();
  }
  function showSettings() {
    for (const name of ["lam", "rotation", "share", "rate", "width"]) sliders[name].show(settings[name]);
    scheduled.checked = settings.scheduled;
    seed.value = settings.seed;
    const same = (name) => { const s = settingsOf(name); return names.every((key) => key === "seed" || s[key] === settings[key]); };
    for (const one of presets.children) one.setAttribute("aria-pressed", same(one.value));
  }

  // --- what happens
  /** New settings, from a control, a link or Python. λ, μ and the schedule act on the run as it goes; the others begin another. */
  function change(given) {
    const wrong = Object.keys(given).find((name) => !allowed(name, given[name]));
    refusal.textContent = wrong ? words.bad(words[wrong]) : "";
    if (wrong) return showSettings();
    const before = settings, anew = Object.keys(given).length > 1 || ["rotation", "share", "width", "seed"].some((name) => name in given);
    settings = { ...before, ...given };
    applying = true;
    for (const name of names) model.set(name, settings[name]);
    applying = false;
    model.save_changes();
    showSettings();
    if (anew) return restart();
    run.settings = { ...settings };
    draw();
  }
  function restart() {
    pause();
    run = new DannRun(settings);
    measured = run.measure();
    tell();
  }
  function forwards(count) {
    for (let i = 0; i < count; i++) run.advance();
    measured = run.measure();
  }
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  function loop() {
    waiting = null;
    if (!playing || !visible) return;
    const until = performance.now() + 12, end = run.step < STEPS ? STEPS : Infinity; // past its end a run may be taken further
    for (let i = 0; i < (calm.matches ? 500 : pace) && run.step < end; i++) {
      run.advance();
      if (!calm.matches && i % 8 === 7 && performance.now() > until) break;
    }
    for (const name of Object.keys(measured)) measured[name] = run.history[name].at(-1) ?? measured[name]; // the latest record
    if (run.step === end) return pause();
    draw();
    const next = calm.matches ? setTimeout(loop, 1000) : requestAnimationFrame(loop);
    waiting = calm.matches ? () => clearTimeout(next) : () => cancelAnimationFrame(next);
  }
  function start() {
    playing = true;
    play.textContent = words.pause;
    loop();
  }
  function pause() {
    if (!playing) return;
    playing = false;
    waiting?.();
    waiting = null;
    play.textContent = words.play;
    measured = run.measure();
    tell();
  }
  function choose(i) {
    point = i;
    sliders.point.show(i);
    draw();
  }
  views.feature.addEventListener("click", (event) => { // the slider below does the same by keyboard
    let best = 0, least = Infinity;
    for (let i = 0; i < 2 * SHOWN; i++) {
      const [x, y] = place(i), d = Math.hypot(x - event.offsetX, y - event.offsetY);
      if (d < least) { least = d; best = i; }
    }
    choose(best);
  });
  function fromLink() {
    const read = published && readFragment(location.hash);
    if (!read) return;
    change(settingsOf("rotated", read.given));
    refusal.textContent = read.refused.map(([name, text]) => words.refused(name, text)).join(" ");
  }

  // --- beginnings and ends
  const seen = new IntersectionObserver(([entry]) => {
    visible = entry.isIntersecting;
    if (visible && playing && !waiting) loop();
  });
  const resized = new ResizeObserver(() => draw());
  const recoloured = new MutationObserver(() => draw());
  const moved = () => { if (!applying) change(Object.fromEntries(names.filter((name) => model.get(name) !== settings[name]).map((name) => [name, model.get(name)]))); };
  for (const name of names) model.on(`change:${name}`, moved);
  addEventListener("hashchange", fromLink);
  el.append(box);
  sliders.speed.show(pace);
  sliders.point.show(point);
  showSettings();
  fromLink();
  tell();
  seen.observe(box);
  resized.observe(views.input);
  recoloured.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "theme"] });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);

  return () => {
    playing = false;
    waiting?.();
    for (const observer of [seen, resized, recoloured]) observer.disconnect();
    dark.removeEventListener("change", draw);
    removeEventListener("hashchange", fromLink);
    for (const name of names) model.off(`change:${name}`, moved);
  };
}

export default { render };
