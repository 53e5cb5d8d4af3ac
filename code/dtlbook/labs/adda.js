// The ADDA lab's page (see adda.py): controls, pictures and read-outs round an AddaRun of adda_training.js. Uses controls.js.
const WORDS = {
  ko: {
    inverted: "적응 성공", "head-0": "D와 함께 출발", "far-minimax": "D가 확신: 최소-최대", "far-inverted": "D가 확신: 뒤집은 레이블", "label-shift": "레이블 시프트",
    minimax: "최소-최대로 학습한다(끄면 뒤집은 레이블)", optimizer: "2단계의 갱신", "optimizer-adam": "Adam(논문)", "optimizer-sgd": "SGD", head: "D 혼자 먼저 걷는 걸음", lam: "λ, D에 대한 M_t의 학습률",
    rotation: "타깃의 회전", shift: "타깃을 오른쪽으로 옮긴 거리", share: "타깃에서 클래스 1의 비율", rate: "D의 학습률 μ", width: "인코더의 은닉 너비", speed: "프레임마다 걸음 수", skip: "2단계로",
    gradients: "M_t의 그레이디언트 크기", losses: "손실", logits: "타깃에서 D의 로짓", accuracies: "정확도", stage: "단계", now: "걸음", pad: "PAD", label_loss: "L_y", domain_loss: "L_D", encoder_loss: "L_M",
    inverted_gradient: "그레이디언트, 뒤집은 레이블", minimax_gradient: "그레이디언트, 최소-최대", target_logit: "타깃의 평균 로짓", by_inverted: "뒤집은", by_minimax: "최소-최대",
    legend: "● 소스, ▲ 타깃. 속이 빈 것은 클래스 0, 찬 것은 클래스 1. 특성 공간의 소스는 M_s, 타깃은 M_t를 거친 것이다(1단계에는 둘 다 M_s). 실선은 레이블의 경계, 특성 공간의 점선은 D의 경계다. 입력 공간의 점선은 M_t를 거친 레이블의 경계다. 타깃 점에서 나온 짧은 선은 L_M이 줄어드는 쪽이고, 길이는 그 점의 ∂L_M/∂z(0에서 1)다.",
    about: "로짓 z는 0보다 크면 타깃이라는 뜻이다. 1.39는 동전 던지기의 L_D, 2 log 2다. 그레이디언트의 크기는 미니배치 하나의 두 L_M을 θ_t로 미분한 벡터의 길이고 눈금은 10의 거듭제곱이다. 정확도, PAD, 로짓은 학습에 쓰지 않은 점에서 잰다.",
    status: (m) => `${m.stage}단계, ${m.step}걸음. 소스 정확도 ${m.source}, 타깃 정확도 ${m.target}, PAD ${m.pad}.`,
    over: { "stage 1": "1단계가 끝났다. M_s와 C는 이제 그대로 있고, M_t는 M_s를 베껴 출발한다.", head: "D 혼자 걷기가 끝났다. 이제 M_t도 움직인다.", end: "2단계가 끝났다." },
    moved: { D: "방금 D가 움직였다. 다음은 M_t다.", head: "방금 D가 움직였다. M_t는 아직 기다린다.", M: "방금 M_t가 움직였다. 다음은 D다." }, sizes: (a, b) => ` M_t의 그레이디언트: 뒤집은 레이블 ${a}, 최소-최대 ${b}.`,
    tasks: ["끝까지 학습한다. ‘학습’은 1단계가 끝날 때와 D 혼자 걷기가 끝날 때 멈춘다. 타깃 정확도는 0.7–0.8에서 0.85 위로 오르고 소스 정확도는 그대로다. ‘D와 함께 출발’을 시드 0으로 해 보면 L_D는 동전 던지기의 1.39에 머물러 D가 도메인을 가려내지 못하는데, 타깃 정확도는 0.4 아래로 떨어진다. 아무것도 모르는 D가 타깃을 엉뚱한 클래스 위로 이끈 것이다. 시드 1과 2에서는 잘된다.",
      "타깃이 멀리 있고 D가 2000걸음을 먼저 걸었다. M_t가 움직이기 직전에 최소-최대의 그레이디언트는 뒤집은 레이블의 것의 100분의 1도 되지 않는다. M_t가 100걸음을 걸어도 최소-최대에서는 타깃의 평균 로짓이 5를 넘고, 뒤집은 레이블에서는 2 아래로 내려간다. 최소-최대라도 갱신을 Adam으로, 학습률 μ를 0.003으로, λ를 1로 바꾸면 움직인다. Adam은 그레이디언트의 크기를 나누어 없애기 때문이다.",
      "돌리지 않고 타깃의 클래스 1만 90%로 한다. 1단계가 끝났을 때 타깃을 거의 다 맞히지만, 2단계는 타깃 정확도를 0.7 아래로 떨어뜨린다."],
  },
  en: {
    inverted: "Adaptation works", "head-0": "No head start of D", "far-minimax": "D is sure: minimax", "far-inverted": "D is sure: inverted labels", "label-shift": "Label shift",
    minimax: "Train by minimax (off: inverted labels)", optimizer: "Updates of stage 2", "optimizer-adam": "Adam (the paper's)", "optimizer-sgd": "SGD", head: "Steps of D alone, before M_t's first", lam: "λ, M_t's learning rate over D's",
    rotation: "Rotation of the target", shift: "Shift of the target to the right", share: "Share of class 1 in the target", rate: "Learning rate μ of D", width: "Hidden width of the encoders", speed: "Steps a frame", skip: "To stage 2",
    gradients: "Size of M_t's gradient", losses: "Losses", logits: "D's logit on the target", accuracies: "Accuracy", stage: "Stage", now: "Step", pad: "PAD", label_loss: "L_y", domain_loss: "L_D", encoder_loss: "L_M",
    inverted_gradient: "Gradient, inverted", minimax_gradient: "Gradient, minimax", target_logit: "Mean target logit", by_inverted: "inverted", by_minimax: "minimax",
    legend: "● source, ▲ target. Hollow is class 0, filled is class 1. In feature space the source has gone through M_s and the target through M_t (in stage 1 both through M_s). Solid line: boundary of the labels; dashed line in feature space: boundary of D; dashed line in input space: boundary of the labels by way of M_t. The short line from a target point shows where L_M falls; its length is ∂L_M/∂z of that point, between 0 and 1.",
    about: "A logit z above 0 means target. 1.39 is 2 log 2, the L_D of a coin. The size of a gradient is the length of the derivative of a mini-batch's L_M by θ_t, either L_M, on a scale of powers of 10. Accuracies, PAD and logits are those of points that training has not seen.",
    status: (m) => `Stage ${m.stage}, step ${m.step}. Source accuracy ${m.source}, target accuracy ${m.target}, PAD ${m.pad}.`,
    over: { "stage 1": "Stage 1 is over. M_s and C stay as they are from now on, and M_t begins as a copy of M_s.", head: "The head start of D is over. Now M_t moves, too.", end: "Stage 2 is over." },
    moved: { D: "D has moved. M_t is next.", head: "D has moved. M_t is still waiting.", M: "M_t has moved. D is next." }, sizes: (a, b) => ` Gradient of M_t: inverted labels ${a}, minimax ${b}.`,
    tasks: ["Train to the end. “Train” stops when stage 1 is over, and again when the head start of D is. Target accuracy rises from 0.7–0.8 to above 0.85, and source accuracy stays. Then try “No head start of D” with seed 0: L_D stays at 1.39, that of a coin, so D cannot tell the domains, and yet target accuracy falls below 0.4. A D that knew nothing led the target onto the wrong classes. With seeds 1 and 2 it goes well.",
      "The target is far away, and D has gone 2000 steps ahead. Right before M_t moves, the gradient of minimax is less than a hundredth of that of inverted labels. After 100 steps of M_t the mean target logit is still above 5 with minimax, and below 2 with inverted labels. With updates by Adam, μ = 0.003 and λ = 1, minimax moves too: Adam divides the size of the gradient out.",
      "Turn nothing, but let class 1 be 90 % of the target. After stage 1 nearly all of the target is right; stage 2 takes target accuracy below 0.7."],
  },
};
const SHOWN = 80; // points drawn of each domain

function render({ model, el }) {
  const page = labPage({ model, el, words: WORDS, settings: SETTINGS, changed, draw }), { words, views } = page;
  let run = new AddaRun(page.now), measured = run.measure(), pace = 10, single = false;
  const { play, pause, leave } = player(page, {
    step: () => { single = false; run.advance(); }, atEnd: () => run.over !== null, pace: () => pace,
    frame: () => {
      for (const name of Object.keys(measured)) measured[name] = run.history[name].at(-1) ?? measured[name]; // the latest record
      draw();
    },
    stopped: () => stopped(),
  });
  const stopped = () => { measured = run.measure(); tell(); };
  const one = page.button(words.step, () => { pause(); single = true; run.half(); stopped(); });
  const skip = page.button(words.skip, () => { pause(); while (run.stage === 1) run.half(); stopped(); });
  const reset = page.button(words.reset, () => restart());
  const speed = page.dial("speed", [1, 5, 10, 40], String, (value) => { pace = value; page.dials.speed.show(pace); });

  // --- what is shown
  const last = () => FIRST + run.settings.head + STEPS;
  const small = (value) => (value === undefined ? "–" : value >= 0.01 ? value.toFixed(2) : value >= 0.0001 ? value.toFixed(4) : value.toExponential(1).replace("-", "−"));
  function draw() {
    const colours = page.colours(), { latest } = run;
    page.read({
      stage: String(run.stage), now: `${run.step} / ${last()}`, source_accuracy: two(measured.source_accuracy), target_accuracy: two(measured.target_accuracy), pad: two(measured.proxy_a_distance),
      label_loss: two(latest.label_loss), domain_loss: two(latest.domain_loss), encoder_loss: two(latest.encoder_loss),
      inverted_gradient: small(latest.inverted_gradient), minimax_gradient: small(latest.minimax_gradient), target_logit: two(measured.target_logit ?? undefined),
    });
    skip.disabled = run.stage === 2;
    const label = { values: (f) => run.labelLogit(f), dash: [], colour: colours.y }, by = (domain) => (x) => run.labelLogit(run.features(x, domain));
    const target = { values: by(1), dash: [7, 5], colour: colours.target }, second = run.stage === 2;
    plane(views.input, colours, [run.source, run.target], [{ ...label, values: by(0) }, ...second ? [target] : []], { shown: SHOWN });
    const clouds = [run.source, run.target].map(({ x, y }, domain) => ({ x: run.features(x.subarray(0, 2 * SHOWN), domain), y }));
    const { pen, place } = plane(views.feature, colours, clouds, [label, ...second ? [{ values: (f) => run.domainLogit(f), dash: [7, 5], colour: colours.d }] : []]);
    if (second) {
      const { x } = clouds[1], pull = run.pull(x);
      pen.beginPath();
      for (let i = 0; i < SHOWN; i++) {
        const [u, v] = place(x[2 * i], x[2 * i + 1]);
        pen.moveTo(u, v);
        pen.lineTo(u + 26 * pull[2 * i], v - 26 * pull[2 * i + 1]);
      }
      pen.strokeStyle = colours.f;
      pen.lineWidth = 1.6;
      pen.stroke();
    }
    const power = (v) => Math.log10(Math.max(v, 1e-9));
    graph(views.gradients, -4, 2, [[-4, "10⁻⁴"], [-2, "10⁻²"], [0, "1"], [2, "10²"]], [
      [words.by_inverted, "inverted_gradient", colours.f, [], power], [words.by_minimax, "minimax_gradient", colours.y, [7, 4], power]]);
    graph(views.losses, -2, 4, [[-2, "−2"], [0, "0"], [2 * 0.6931471805599453, "1.39"], [4, "4"]], [
      ["L_y", "label_loss", colours.y, [2, 3]], ["L_D", "domain_loss", colours.d, []], ["L_M", "encoder_loss", colours.f, [7, 4]]]);
    graph(views.logits, -4, 8, [[-4, "−4"], [0, "0"], [4, "4"], [8, "8"]], [["z", "target_logit", colours.target, []]]);
    graph(views.accuracies, 0, 1, [[0, "0"], [0.5, "0.5"], [1, "1"]], [
      [words.domains[0], "source_accuracy", colours.source, []], [words.domains[1], "target_accuracy", colours.target, [7, 4]]]);

    /** Curves [name, history's, colour, dash, scale?] over the steps; the stages and the head start are parted by upright lines. */
    function graph(canvas, low, high, ticks, series) {
      const h = run.history, end = Math.max(last(), run.step), { line, names, x, y } = axes(canvas, colours, { x: { low: 0, high: end, ticks: [[0, "0"], [FIRST, minus(FIRST)], [end, minus(end)]] }, y: { low, high, ticks }, right: 74 });
      for (const at of [FIRST, FIRST + run.settings.head]) line([at, at], [low, high], colours.line, [2, 3], 1);
      const drawn = series.map(([text, name, colour, dash, scale = (v) => v]) => {
        const there = h.step.map((_, i) => i).filter((i) => h[name][i] !== null);
        return { text, colour, dash, xs: there.map((i) => h.step[i]), ys: there.map((i) => scale(h[name][i])) };
      }).filter(({ xs }) => xs.length);
      for (const { xs, ys, colour, dash } of drawn) line(xs, ys, colour, dash);
      names(drawn.map(({ text, colour, xs, ys }) => ({ text, colour, x: x(xs.at(-1)) + 4, y: y(ys.at(-1)) + 4 })));
    }
  }
  function tell() {
    const { stage, step, over, latest } = run, known = latest.inverted_gradient !== undefined;
    const happened = over ? words.over[over] : single && stage === 2 ? words.moved[run.next === "M" ? "D" : run.taken.M ? "M" : "head"] : "";
    page.say(`${words.status({ stage, step, source: two(measured.source_accuracy), target: two(measured.target_accuracy), pad: two(measured.proxy_a_distance) })}${
      known ? words.sizes(small(latest.inverted_gradient), small(latest.minimax_gradient)) : ""} ${happened}`.trim());
    model.set("history", structuredClone(run.history));
    model.save_changes();
    draw();
  }

  // --- what happens
  /** λ, the rate, the loss and the optimizer act on the run as it goes; the others, and several at once, begin another. */
  function changed(given) {
    if (Object.keys(given).length > 1 || ["head", "rotation", "shift", "share", "width", "seed"].some((name) => name in given)) return restart();
    run.settings = { ...page.now };
    if (run.latest.encoder_loss !== undefined) Object.assign(run.latest, run.encoder());
    draw();
  }
  function restart() {
    pause();
    run = new AddaRun(page.now);
    single = false;
    stopped();
  }

  page.dials.speed.show(pace);
  const pictures = make("div", { className: "dtl-views" }, ...["input", "feature", "gradients", "logits", "losses", "accuracies"].map(page.view));
  const note = (text) => math(make("p", { className: "dtl-note" }), text);
  const unmount = page.mount([
    page.presets(), page.refusal,
    make("div", { className: "dtl-row" }, play, one, skip, reset, ...page.links()),
    make("div", { className: "dtl-controls" }, page.check("minimax"), page.slider("head"), page.slider("rotation", (v) => `${minus(v)}°`), page.slider("shift"), page.slider("lam"), speed),
    make("details", {}, make("summary", { textContent: words.more }), make("div", { className: "dtl-controls" },
      page.choice("optimizer"), page.slider("rate"), page.slider("share", (v) => `${Math.round(100 * v)} %`), page.slider("width"), page.number("seed"))),
    page.readouts(["stage", "now", "source_accuracy", "target_accuracy", "pad", "label_loss", "domain_loss", "encoder_loss", "inverted_gradient", "minimax_gradient", "target_logit"]),
    page.status, pictures, note(words.legend), note(words.about), page.tasks(),
  ], tell);
  return () => { leave(); unmount(); };
}

export default { render };
