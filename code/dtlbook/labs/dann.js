// The DANN lab's page (see dann.py): a DannRun of dann_training.js with the controls and pictures of controls.js.
const WORDS = {
  ko: {
    rotated: "적응 성공", "lambda-0": "λ = 0", "lambda-large": "λ가 너무 큼", "label-shift": "레이블 시프트",
    lam: "λ, 도메인 혼동의 무게", rotation: "타깃의 회전", share: "타깃에서 클래스 1의 비율", rate: "학습률 μ", width: "G_f의 은닉 너비",
    scheduled: "논문의 스케줄(λ는 0에서 커지고, μ는 줄어든다)", speed: "프레임마다 걸음 수", point: "그레이디언트를 볼 점",
    losses: "손실과 PAD", accuracies: "정확도",
    legend: "● 소스, ▲ 타깃. 속이 빈 것은 클래스 0, 찬 것은 클래스 1. 실선은 레이블의 경계, 점선은 도메인 분류기의 경계.",
    now: "걸음", pad: "PAD", lam_now: "지금 λ", rate_now: "지금 μ", label_loss: "L_y", domain_loss: "L_d",
    status: (m) => `${m.step}걸음. 소스 정확도 ${m.source}, 타깃 정확도 ${m.target}, PAD ${m.pad}.`,
    of: ["소스 점", "타깃 점"],
    arrows: "특성 공간의 화살표는 고른 점(동그라미)의 그레이디언트다. L_y와 L_d는 이 점 하나의 손실, f는 이 점의 특성이다. 갱신은 그레이디언트의 반대쪽으로 간다.",
    arrow_y: (g) => `∂L_y/∂f = ${g}`, arrow_none: "∂L_y/∂f = 0. 타깃에는 레이블이 없다.", arrow_d: (g, n) => `+∂L_d/∂f = ${g}. G_d가 반전 층으로 올려 보낸다. θ_d는 +∂L_d/∂θ_d(길이 ${n})를 그대로 받는다.`,
    arrow_r: (g) => `−λ ∂L_d/∂f = ${g}. 반전 층이 θ_f로 넘긴다.`,
    about_pad: "PAD는 새로 학습한 분류기(두 특성의 3차 다항식에 대한 로지스틱 회귀)로 잰다. 1.39는 동전 던지기의 도메인 손실 2 log 2다. 정확도와 PAD는 학습에 쓰지 않은 점에서 잰다.",
    tasks: ["λ = 0으로 끝까지 학습하고, 다음에는 λ = 1로 학습한다. 타깃 정확도는 0.7 안팎에서 0.85 위로 오르고 소스 정확도는 0.95 위에 머문다.",
      "타깃을 180° 돌린다. λ가 무엇이든 PAD는 0 근처인데 타깃 정확도도 0 근처다. 두 초승달이 자리를 맞바꾸었다.",
      "돌리지 않고 타깃의 클래스 1만 90%로 한다. λ = 0이면 거의 다 맞히지만, λ = 5로 적응하면 소스도 타깃도 나빠진다."],
  },
  en: {
    rotated: "Adaptation works", "lambda-0": "λ = 0", "lambda-large": "λ too large", "label-shift": "Label shift",
    lam: "λ, the weight of domain confusion", rotation: "Rotation of the target", share: "Share of class 1 in the target", rate: "Learning rate μ", width: "Hidden width of G_f",
    scheduled: "The paper's schedules (λ grows from 0, μ decays)", speed: "Steps a frame", point: "Point whose gradients are shown",
    losses: "Losses and PAD", accuracies: "Accuracy",
    legend: "● source, ▲ target. Hollow is class 0, filled is class 1. Solid line: boundary of the labels; dashed line: boundary of the domain classifier.",
    now: "Step", pad: "PAD", lam_now: "λ now", rate_now: "μ now", label_loss: "L_y", domain_loss: "L_d",
    status: (m) => `Step ${m.step}. Source accuracy ${m.source}, target accuracy ${m.target}, PAD ${m.pad}.`,
    of: ["source point", "target point"],
    arrows: "The arrows in feature space are gradients at the chosen point (circled). L_y and L_d are the losses of this one point, f is its feature. An update goes against the gradients.",
    arrow_y: (g) => `∂L_y/∂f = ${g}`, arrow_none: "∂L_y/∂f = 0: the target has no labels.", arrow_d: (g, n) => `+∂L_d/∂f = ${g}, sent up by G_d to the reversal layer. θ_d takes +∂L_d/∂θ_d, of length ${n}, as it is.`,
    arrow_r: (g) => `−λ ∂L_d/∂f = ${g}, handed on to θ_f by the reversal layer.`,
    about_pad: "PAD is measured by a fresh classifier, a logistic regression on polynomials of degree 3 in the two features. 1.39 is 2 log 2, the domain loss of a coin. Accuracies and PAD are those of points that training has not seen.",
    tasks: ["Train to the end with λ = 0, then with λ = 1. Target accuracy rises from about 0.7 to above 0.85, and source accuracy stays above 0.95.",
      "Turn the target by 180°. Whatever λ is, PAD is near 0, and so is target accuracy: the two moons have changed places.",
      "Turn nothing, but let class 1 be 90 % of the target. With λ = 0 nearly all is right; adapting with λ = 5 makes both source and target worse."],
  },
};
const SHOWN = 80; // points drawn of each domain

function render({ model, el }) {
  const page = labPage({ model, el, words: WORDS, settings: SETTINGS, changed, draw }), { words, views } = page;
  let run = new DannRun(page.now), measured = run.measure(), place = null, pace = 10, point = 0;
  const { play, one, pause, leave } = player(page, {
    step: () => run.advance(), atEnd: () => run.step === STEPS, pace: () => pace, // past its end a run may be taken further
    frame: () => {
      for (const name of Object.keys(measured)) measured[name] = run.history[name].at(-1) ?? measured[name]; // the latest record
      draw();
    },
    stopped: () => { measured = run.measure(); tell(); },
  });
  const reset = page.button(words.reset, () => restart());
  const speed = page.dial("speed", [1, 5, 10, 40], String, (value) => { pace = value; page.dials.speed.show(pace); });
  const which = (i) => `${words.of[+(i >= SHOWN)]} ${i % SHOWN + 1}`;
  const chooser = page.dial("point", Array.from({ length: 2 * SHOWN }, (_, i) => i), which, (value) => choose(value));
  const gradients = [0, 1, 2].map((i) => make("li", { className: `dtl-arrow-${"ydf"[i]}` }));

  // --- what is shown
  function draw() {
    const colours = page.colours(), h = run.history, at = (name) => h[name].at(-1);
    page.read({
      now: `${run.step} / ${STEPS}`, source_accuracy: two(measured.source_accuracy), target_accuracy: two(measured.target_accuracy),
      pad: two(measured.proxy_a_distance), label_loss: two(at("label_loss")), domain_loss: two(at("domain_loss")), lam_now: two(run.lam), rate_now: run.rate.toFixed(4),
    });
    const g = run.gradientsAt(+(point >= SHOWN), point % SHOWN), pair = (v) => `(${signed(v[0])}, ${signed(v[1])})`;
    math(gradients[0], point < SHOWN ? words.arrow_y(pair(g.label)) : words.arrow_none);
    math(gradients[1], words.arrow_d(pair(g.domain), g.length.toFixed(3)));
    math(gradients[2], words.arrow_r(pair(g.reversed)));
    const label = { values: (f) => run.labelLogit(f), dash: [], colour: colours.y };
    plane(views.input, colours, [run.source, run.target], [{ ...label, values: (x) => run.labelLogit(run.features(x)) }], { shown: SHOWN });
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
    curves(views.losses, colours, { steps: h.step, last: STEPS, top: 2, rules: [[0, "0"], [1, "1"], [2 * 0.6931471805599453, "1.39"], [2, "2"]], series: [
      { name: "L_y", values: h.label_loss, colour: colours.y, dash: [] }, { name: "L_d", values: h.domain_loss, colour: colours.d, dash: [7, 4] },
      { name: "PAD", values: h.proxy_a_distance, colour: colours.ink, dash: [2, 3] }] });
    curves(views.accuracies, colours, { steps: h.step, last: STEPS, top: 1, rules: [[0, "0"], [0.5, "0.5"], [1, "1"]], series: [
      { name: words.domains[0], values: h.source_accuracy, colour: colours.source, dash: [] },
      { name: words.domains[1], values: h.target_accuracy, colour: colours.target, dash: [7, 4] }] });
  }
  function tell() {
    page.say(words.status({ step: run.step, source: two(measured.source_accuracy), target: two(measured.target_accuracy), pad: two(measured.proxy_a_distance) }));
    model.set("history", structuredClone(run.history));
    model.save_changes();
    draw();
  }

  // --- what happens
  /** λ, μ and the schedule act on the run as it goes; the others, and several at once, begin another. */
  function changed(given) {
    if (Object.keys(given).length > 1 || ["rotation", "share", "width", "seed"].some((name) => name in given)) return restart();
    run.settings = { ...page.now };
    draw();
  }
  function restart() {
    pause();
    run = new DannRun(page.now);
    measured = run.measure();
    tell();
  }
  function choose(i) {
    point = i;
    page.dials.point.show(i);
    draw();
  }

  const pictures = make("div", { className: "dtl-views" }, ...["input", "feature", "losses", "accuracies"].map(page.view));
  views.feature.addEventListener("click", (event) => { // the slider below does the same by keyboard
    let best = 0, least = Infinity;
    for (let i = 0; i < 2 * SHOWN; i++) {
      const [x, y] = place(i), d = Math.hypot(x - event.offsetX, y - event.offsetY);
      if (d < least) { least = d; best = i; }
    }
    choose(best);
  });
  page.dials.speed.show(pace);
  page.dials.point.show(point);
  const unmount = page.mount([
    page.presets(), page.refusal,
    make("div", { className: "dtl-row" }, play, one, reset, ...page.links()),
    make("div", { className: "dtl-controls" }, page.slider("lam"), page.slider("rotation", (v) => `${minus(v)}°`), page.slider("share", (v) => `${Math.round(100 * v)} %`), speed,
      page.check("scheduled")),
    make("details", {}, make("summary", { textContent: words.more }), make("div", { className: "dtl-controls" }, page.slider("rate"), page.slider("width"), page.number("seed"))),
    page.readouts(["now", "source_accuracy", "target_accuracy", "pad", "label_loss", "domain_loss", "lam_now", "rate_now"]),
    pictures, make("p", { className: "dtl-note", textContent: words.legend }), page.status,
    chooser, make("ul", { className: "dtl-arrows" }, ...gradients),
    math(make("p", { className: "dtl-note" }), `${words.arrows} ${words.about_pad}`),
    page.tasks(),
  ], tell);
  return () => { leave(); unmount(); };
}

export default { render };
