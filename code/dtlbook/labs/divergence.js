// The divergence lab's page (see divergence.py): a Divergence of divergence_model.js with the controls and pictures of controls.js.
const WORDS = {
  ko: {
    apart: "떨어진 두 무리", same: "같은 분포", inside: "안과 밖", line: "직선 위에서",
    family: "가설 클래스 ℋ", "family-thresholds": "문턱값(직선 위)", "family-half-planes": "반평면", "family-discs": "원판",
    dx: "타깃을 가로로 옮김", dy: "타깃을 세로로 옮김", spread: "타깃의 퍼짐(소스는 1)", size: "도메인마다 점의 수",
    clouds: "두 표본과 가장 좋은 η", gap: "자르는 자리를 옮겨 갈 때 1이라고 답한 비율의 차이",
    error_source: "ε̂_S: 소스에서 틀린 비율", error_target: "ε̂_T: 타깃에서 틀린 비율", h_divergence: "d̂_H = 2(1 − 합)", proxy_a_distance: "PAD", exact: "분포의 d_H", unknown: "식이 없다",
    legend: "● 소스, ▲ 타깃. 굵은 선이 가장 좋은 η이고, η=1이라고 적힌 쪽의 점을 타깃이라고 답한다. 동그라미를 두른 점은 틀린 점이다. 크고 둥근 손잡이를 끌면 타깃이 움직이고 퍼진다.",
    about: "d̂_H는 표본을 가르는 모든 가설을 시험해 찾은 값이다. PAD는 로지스틱 회귀(원판일 때는 2차 다항식)를 절반에서 학습하고 나머지 절반에서 잰다. 분포의 d_H는 표본이 아니라 두 정규 분포 사이의 값이다. 둘째 그림의 점선이 가장 좋은 자리이고, 그 높이의 두 배가 d̂_H다.",
    status: (m) => `소스에서 틀린 비율 ${m.source}, 타깃에서 틀린 비율 ${m.target}, d̂는 ${m.value}, PAD는 ${m.pad}.`,
    tasks: ["두 표본이 같은 분포에서 왔다(점 20개씩). 클래스를 문턱값에서 반평면으로 바꾸면 d̂_H가 커져 0.5를 넘는다. 분포의 d_H는 0이고, PAD는 0 둘레에서 흔들리며 d̂_H보다 작다. 점을 80개로 늘리면 반평면의 d̂_H가 0.5 아래로 준다.",
      "중심이 같고 타깃만 세 배 퍼져 있다. 반평면으로는 d̂_H가 1.1을 넘지 못하는데, 원판으로 바꾸면 1.3을 넘는다. 거리는 누가 보느냐에 달렸다.",
      "직선 위에서 2만큼 떨어져 있다. 가장 좋은 문턱값은 한가운데인 1에서 멀지 않다. 4로 옮기면 문턱값도 2 가까이로 따라가고 d̂_H는 1.8을 넘는다."],
  },
  en: {
    apart: "Two clouds apart", same: "One distribution", inside: "One inside the other", line: "On the line",
    family: "Hypothesis class ℋ", "family-thresholds": "thresholds (on the line)", "family-half-planes": "half-planes", "family-discs": "discs",
    dx: "Target moved to the right", dy: "Target moved upwards", spread: "Spread of the target (source: 1)", size: "Points of each domain",
    clouds: "Two samples and the best η", gap: "Gap of the shares answered with 1, as the cut moves",
    error_source: "ε̂_S: wrong in the source", error_target: "ε̂_T: wrong in the target", h_divergence: "d̂_H = 2(1 − sum)", proxy_a_distance: "PAD", exact: "d_H of the distributions", unknown: "no formula",
    legend: "● source, ▲ target. The thick line is the best η: points on the side marked η=1 are called target. Ringed points are misjudged. Drag the large round handles to move the target and to spread it.",
    about: "d̂_H was found by trying every hypothesis that divides the samples. PAD is that of a logistic regression (with squares and products for discs), trained on one half and measured on the other. The d_H of the distributions is that of two normal distributions, not of samples. In the second picture the dashed line is the best cut, and twice its height is d̂_H.",
    status: (m) => `Wrong in the source ${m.source}, in the target ${m.target}; d̂ is ${m.value}, PAD is ${m.pad}.`,
    tasks: ["Both samples come from one distribution, 20 points each. Go from thresholds to half-planes, and d̂_H grows beyond 0.5, while the d_H of the distributions is 0 and PAD wavers around 0, below d̂_H. With 80 points the d̂_H of half-planes falls below 0.5.",
      "The centres are the same, and the target is spread three times as wide. For half-planes d̂_H stays below 1.1; with discs it is above 1.3. The distance depends on who looks.",
      "On the line, 2 apart: the best threshold is not far from 1, half-way. Move the target to 4, and the threshold follows, close to 2; d̂_H is above 1.8."],
  },
};
const RIM = 1.6; // the handle that spreads stands so many standard deviations off

function render({ model, el }) {
  const page = labPage({ model, el, words: WORDS, settings: SETTINGS, changed, draw }), { words, views } = page;
  let now = new Divergence(page.now), m = now.measure(), sheet = null;

  const centre = () => [page.now.dx, page.now.family === "thresholds" ? 0 : page.now.dy];
  const handles = () => { const [x, y] = centre(); return [sheet.place(x, y), sheet.place(x + RIM * page.now.spread, y)]; };
  function draw() {
    const colours = page.colours(), h = now.best, { source, target } = now, line = h.family === "thresholds";
    page.read({
      error_source: two(m.error_source), error_target: two(m.error_target), h_divergence: two(m.h_divergence), proxy_a_distance: two(m.proxy_a_distance),
      exact: m.exact === null ? words.unknown : two(m.exact),
    });
    const shown = [source, target].map((x, d) => ({ x: line ? x.map((v, i) => (i % 2 ? (d ? -1 : 1) * (0.6 + i * 0.309 % 1) : v)) : x })); // on the line: source above, target below, scattered so that points can be seen
    const values = (grid) => statistic(h, grid).map((t) => (t - h.cut) * (h.above ? 1 : -1));
    sheet = plane(views.clouds, colours, shown, [{ values, dash: [], colour: colours.d }], { range: [-6, 6, -4, 4] });
    const { pen, place, width, height } = sheet;
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1.5;
    shown.forEach(({ x }, d) => answers(h, d ? target : source).forEach((answer, i) => {
      if (answer === d) return;
      pen.beginPath();
      pen.arc(...place(x[2 * i], x[2 * i + 1]), 7.5, 0, 7);
      pen.stroke();
    }));
    pen.lineWidth = 2;
    pen.fillStyle = colours.ink;
    const [[x, y], [u, v]] = handles();
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(u, v);
    pen.stroke();
    for (const [a, b, r] of [[x, y, 8], [u, v, 6]]) { pen.beginPath(); pen.arc(a, b, r, 0, 7); pen.fill(); }
    pen.fillStyle = colours.d;
    pen.textAlign = "center";
    const [p, q] = whereOne(h, { ...sheet, width, height });
    pen.fillText("η=1", Math.min(Math.max(p, 20), width - 20), Math.min(Math.max(q, 16), height - 8));
    pen.textAlign = "left";
    drawGap(colours, h);
  }
  /** A place on the canvas a little way into the side where η is 1. */
  function whereOne(h, { place, scale, back, width, height }) {
    const sign = h.above ? 1 : -1, off = 22 / scale;
    if (h.family === "discs") return place(h.at[0], h.at[1] + Math.sqrt(Math.max(h.cut, 0)) + sign * off);
    const [u, v] = back(width / 2, 24), [a, b] = h.at; // the point of the line nearest to the upper rim's middle
    const t = h.cut - a * u - b * v;
    return place(u + a * (t + sign * off), v + b * (t + sign * off));
  }
  function drawGap(colours, h) {
    const length = (x) => Array.from(statistic(h, x), (t) => (h.family === "discs" ? Math.sqrt(t) : t)).sort((a, b) => a - b);
    const s = length(now.source), t = length(now.target), cut = h.family === "discs" ? Math.sqrt(Math.max(h.cut, 0)) : h.cut;
    const low = h.family === "discs" ? 0 : Math.min(s[0], t[0]) - 0.2, high = Math.max(s.at(-1), t.at(-1)) + 0.2, cuts = Array.from({ length: 401 }, (_, i) => low + (high - low) * i / 400);
    const above = (sorted, c) => { let i = 0; while (i < sorted.length && sorted[i] <= c) i++; return 1 - i / sorted.length; };
    const gaps = cuts.map((c) => Math.abs(above(t, c) - above(s, c))), round = (v) => [v, minus(v.toFixed(1))];
    const frame = axes(views.gap, colours, { x: { low, high, ticks: [round(low), round(high)] }, y: { low: 0, high: 1, ticks: [[0, "0"], [0.5, "0.5"], [1, "1"]] }, right: 12 });
    frame.line(cuts, gaps, colours.d);
    frame.line([cut, cut], [0, m.h_divergence / 2], colours.ink, [5, 4], 1.5);
  }
  function tell() {
    page.say(words.status({ source: two(m.error_source), target: two(m.error_target), value: two(m.h_divergence), pad: two(m.proxy_a_distance) }));
    model.set("measured", m);
    model.save_changes();
    draw();
  }
  function changed() {
    now = new Divergence(page.now);
    m = now.measure();
    tell();
  }

  const pictures = [page.view("clouds"), page.view("gap")];
  views.clouds.classList.add("dtl-tall");
  const tenth = (value, { least, most }) => Math.min(Math.max(Math.round(10 * value) / 10, least), most);
  draggable(views.clouds, {
    grab: (x, y) => { const found = handles().findIndex(([u, v]) => Math.hypot(u - x, v - y) < 22); return found < 0 ? null : found; },
    drag: (handle, x, y) => {
      const [u, v] = sheet.back(x, y), [a, b] = centre();
      if (handle) page.change({ spread: tenth(Math.hypot(u - a, v - b) / RIM, LIMITS.spread) });
      else page.change({ dx: tenth(u, LIMITS.dx), ...page.now.family === "thresholds" ? {} : { dy: tenth(v, LIMITS.dy) } });
    },
  });
  return page.mount([
    page.presets(), page.refusal,
    make("div", { className: "dtl-controls" }, page.choice("family"), page.slider("size"), page.slider("dx"), page.slider("dy"), page.slider("spread"), page.number("seed")),
    make("div", { className: "dtl-row" }, page.button(words.reset, () => page.change(settingsOf("apart"))), ...page.links()),
    page.readouts(["error_source", "error_target", "h_divergence", "proxy_a_distance", "exact"]),
    ...pictures, make("p", { className: "dtl-note", textContent: words.legend }), page.status,
    math(make("p", { className: "dtl-note" }), words.about), page.tasks(),
  ], tell);
}

export default { render };
