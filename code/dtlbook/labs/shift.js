// The shift lab's page (see shift.py): a Shift of shift_model.js with the controls and pictures of controls.js.
const WORDS = {
  ko: {
    presets: "맞혀 볼 상황", ...Object.fromEntries("ABCDEFG".split("").map((name) => [name, name])),
    acts: "움직이는 것", "acts-both": "점과 레이블을 함께", "acts-points": "점만, 규칙은 그대로", "acts-labels": "규칙만, 점은 그대로",
    dx: "가로로 옮김", dy: "세로로 옮김", rotation: "회전", scale: "크기", share: "오른쪽 무리의 비율",
    space: "타깃의 입력", "space-plane": "수 두 개(x₁, x₂)", "space-line": "수 한 개(x₁)",
    answers: "타깃의 답", "answers-two": "0, 1", "answers-three": "0, 1, 2",
    clouds: "입력 공간", best_accuracy: "타깃의 최선", answer: "넷 가운데 무엇이 다른가? 맞혀 보고 펼치기",
    x: "P(X)", y_x: "P(Y|X)", y: "P(Y)", x_y: "P(X|Y)", spaces: "𝒳", labels: "𝒴", same: "같다", other: "다르다", differs: (size) => `다르다 ${size}`,
    names: { none: "시프트가 없다.", covariate: "공변량 시프트다. 입력의 분포만 다르다.", label: "레이블 시프트다. 클래스의 비율이 다르고 클래스마다 입력의 분포는 같다.",
      concept: "개념 시프트다. 입력의 분포는 같고 규칙이 다르다.", mixed: "도메인과 과제가 함께 바뀌었다. 세 이름 가운데 어느 것도 아니다.",
      spaces: "특성 공간이 다르다. 모델은 수 두 개를 기다리므로 계산할 것이 없다.", labels: "레이블 공간이 다르다. 답 2는 모델의 목록에 없다." },
    legend: "● 소스, ▲ 타깃. 속이 빈 것은 클래스 0, 찬 것은 클래스 1, 가로줄이 있는 것은 클래스 2. 실선은 소스에서 배운 경계, 점선은 타깃에서 가장 좋은 경계. 크고 둥근 손잡이를 끌면 타깃이 움직이고 돌고 커진다.",
    about: "정확도는 학습에 쓰지 않은 점 2000개에서 잰다. 그림에는 120개씩만 그렸다. 수는 두 분포가 얼마나 먼지다. P(Y|X)는 확률의 차이를 평균한 것이고, 나머지는 총변동 거리이며 0이면 같다.",
    status: (m) => `소스 정확도 ${m.source}, 타깃 정확도 ${m.target}.`,
    tasks: ["점과 레이블을 함께 아래로 3만큼 내린다. P(X)는 아주 멀어지는데 정확도는 거의 그대로다. 경계를 따라 움직였기 때문이다. 이번에는 같은 만큼 오른쪽으로 옮기면 정확도가 0.6 아래로 떨어진다.",
      "점은 두고 규칙만 180° 돌린다. P(X)는 같으니 레이블 없이는 알 길이 없는데, 타깃 정확도는 0.1 아래다.",
      "오른쪽 무리를 90%로 한다. 정확도는 소스와 비슷하지만 타깃의 최선은 0.02 넘게 더 높다. 점수가 그대로라고 더 나아질 수 없는 것은 아니다."],
  },
  en: {
    presets: "Cases to guess", ...Object.fromEntries("ABCDEFG".split("").map((name) => [name, name])),
    acts: "What moves", "acts-both": "points with their labels", "acts-points": "points only, the rule stays", "acts-labels": "the rule only, points stay",
    dx: "Shift to the right", dy: "Shift upwards", rotation: "Rotation", scale: "Size", share: "Share of the right-hand cloud",
    space: "Inputs of the target", "space-plane": "two numbers (x₁, x₂)", "space-line": "one number (x₁)",
    answers: "Answers of the target", "answers-two": "0, 1", "answers-three": "0, 1, 2",
    clouds: "Input space", best_accuracy: "Best in the target", answer: "Which of the four differs? Guess, then open",
    x: "P(X)", y_x: "P(Y|X)", y: "P(Y)", x_y: "P(X|Y)", spaces: "𝒳", labels: "𝒴", same: "the same", other: "differs", differs: (size) => `differs ${size}`,
    names: { none: "No shift.", covariate: "Covariate shift: only the distribution of the inputs differs.", label: "Label shift: class shares differ, and inputs within each class are distributed alike.",
      concept: "Concept shift: the inputs have one distribution, the rule differs.", mixed: "Domain and task have both changed: none of the three names fits.",
      spaces: "The feature spaces differ: the model waits for two numbers, and there is nothing to compute.", labels: "The label spaces differ: the answer 2 is not on the model's list." },
    legend: "● source, ▲ target. Hollow is class 0, filled is class 1, with a bar is class 2. Solid line: boundary learned on the source; dashed line: best boundary in the target. Drag the large round handles to move, turn and enlarge the target.",
    about: "Accuracies are measured on 2000 points that training has not seen; 120 of each domain are drawn. The numbers say how far two distributions are apart: for P(Y|X) the mean difference of probabilities, for the others total variation; 0 is equal.",
    status: (m) => `Source accuracy ${m.source}, target accuracy ${m.target}.`,
    tasks: ["Move points and labels down by 3. P(X) is now far off, and yet accuracy hardly changes, for the motion goes along the boundary. Move as far to the right instead, and accuracy falls below 0.6.",
      "Leave the points and turn the rule by 180°. P(X) is the same, so nothing shows without labels; target accuracy is below 0.1.",
      "Make the right-hand cloud 90 % of the target. Accuracy is about that of the source, but the best in the target is higher by more than 0.02: an unchanged score does not mean that there is nothing to gain."],
  },
};
const SHOWN = 120, ARM = 2; // points drawn of each domain; from the handle that moves to the one that turns, before scaling

function render({ model, el }) {
  const page = labPage({ model, el, words: WORDS, settings: SETTINGS, changed, draw }), { words, views } = page;
  let shift = new Shift(page.now), sheet = null, found = look();
  const show = (v) => (v === null ? "–" : two(v));
  const verdict = make("p", { className: "dtl-name" });

  function look() { return { ...shift.measure(), ...shift.differences() }; }
  const handles = () => {
    const { dx, dy } = page.now;
    return [sheet.place(dx, dy), sheet.place(...shift.map.there(ARM, 0))];
  };
  function draw() {
    const colours = page.colours(), { target, train } = shift, size = (v) => (v === null ? "–" : v > DIFFERS ? words.differs(v.toFixed(2)) : words.same);
    page.read({
      source_accuracy: two(found.source_accuracy), target_accuracy: show(found.target_accuracy), best_accuracy: show(found.best_accuracy),
      spaces: found.spaces ? words.other : words.same, labels: found.labels ? words.other : words.same,
      ...Object.fromEntries(["x", "y_x", "y", "x_y"].map((name) => [name, size(found[name])])),
    });
    verdict.textContent = words.names[shift.name(found)];
    const lines = [{ values: (x) => shift.logit(x), dash: [], colour: colours.y }];
    if (found.best_accuracy !== null) lines.push({ values: (x) => shift.best(x), dash: [7, 5], colour: colours.target });
    const clouds = [train, target].map(({ x, y }) => ({ x: x.subarray(0, 2 * SHOWN), y: y.map((label) => +(label > 0)) }));
    sheet = plane(views.clouds, colours, clouds, lines, { range: [-5, 5, -3.4, 3.4] });
    const { pen, place } = sheet;
    pen.strokeStyle = colours.paper;
    for (let i = 0; i < SHOWN; i++) if (target.y[i] === 2) {
      const [x, y] = place(target.x[2 * i], target.x[2 * i + 1]);
      pen.beginPath();
      pen.moveTo(x - 3.6, y + 1);
      pen.lineTo(x + 3.6, y + 1);
      pen.lineWidth = 1.8;
      pen.stroke();
    }
    const [[x, y], [u, v]] = handles();
    pen.strokeStyle = pen.fillStyle = colours.ink;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(u, v);
    pen.stroke();
    for (const [a, b, r] of [[x, y, 8], [u, v, 6]]) { pen.beginPath(); pen.arc(a, b, r, 0, 7); pen.fill(); }
  }
  function tell() {
    page.say(words.status({ source: two(found.source_accuracy), target: show(found.target_accuracy) }));
    model.set("measured", { ...found, name: shift.name(found) });
    model.save_changes();
    draw();
  }
  function changed(given) {
    if ("seed" in given) shift = new Shift(page.now); else shift.set(page.now);
    found = look();
    tell();
  }

  const view = page.view("clouds");
  views.clouds.classList.add("dtl-tall");
  const step = (name, value) => { const { least, most } = LIMITS[name]; return Math.min(Math.max(Math.round(10 * value) / 10, least), most); };
  draggable(views.clouds, {
    grab: (x, y) => { const found = handles().findIndex(([u, v]) => Math.hypot(u - x, v - y) < 22); return found < 0 ? null : found; },
    drag: (handle, x, y) => {
      const [u, v] = sheet.back(x, y), { dx, dy } = page.now;
      if (handle === 0) return page.change({ dx: step("dx", u), dy: step("dy", v) });
      const degrees = 5 * Math.round(36 * Math.atan2(v - dy, u - dx) / Math.PI);
      page.change({ rotation: degrees, scale: step("scale", Math.hypot(u - dx, v - dy) / ARM) });
    },
  });
  return page.mount([
    page.presets(), page.refusal,
    make("div", { className: "dtl-controls" }, page.choice("acts"), page.slider("share", (v) => `${Math.round(100 * v)} %`), page.slider("dx"), page.slider("dy"),
      page.slider("rotation", (v) => `${minus(v)}°`), page.slider("scale", (v) => `×${v}`), page.choice("space"), page.choice("answers")),
    make("div", { className: "dtl-row" }, page.button(words.reset, () => page.change(settingsOf("A"))), ...page.links()),
    page.readouts(["source_accuracy", "target_accuracy", "best_accuracy"]), view, make("p", { className: "dtl-note", textContent: words.legend }), page.status,
    make("details", {}, make("summary", { textContent: words.answer }), verdict, page.readouts(["spaces", "x", "labels", "y_x", "y", "x_y"])),
    make("details", {}, make("summary", { textContent: words.more }), make("div", { className: "dtl-controls" }, page.number("seed"))),
    make("p", { className: "dtl-note", textContent: words.about }), page.tasks(),
  ], tell);
}

export default { render };
