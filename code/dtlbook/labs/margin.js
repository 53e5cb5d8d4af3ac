// The margin lab's page (see margin.py): a MarginRun of margin_training.js with the controls and pictures of controls.js.
const WORDS = {
  ko: {
    pairs: "쌍으로 맞추기", "alpha-0": "α = 0, 소스만", "alpha-1": "α = 1, 쌍만", collapse: "α = 1, m = 0", opposite: "180° 돌린 타깃",
    alpha: "α, 쌍의 손실의 무게 (분류 손실은 1 − α)", margin: "마진 m", labels: "레이블이 있는 타깃 점, 클래스마다", rotation: "타깃의 회전", rate: "학습률 μ",
    speed: "프레임마다 걸음 수", source_point: "쌍의 소스 점", target_point: "쌍의 타깃 점",
    losses: "손실", accuracies: "정확도",
    legend: "● 소스, ▲ 타깃. 속이 빈 것은 클래스 0, 찬 것은 클래스 1. 고리를 두른 ▲만 학습에 쓰이고, 나머지 ▲와 그 클래스는 보여 줄 뿐이다. 실선은 레이블의 경계다.",
    now: "걸음", label_loss: "L_C", alignment_loss: "L_SA", separation_loss: "L_S", distance_same: "같은 클래스의 거리", distance_other: "다른 클래스의 거리",
    status: (m) => `${m.step}걸음. 소스 정확도 ${m.source}, 타깃 정확도 ${m.target}. 쌍의 평균 거리는 같은 클래스에서 ${m.same}, 다른 클래스에서 ${m.other}.`,
    pair: (same, d, m) => `고른 쌍은 ${same ? "같은" : "다른"} 클래스다. 특성 공간의 거리 d = ${d}, 마진 m = ${m}(점선으로 그린 원).`,
    loss: (same, value) => (same ? `손실 ½d² = ${value}` : `손실 ½max(0, m − d)² = ${value}`),
    moves: (a, b) => `−∂/∂f: 소스 점은 ${a}, 타깃 점은 ${b}. 화살표가 가리키는 쪽이다.`,
    still: "−∂/∂f = 0. 마진보다 멀리 있어 이 쌍은 밀지 않는다.",
    about: "거리는 소스의 학습 점과 고리를 두른 타깃 점으로 이루어진 모든 쌍에서, 정확도는 학습에 쓰지 않은 점에서 잰다.",
    tasks: ["α = 0으로 끝까지 학습하고, 다음에는 α = 0.25로 학습한다. 레이블 여섯 개로 타깃 정확도가 0.3 안팎에서 0.75 위로 오르고 소스 정확도는 0.95 위에 머문다.",
      "α = 1, m = 0으로 끝까지 학습한다. 쌍의 손실은 0이 되지만 모든 특성이 한 점에 모인다(두 거리가 모두 0.05 아래). m = 1이면 다른 클래스의 거리가 0.9 위로 벌어진다. 그래도 소스 정확도는 0.5다. 레이블 예측기를 학습시키는 것은 분류 손실뿐이다.",
      "레이블을 클래스마다 하나만 두고 시드 0, 1, 2로 끝까지 학습한다. 타깃 정확도는 0.5 아래에서 0.8 위까지 갈린다. 다섯 개씩이면 셋 다 0.8을 넘는다."],
  },
  en: {
    pairs: "Pairs align", "alpha-0": "α = 0, source only", "alpha-1": "α = 1, pairs only", collapse: "α = 1, m = 0", opposite: "Target turned by 180°",
    alpha: "α, weight of the pairs' losses (1 − α for classification)", margin: "Margin m", labels: "Labelled target points of each class", rotation: "Rotation of the target", rate: "Learning rate μ",
    speed: "Steps a frame", source_point: "Source point of the pair", target_point: "Target point of the pair",
    losses: "Losses", accuracies: "Accuracy",
    legend: "● source, ▲ target. Hollow is class 0, filled is class 1. Only the ringed ▲ are used in training; the others and their classes are merely shown. Solid line: boundary of the labels.",
    now: "Step", label_loss: "L_C", alignment_loss: "L_SA", separation_loss: "L_S", distance_same: "Distance, one class", distance_other: "Distance, two classes",
    status: (m) => `Step ${m.step}. Source accuracy ${m.source}, target accuracy ${m.target}. Mean distance of pairs of one class ${m.same}, of two classes ${m.other}.`,
    pair: (same, d, m) => `The chosen pair is of ${same ? "one class" : "two classes"}. Distance in feature space d = ${d}, margin m = ${m} (dashed circle).`,
    loss: (same, value) => (same ? `Loss ½d² = ${value}` : `Loss ½max(0, m − d)² = ${value}`),
    moves: (a, b) => `−∂/∂f: source point ${a}, target point ${b}, as the arrows show.`,
    still: "−∂/∂f = 0: farther apart than the margin, this pair no longer pushes.",
    about: "Distances are those of all pairs of a source training point and a ringed target point; accuracies are those of points that training has not seen.",
    tasks: ["Train to the end with α = 0, then with α = 0.25. Six labels lift target accuracy from about 0.3 to above 0.75, and source accuracy stays above 0.95.",
      "Train to the end with α = 1, m = 0. The pairs' losses reach 0, but all features gather in one point (both distances below 0.05). With m = 1 the distance of two classes opens to above 0.9. Source accuracy is 0.5 all the same: only the classification loss trains the label predictor.",
      "Leave one label a class and train to the end with seeds 0, 1 and 2. Target accuracy falls anywhere from below 0.5 to above 0.8. With five labels a class all three exceed 0.8."],
  },
};
const SHOWN = 80; // points drawn of each domain

function render({ model, el }) {
  const page = labPage({ model, el, words: WORDS, settings: SETTINGS, changed, draw }), { words, views } = page;
  let run = new MarginRun(page.now), measured = run.measure(), pace = 10, i = 0, j = 0, place = null;
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
  const of = (y, at) => `${at + 1} (${y[at]})`; // the class in brackets
  const first = page.dial("source_point", Array.from({ length: SHOWN }, (_, at) => at), (at) => of(run.source.y, at), (at) => choose(at, j));
  const second = page.dial("target_point", Array.from({ length: 20 }, (_, at) => at), (at) => of(run.few.y, at), (at) => choose(i, at));
  const lines = [0, 1, 2].map(() => make("li", { className: "dtl-arrow-f" }));

  // --- what is shown
  function draw() {
    const colours = page.colours(), h = run.history, at = (name) => h[name].at(-1), m = page.now.margin;
    page.read({
      now: `${run.step} / ${STEPS}`, source_accuracy: two(measured.source_accuracy), target_accuracy: two(measured.target_accuracy), distance_same: two(measured.distance_same),
      distance_other: two(measured.distance_other), label_loss: two(at("label_loss")), alignment_loss: two(at("alignment_loss")), separation_loss: two(at("separation_loss")),
    });
    const pair = run.pairAt(i, j), text = (v) => `(${signed(v[0])}, ${signed(v[1])})`, rests = !pair.a_moves.some((v) => v !== 0);
    lines[0].textContent = words.pair(pair.same, pair.d.toFixed(3), minus(m));
    lines[1].textContent = words.loss(pair.same, pair.loss.toFixed(3));
    lines[2].textContent = rests && !pair.same ? words.still : words.moves(text(pair.a_moves), text(pair.b_moves));
    const label = { values: (f) => run.labelLogit(f), dash: [], colour: colours.y }, shown = [run.source, run.target, run.few];
    const rings = ({ pen, place: where }, x) => {
      pen.strokeStyle = colours.ink;
      pen.lineWidth = 1.4;
      for (let k = 0; k < x.length; k += 2) { pen.beginPath(); pen.arc(...where(x[k], x[k + 1]), 8, 0, 7); pen.stroke(); }
    };
    rings(plane(views.input, colours, shown, [{ ...label, values: (x) => run.labelLogit(run.features(x)) }], { shown: SHOWN }), run.few.x);
    const clouds = shown.map(({ x, y }) => ({ x: run.features(x.subarray(0, 2 * SHOWN)), y }));
    const sheet = plane(views.feature, colours, clouds, [label], { range: room(clouds) }), { pen, scale } = sheet;
    rings(sheet, clouds[2].x);
    place = sheet.place;
    const [a, b] = [place(...pair.a), place(...pair.b)];
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.moveTo(...a);
    pen.lineTo(...b);
    pen.stroke();
    pen.setLineDash([3, 5]);
    pen.beginPath();
    pen.arc(...b, m * scale, 0, 7);
    pen.stroke();
    pen.setLineDash([]);
    for (const [x, y] of [a, b]) { pen.beginPath(); pen.arc(x, y, 10, 0, 7); pen.stroke(); }
    const longest = Math.hypot(...pair.a_moves) || 1; // both are of one length
    if (!rests) for (const [[x, y], v] of [[a, pair.a_moves], [b, pair.b_moves]]) arrow(pen, x, y, 42 * v[0] / longest, -42 * v[1] / longest, colours.f, []);
    curves(views.losses, colours, { steps: h.step, last: STEPS, top: 1, rules: [[0, "0"], [0.5, "0.5"], [1, "1"]], series: [
      { name: "L_C", values: h.label_loss, colour: colours.y, dash: [] }, { name: "L_SA", values: h.alignment_loss, colour: colours.f, dash: [7, 4] },
      { name: "L_S", values: h.separation_loss, colour: colours.d, dash: [2, 3] }] });
    curves(views.accuracies, colours, { steps: h.step, last: STEPS, top: 1, rules: [[0, "0"], [0.5, "0.5"], [1, "1"]], series: [
      { name: words.domains[0], values: h.source_accuracy, colour: colours.source, dash: [] },
      { name: words.domains[1], values: h.target_accuracy, colour: colours.target, dash: [7, 4] }] });
  }
  /** What holds all points, and never less than 1.6 across: features that gather in one point are to be seen to. */
  function room(clouds) {
    const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
    for (const { x } of clouds) x.forEach((v, k) => { low[k % 2] = Math.min(low[k % 2], v); high[k % 2] = Math.max(high[k % 2], v); });
    return [0, 1].flatMap((k) => {
      const middle = (low[k] + high[k]) / 2, half = Math.max(0.56 * (high[k] - low[k]), 0.8);
      return [middle - half, middle + half];
    });
  }
  function tell() {
    page.say(words.status({
      step: run.step, source: two(measured.source_accuracy), target: two(measured.target_accuracy), same: two(measured.distance_same), other: two(measured.distance_other),
    }));
    model.set("history", structuredClone(run.history));
    model.save_changes();
    draw();
  }

  // --- what happens
  /** α, m and μ act on the run as it goes; the others, and several at once, begin another. */
  function changed(given) {
    if (Object.keys(given).length > 1 || ["labels", "rotation", "seed"].some((name) => name in given)) return restart();
    run.settings = { ...page.now };
    draw();
  }
  function restart() {
    pause();
    run = new MarginRun(page.now);
    measured = run.measure();
    choose(i, j);
    tell();
  }
  function choose(source, target) {
    const last = run.few.y.length - 1;
    [i, j] = [source, Math.min(target, last)];
    page.dials.target_point.input.max = last;
    page.dials.source_point.show(i);
    page.dials.target_point.show(j);
    draw();
  }

  const pictures = make("div", { className: "dtl-views" }, ...["input", "feature", "losses", "accuracies"].map(page.view));
  views.feature.addEventListener("click", (event) => { // the sliders below do the same by keyboard
    const nearest = (x, count) => {
      const far = Array.from({ length: count }, (_, k) => { const [u, v] = place(x[2 * k], x[2 * k + 1]); return Math.hypot(u - event.offsetX, v - event.offsetY); });
      const least = Math.min(...far);
      return [far.indexOf(least), least];
    };
    const [s, toSource] = nearest(run.features(run.source.x), SHOWN), [t, toTarget] = nearest(run.features(run.few.x), run.few.y.length);
    if (toTarget <= toSource) choose(i, t); else choose(s, j);
  });
  page.dials.speed.show(pace);
  const unmount = page.mount([
    page.presets(), page.refusal,
    make("div", { className: "dtl-row" }, play, one, reset, ...page.links()),
    make("div", { className: "dtl-controls" }, page.slider("alpha"), page.slider("margin"), page.slider("labels"), page.slider("rotation", (v) => `${minus(v)}°`)),
    make("details", {}, make("summary", { textContent: words.more }), make("div", { className: "dtl-controls" }, speed, page.slider("rate"), page.number("seed"))),
    page.readouts(["now", "source_accuracy", "target_accuracy", "distance_same", "distance_other", "label_loss", "alignment_loss", "separation_loss"]),
    pictures, make("p", { className: "dtl-note", textContent: words.legend }), page.status,
    make("div", { className: "dtl-controls" }, first, second), make("ul", { className: "dtl-arrows" }, ...lines),
    make("p", { className: "dtl-note", textContent: words.about }),
    page.tasks(),
  ], () => { choose(0, 0); tell(); });
  return () => { leave(); unmount(); };
}

export default { render };
