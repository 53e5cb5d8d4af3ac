// The MMD lab's page (see mmd.py): two samples and their test, and a DdcRun of mmd_training.js. Uses controls.js.
const WORDS = {
  ko: {
    view: "그림", "view-samples": "두 표본", "view-ddc": "DDC", kernel: "커널", "kernel-rbf": "가우스: exp(−‖x−y‖²/(2σ²))", "kernel-linear": "선형: xᵀy",
    median: "σ는 점 사이 거리의 중앙값", sigma: "대역폭 σ", at_median: "중앙값", dx: "타깃의 중심, 가로", dy: "타깃의 중심, 세로", spread: "타깃이 퍼진 정도", size: "표본마다 점의 수", again: "표본을 새로 뽑기",
    shifted: "중심이 다름", same: "같은 분포", wider: "퍼진 정도만 다름", ddc: "DDC, λ = 10", "ddc-0": "DDC, λ = 0", "ddc-1": "DDC, λ = 1",
    lam: "λ, MMD²의 무게", rotation: "타깃의 회전", rate: "학습률 μ", speed: "프레임마다 걸음 수",
    plane: "두 표본과 증인 함수", null: "이름표를 섞은 MMD²의 분포(귀무분포)", mmd: "특성의 MMD²(치우치지 않은 추정)", accuracies: "정확도",
    biased: "MMD², 치우친", unbiased: "MMD², 치우치지 않은", p: "p값", sigma_now: "지금 σ", ddc_sigma: "특성의 σ", now: "걸음", pad: "PAD", label_loss: "L_y", mmd2: "MMD²", observed: "관측값", critical: "5%",
    legend_samples: "● 소스, ▲ 타깃. 타깃 구름은 끌어서 옮길 수 있다. 바탕의 색은 증인 함수이고, +와 −는 가장 큰 곳과 가장 작은 곳, 점선은 0인 곳이다. 히스토그램은 이름표를 500번 섞어 얻은 값들이다. 굵은 선이 관측값이고, 점선보다 오른쪽이면 p ≤ 0.05다.",
    legend_ddc: "● 소스, ▲ 타깃. 속이 빈 것은 클래스 0, 찬 것은 클래스 1. 실선은 레이블의 경계, 점에서 나온 짧은 선은 −∂MMD²/∂f의 방향이다. PAD는 새로 학습한 분류기로 잰다. 정확도와 PAD는 학습에 쓰지 않은 점에서, MMD²은 미니배치에서 잰다.",
    told: (m) => `MMD² 치우친 추정값 ${m.biased}, 치우치지 않은 추정값 ${m.unbiased}. p값 ${m.p}.`,
    status: (m) => `${m.step}걸음. 소스 정확도 ${m.source}, 타깃 정확도 ${m.target}, MMD² ${m.mmd2}, PAD ${m.pad}.`,
    tasks: ["같은 분포에서 뽑은 두 표본이다. ‘표본을 새로 뽑기’를 스무 번쯤 누른다. 치우친 추정값은 언제나 0보다 크고 치우치지 않은 추정값은 0을 사이에 두고 오르내리며, p값은 스무 번에 한 번꼴로 0.05 아래로 내려간다.",
      "중심이 같고 퍼진 정도만 2.5배다. 선형 커널은 가려내지 못한다(p > 0.05). 가우스 커널로 바꾸면 p가 0.01 아래로 내려간다. 가우스 커널도 σ를 20으로 키우면 다시 가려내지 못한다.",
      "λ = 0으로 끝까지 학습하고, 준비된 상황의 λ = 1, λ = 10으로 다시 한다. λ = 1에서 이미 MMD²은 10분의 1쯤이 되고 PAD는 0.5 아래로 내려가지만 타깃 정확도는 나아지지 않는다. λ = 10에서는 0.9를 넘는다. 특성이 겹친다고 해서 클래스까지 제자리를 찾은 것은 아니다."],
  },
  en: {
    view: "Pictures", "view-samples": "Two samples", "view-ddc": "DDC", kernel: "Kernel", "kernel-rbf": "Gaussian: exp(−‖x−y‖²/(2σ²))", "kernel-linear": "Linear: xᵀy",
    median: "σ is the median distance of two points", sigma: "Bandwidth σ", at_median: "median", dx: "Centre of the target, across", dy: "Centre of the target, up", spread: "Spread of the target", size: "Points of each sample", again: "Draw new samples",
    shifted: "Other centre", same: "One distribution", wider: "Only the spread differs", ddc: "DDC, λ = 10", "ddc-0": "DDC, λ = 0", "ddc-1": "DDC, λ = 1",
    lam: "λ, the weight of MMD²", rotation: "Rotation of the target", rate: "Learning rate μ", speed: "Steps a frame",
    plane: "Two samples and the witness function", null: "Null distribution of MMD² (unbiased)", mmd: "MMD² of the features (unbiased)", accuracies: "Accuracy",
    biased: "MMD², biased", unbiased: "MMD², unbiased", p: "p-value", sigma_now: "σ now", ddc_sigma: "σ of the features", now: "Step", pad: "PAD", label_loss: "L_y", mmd2: "MMD²", observed: "observed", critical: "5 %",
    legend_samples: "● source, ▲ target. The target cloud can be dragged. The ground is coloured by the witness function: + and − stand where it is largest and smallest, the dashed line where it is 0. The histogram shows the values for 500 shuffles of the names. The thick line is what was observed; to the right of the dashed line p ≤ 0.05.",
    legend_ddc: "● source, ▲ target. Hollow is class 0, filled is class 1. Solid line: boundary of the labels; the short line from a point has the direction of −∂MMD²/∂f. PAD is measured by a fresh classifier. Accuracies and PAD are those of points that training has not seen, MMD² is that of the mini-batches.",
    told: (m) => `MMD² biased ${m.biased}, unbiased ${m.unbiased}. p-value ${m.p}.`,
    status: (m) => `Step ${m.step}. Source accuracy ${m.source}, target accuracy ${m.target}, MMD² ${m.mmd2}, PAD ${m.pad}.`,
    tasks: ["Both samples come from one distribution. Press “Draw new samples” some twenty times. The biased estimate is always above 0, the unbiased one wavers about 0, and about one time in twenty p is below 0.05.",
      "The centres agree, and the spread is 2.5 times as large. The linear kernel cannot tell (p > 0.05). Take the Gaussian kernel, and p falls below 0.01. With σ = 20 the Gaussian kernel cannot tell either.",
      "Train with λ = 0 to the end, then with the situations λ = 1 and λ = 10. At λ = 1 MMD² is already down to about a tenth and PAD below 0.5, but target accuracy is no better. At λ = 10 it passes 0.9. That features overlap does not mean that the classes have found their places."],
  },
};
const SHOWN = 80; // points drawn of each domain
const SIDES = [-6, 6, -4.5, 4.5]; // what the plane of the samples shows
const three = (value) => (value === undefined ? "–" : minus(value.toFixed(3)).replace("−0.000", "0.000"));

function render({ model, el }) {
  const page = labPage({ model, el, words: WORDS, settings: SETTINGS, changed, draw }), { words, views } = page;
  let told = compare(page.now), run = new DdcRun(page.now), measured = run.measure(), pace = 10, place = null, centre = null;
  const { play, one, pause, leave } = player(page, {
    step: () => run.advance(), atEnd: () => run.step === STEPS, pace: () => pace,
    frame: () => {
      for (const name of Object.keys(measured)) measured[name] = run.history[name].at(-1) ?? measured[name]; // the latest record
      draw();
    },
    stopped: () => { measured = run.measure(); tell(); },
  });
  const reset = page.button(words.reset, () => restart());
  const speed = page.dial("speed", [1, 5, 10, 40], String, (value) => { pace = value; page.dials.speed.show(pace); });
  const again = page.button(words.again, () => page.change({ seed: (page.now.seed + 1) % (LIMITS.seed.most + 1) }));

  // --- what is shown
  function draw() { if (page.now.view === "samples") drawSamples(); else drawRun(); }
  function drawSamples() {
    const colours = page.colours(), { source, target, biased, unbiased, pValue, sigma } = told;
    page.read({ biased: three(biased), unbiased: three(unbiased), p: three(pValue), sigma_now: sigma === null ? "–" : two(sigma) });
    let signs = [];
    const shade = (grid) => {
      const values = witness(source, target, grid, sigma), pen = views.plane.getContext("2d"), side = GRID + 1;
      const across = views.plane.clientWidth / GRID, down = views.plane.clientHeight / GRID, most = values.reduce((a, v) => Math.max(a, Math.abs(v)), 0) || 1;
      values.forEach((value, i) => {
        pen.globalAlpha = 0.4 * Math.abs(value) / most;
        pen.fillStyle = value > 0 ? colours.source : colours.target;
        pen.fillRect((i % side - 0.5) * across, (Math.floor(i / side) - 0.5) * down, across, down);
      });
      pen.globalAlpha = 1;
      const inner = (i) => Math.min(i % side, GRID - i % side, Math.floor(i / side), GRID - Math.floor(i / side)) > 0; // the sign shall be seen whole
      for (const sign of [1, -1]) {
        let best = -1;
        values.forEach((value, i) => { if (inner(i) && sign * value > 0 && (best < 0 || sign * value > sign * values[best])) best = i; });
        if (best >= 0) signs.push([sign > 0 ? "+" : "−", (best % side) * across, Math.floor(best / side) * down]);
      }
      return values;
    };
    const { pen, place: where, back } = plane(views.plane, colours, [{ x: source }, { x: target }], [{ values: shade, dash: [7, 5], colour: colours.ink }], { range: SIDES });
    place = where;
    centre = back;
    pen.font = `bold 26px ${getComputedStyle(views.plane).fontFamily}`;
    pen.textAlign = "center";
    for (const [sign, x, y] of signs) {
      pen.strokeStyle = colours.paper;
      pen.lineWidth = 5;
      pen.strokeText(sign, x, y + 9);
      pen.fillStyle = colours.ink;
      pen.fillText(sign, x, y + 9);
    }
    histogram(colours);
  }
  function histogram(colours) {
    const { values, observed, critical } = told, low = Math.min(0, observed, ...values), high = Math.max(observed, ...values), bars = 30, width = (high - low) / bars || 1;
    const counts = new Array(bars).fill(0);
    for (const value of values) counts[Math.min(Math.floor((value - low) / width), bars - 1)]++;
    const top = Math.max(...counts), frame = axes(views.null, colours, { x: { low, high, ticks: [[low, three(low)], [high, three(high)]] }, y: { low: 0, high: 1.25 * top, ticks: [[0, "0"], [top, String(top)]] }, right: 12 });
    const { pen, x, y, line } = frame;
    pen.fillStyle = colours.soft;
    counts.forEach((count, i) => pen.fillRect(x(low + i * width) + 0.5, y(count), Math.max(x(low + width) - x(low) - 1, 1), y(0) - y(count)));
    line([critical, critical], [0, 1.08 * top], colours.ink, [5, 4]);
    line([observed, observed], [0, 1.22 * top], colours.d, [], 3.5);
    const label = (text, value, height, colour) => {
      const half = pen.measureText(text).width;
      pen.fillStyle = colour;
      pen.textAlign = x(value) + half + 6 > frame.width - 12 ? "right" : "left";
      pen.fillText(text, x(value) + (pen.textAlign === "right" ? -6 : 6), y(height));
    };
    label(words.critical, critical, 1.02 * top, colours.ink);
    label(words.observed, observed, 1.16 * top, colours.d);
  }
  function drawRun() {
    const colours = page.colours(), h = run.history, clouds = [run.source, run.target].map(({ x, y }) => ({ x: run.features(x.subarray(0, 2 * SHOWN)), y }));
    const { pulls, sigma } = run.pull(clouds[0].x, clouds[1].x);
    page.read({
      now: `${run.step} / ${STEPS}`, source_accuracy: two(measured.source_accuracy), target_accuracy: two(measured.target_accuracy), pad: two(measured.proxy_a_distance),
      label_loss: two(h.label_loss.at(-1)), mmd2: three(h.mmd2.at(-1)), ddc_sigma: sigma === null ? "–" : two(sigma),
    });
    const label = { values: (f) => run.labelLogit(f), dash: [], colour: colours.y };
    plane(views.input, colours, [run.source, run.target], [{ ...label, values: (x) => run.labelLogit(run.features(x)) }], { shown: SHOWN });
    const { pen, place: where } = plane(views.feature, colours, clouds, [label]);
    const longest = Math.max(...pulls.flatMap((pull) => Array.from({ length: SHOWN }, (_, i) => Math.hypot(pull[2 * i], pull[2 * i + 1])))) || 1;
    pen.strokeStyle = colours.f;
    pen.lineWidth = 1.6;
    pen.beginPath();
    pulls.forEach((pull, domain) => {
      for (let i = 0; i < SHOWN; i++) {
        const [u, v] = where(clouds[domain].x[2 * i], clouds[domain].x[2 * i + 1]);
        pen.moveTo(u, v);
        pen.lineTo(u + 28 * pull[2 * i] / longest, v - 28 * pull[2 * i + 1] / longest);
      }
    });
    pen.stroke();
    const end = Math.max(STEPS, run.step), top = Math.max(0.1, ...h.mmd2), { line, name, x, y } = axes(views.mmd, colours, {
      x: { low: 0, high: end, ticks: [[0, "0"], [end, minus(end)]] }, y: { low: -top / 10, high: top, ticks: [[0, "0"], [top / 2, two(top / 2)], [top, two(top)]] } });
    if (h.step.length) {
      line(h.step, h.mmd2, colours.d);
      name("MMD²", x(h.step.at(-1)) + 4, y(h.mmd2.at(-1)) + 4, colours.d);
    }
    curves(views.accuracies, colours, { steps: h.step, last: STEPS, top: 1, rules: [[0, "0"], [0.5, "0.5"], [1, "1"]], series: [
      { name: words.domains[0], values: h.source_accuracy, colour: colours.source, dash: [] },
      { name: words.domains[1], values: h.target_accuracy, colour: colours.target, dash: [7, 4] }] });
  }
  function tell() {
    if (page.now.view === "samples") page.say(words.told({ biased: three(told.biased), unbiased: three(told.unbiased), p: three(told.pValue) }));
    else page.say(words.status({ step: run.step, source: two(measured.source_accuracy), target: two(measured.target_accuracy), pad: two(measured.proxy_a_distance), mmd2: three(run.history.mmd2.at(-1)) }));
    model.set("test", { biased: told.biased, unbiased: told.unbiased, p_value: told.pValue, sigma: told.sigma, null: Array.from(told.values) });
    model.set("history", structuredClone(run.history));
    model.save_changes();
    draw();
  }

  // --- what happens
  /** λ, the rate and the kernel act on a run as it goes; rotation, seed and situations begin another. */
  function changed(given, before) {
    const { now } = page;
    if (Object.keys(given).length === 1 && "sigma" in given && now.median) return page.change({ median: false }); // who moves σ wants this σ
    show();
    if (now.view !== before.view || now.view === "samples") pause();
    if (["seed", "size", "dx", "dy", "spread", "kernel", "median", "sigma"].some((name) => now[name] !== before[name])) told = compare(now);
    if (Object.keys(given).length > 2 || now.rotation !== before.rotation || now.seed !== before.seed) return restart();
    run.settings = { ...now };
    if (now.view === "samples" && held) draw(); else tell();
  }
  function restart() {
    pause();
    run = new DdcRun(page.now);
    measured = run.measure();
    tell();
  }
  function show() {
    for (const [name, section] of Object.entries(sections)) section.hidden = page.now.view !== name;
  }

  const section = (...children) => make("div", { className: "dtl-screen" }, ...children);
  const pictures = (...names) => make("div", { className: "dtl-views" }, ...names.map(page.view));
  const note = (text) => make("p", { className: "dtl-note", textContent: text });
  const degrees = (v) => `${minus(v)}°`;
  const sections = {
    samples: section(
      make("div", { className: "dtl-row" }, again),
      make("div", { className: "dtl-controls" }, page.slider("dx"), page.slider("dy"), page.slider("spread"), page.slider("size")),
      page.readouts(["biased", "unbiased", "p", "sigma_now"]), pictures("plane", "null"), note(words.legend_samples)),
    ddc: section(
      make("div", { className: "dtl-row" }, play, one, reset),
      make("div", { className: "dtl-controls" }, page.slider("lam"), page.slider("rotation", degrees), page.slider("rate"), speed),
      page.readouts(["now", "source_accuracy", "target_accuracy", "pad", "label_loss", "mmd2", "ddc_sigma"]),
      pictures("input", "feature", "mmd", "accuracies"), note(words.legend_ddc)),
  };
  let held = false;
  draggable(views.plane, {
    grab: (x, y) => {
      const [u, v] = place(page.now.dx, page.now.dy), [edge] = place(page.now.dx + 2 * page.now.spread, 0);
      return Math.hypot(x - u, y - v) < Math.max(edge - u, 28) ? [u - x, v - y] : null;
    },
    drag: ([right, down], x, y) => {
      held = true;
      const [dx, dy] = centre(x + right, y + down).map((value, i) => Math.round(20 * Math.min(Math.max(value, SIDES[2 * i]), SIDES[2 * i + 1])) / 20);
      if (dx !== page.now.dx || dy !== page.now.dy) page.change({ dx, dy });
    },
    drop: () => { held = false; tell(); },
  });
  page.dials.speed.show(pace);
  const resized = new ResizeObserver(() => draw());
  resized.observe(views.input);
  const unmount = page.mount([
    page.presets(), page.refusal,
    make("div", { className: "dtl-controls" }, page.choice("view"), page.choice("kernel"), page.slider("sigma", (v) => (page.now.kernel === "linear" ? "–" : page.now.median ? words.at_median : minus(v))), page.check("median")),
    sections.samples, sections.ddc, page.status,
    make("details", {}, make("summary", { textContent: words.more }), make("div", { className: "dtl-controls" }, page.number("seed"), make("div", { className: "dtl-row" }, ...page.links()))),
    page.tasks(),
  ], () => { show(); tell(); });
  return () => { leave(); resized.disconnect(); unmount(); };
}

export default { render };
