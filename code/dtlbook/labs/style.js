// The style lab's page (see style.py): the mixtures of style_mixing.js with the controls of controls.js.
const WORDS = {
  ko: {
    colours: "색만", own: "제 스타일 그대로", texture: "결까지", "too-deep": "모양까지",
    content: "콘텐츠를 주는 그림 x", style: "스타일을 주는 그림 x′", alpha: "α, x 자신의 스타일이 남는 몫", block: "칸의 크기 b (채널은 3b²개)",
    kinds: ["흰 글꼴", "색 글꼴", "사진"], images: "그림 아홉 장", pictures: "콘텐츠와 스타일", channels: "채널마다 평균과 표준편차", by_alpha: "α에 따라",
    four: ["x", "x′", "x의 콘텐츠, 섞은 스타일", "x′의 콘텐츠, x의 스타일"],
    maps: "채널 × 자리", to_own: "x의 스타일까지", to_other: "x′의 스타일까지", like_own: "x와 닮은 정도", like_other: "x′와 닮은 정도", outside: "0…1을 벗어난 값",
    mean: "평균", left_to: "거리 x′",
    status: (m) => `α = ${m.alpha}, 채널 ${m.channels}개. 스타일의 거리는 x까지 ${m.own}, x′까지 ${m.other}. 닮은 정도는 x와 ${m.like_own}, x′와 ${m.like_other}.`,
    legend: "● x, ▲ x′, ◆ 섞은 것. 스타일의 거리는 모든 채널의 평균과 표준편차를 늘어놓은 벡터의 거리, 닮은 정도는 화소의 상관 계수(빨강·초록·파랑의 평균)다. 0…1을 벗어난 값은 그림에서 잘린다. α에 따른 그래프의 점선은 x′의 스타일까지 남은 거리를 α = 1일 때의 거리로 나눈 것이다.",
    roles: "SagNet에서 셋째 그림의 레이블은 x의 것이고(콘텐츠를 따른다), 넷째 그림을 보고 G_s가 맞히려 하는 것도 x의 레이블이다(스타일을 따른다).",
    many: (shown, all) => `채널 ${all}개 가운데 가장 크게 움직인 ${shown}개만 그렸다.`,
    tasks: ["α를 1에서 0까지 내린다(b = 1). x′의 스타일까지 거리는 곧게 줄어 0이 되는데, x와 닮은 정도는 내내 1.00이다. 콘텐츠는 그대로다.",
      "α = 0에서 b를 1에서 14로 키운다. x와 닮은 정도가 1.00에서 0.7 아래로 떨어진다. 통계가 모양까지 담게 되어 숫자가 흩어진다.",
      "사진 7의 콘텐츠에 흰 글꼴 3의 스타일을 준다. 값의 3할 넘게 0…1을 벗어난다. AdaIN은 평균과 표준편차만 맞추고 화소의 범위는 모른다."],
  },
  en: {
    colours: "Colours only", own: "Own style kept", texture: "Texture, too", "too-deep": "Shape, too",
    content: "Image x, which gives the content", style: "Image x′, which gives the style", alpha: "α, share of x's own style that stays", block: "Size b of the squares (3b² channels)",
    kinds: ["white font", "coloured font", "photograph"], images: "The nine images", pictures: "Content and style", channels: "Mean and deviation of each channel", by_alpha: "As α moves",
    four: ["x", "x′", "content of x, mixed style", "content of x′, style of x"],
    maps: "Channels × places", to_own: "To the style of x", to_other: "To the style of x′", like_own: "Likeness to x", like_other: "Likeness to x′", outside: "Outside 0…1",
    mean: "mean", left_to: "to x′",
    status: (m) => `α = ${m.alpha}, ${m.channels} channels. Distance of styles to x ${m.own}, to x′ ${m.other}. Likeness to x ${m.like_own}, to x′ ${m.like_other}.`,
    legend: "● x, ▲ x′, ◆ mixture. The distance of two styles is that of the vectors of all means and deviations; likeness is the correlation of the pixels (mean over red, green, blue). Values outside 0…1 are cut off in the pictures. Dotted in the graph over α: the distance left to the style of x′, divided by that at α = 1.",
    roles: "In SagNet the third picture has the label of x (it goes by content), and the label of x is also what G_s is to find from the fourth (it goes by style).",
    many: (shown, all) => `Of ${all} channels only the ${shown} that move most are drawn.`,
    tasks: ["Take α from 1 down to 0 (b = 1). The distance to the style of x′ shrinks in a straight line to 0, and likeness to x is 1.00 all the way: the content stays.",
      "At α = 0 raise b from 1 to 14. Likeness to x falls from 1.00 to below 0.7: the statistics come to hold shape, and the digit dissolves.",
      "Give the content of the photographed 7 the style of the white 3. More than three tenths of the values fall outside 0…1: AdaIN matches means and deviations and knows nothing of the range of a pixel."],
  },
};
const DRAWN = 24; // channels drawn at most

/** The images, [9][28 · 28 · 3] of 0 … 1, from base64. */
const decoded = (text) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), size = SIDE * SIDE * 3;
  return Array.from({ length: bytes.length / size }, (_, i) => Float64Array.from(bytes.subarray(i * size, (i + 1) * size), (v) => v / 255));
};
/** ◆, the mixture's mark. */
function diamond(pen, x, y, colour) {
  pen.beginPath();
  pen.moveTo(x, y - 5.5);
  for (const [u, v] of [[5, 0], [0, 5.5], [-5, 0]]) pen.lineTo(x + u, y + v);
  pen.closePath();
  pen.fillStyle = colour;
  pen.fill();
}

function render({ model, el }) {
  const page = labPage({ model, el, words: WORDS, settings: SETTINGS, changed: tell, draw }), { words, views } = page;
  const images = decoded(model.get("images")), digits = model.get("digits"), stamp = document.createElement("canvas");
  let now = null, at = null, line = null, lineOf = "";
  const named = (i) => `${i}: ${words.kinds[Math.floor((i - 1) / 3)]} ${digits[i - 1]}`;
  const reset = page.button(words.reset, () => page.change(SETTINGS.settingsOf(SETTINGS.first)));
  const few = make("p", { className: "dtl-note" });
  stamp.width = stamp.height = SIDE;

  // --- what is shown
  function picture(pen, image, x, y, size) {
    const pixels = new ImageData(SIDE, SIDE);
    for (let p = 0; p < SIDE * SIDE; p++) {
      for (let c = 0; c < 3; c++) pixels.data[4 * p + c] = Math.round(255 * Math.min(Math.max(image[3 * p + c], 0), 1));
      pixels.data[4 * p + 3] = 255;
    }
    stamp.getContext("2d").putImageData(pixels, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(stamp, x, y, size, size);
  }
  function gallery(colours) {
    const canvas = views.images, size = Math.min(canvas.clientWidth / 9 - 6, 64);
    canvas.style.height = `${Math.round(size) + 42}px`;
    const { pen, width } = paperOf(canvas);
    pen.textAlign = "center";
    images.forEach((image, i) => {
      const x = (i + 0.5) * width / 9;
      picture(pen, image, x - size / 2, 18, size);
      pen.fillStyle = colours.ink;
      pen.fillText(i + 1, x, 13);
      if (page.now.content === i + 1) mark(pen, x - 7, size + 28, 0, true, colours.source, colours.paper);
      if (page.now.style === i + 1) mark(pen, x + 7, size + 28, 1, true, colours.target, colours.paper);
    });
  }
  function four(colours) {
    const canvas = views.pictures, columns = canvas.clientWidth < 560 ? 2 : 4;
    canvas.style.height = columns === 4 ? "13rem" : `${Math.round(canvas.clientWidth * 1.14)}px`;
    const { pen, width, height } = paperOf(canvas), cell = [width / columns, height * columns / 4], size = Math.min(cell[0] - 12, cell[1] - 30);
    pen.textAlign = "center";
    [images[page.now.content - 1], images[page.now.style - 1], now.image, now.turned].forEach((image, i) => {
      const x = (i % columns + 0.5) * cell[0], y = Math.floor(i / columns) * cell[1];
      pen.fillStyle = colours.ink;
      pen.fillText(words.four[i], x, y + 17, cell[0] - 4);
      picture(pen, image, x - size / 2, y + 24, size);
    });
  }
  function scatter(colours) {
    const { own, other, mixed: made } = now.styles, moves = Array.from(own.mean, (mean, k) => Math.hypot(mean - other.mean[k], own.deviation[k] - other.deviation[k]));
    const drawn = Array.from(moves.keys()).sort((a, b) => moves[b] - moves[a]).slice(0, DRAWN), all = [own, other];
    const low = Math.min(0, ...drawn.flatMap((k) => all.map((s) => s.mean[k]))), high = Math.max(0.1, ...drawn.flatMap((k) => all.map((s) => s.mean[k])));
    const top = Math.max(0.1, ...drawn.flatMap((k) => all.map((s) => s.deviation[k]))), tick = (v) => [v, minus((Math.round(10 * v) / 10 || 0).toFixed(1))];
    const rim = 0.04 * (high - low);
    const { pen, x, y } = axes(views.channels, colours, { x: { low: low - rim, high: high + rim, ticks: [tick(low), tick(high)] }, y: { low: 0, high: 1.06 * top, ticks: [tick(0), tick(top)] }, label: words.mean });
    pen.strokeStyle = colours.soft;
    pen.lineWidth = 1;
    for (const k of drawn) { pen.beginPath(); pen.moveTo(x(own.mean[k]), y(own.deviation[k])); pen.lineTo(x(other.mean[k]), y(other.deviation[k])); pen.stroke(); }
    for (const k of drawn) {
      mark(pen, x(own.mean[k]), y(own.deviation[k]), 0, true, colours.source, colours.paper);
      mark(pen, x(other.mean[k]), y(other.deviation[k]), 1, true, colours.target, colours.paper);
    }
    for (const k of drawn) diamond(pen, x(made.mean[k]), y(made.deviation[k]), colours.ink);
    few.textContent = drawn.length < now.channels ? words.many(drawn.length, now.channels) : "";
  }
  function byAlpha(colours) {
    const { x, y, line: stroke, names } = axes(views.by_alpha, colours, {
      x: { low: 0, high: 1, ticks: [[0, "0"], [0.5, "0.5"], [1, "α = 1"]] }, y: { low: -0.5, high: 1, ticks: [[-0.5, "−0.5"], [0, "0"], [0.5, "0.5"], [1, "1"]] } });
    const away = line.to_other.at(-1) || 1, series = [
      { text: "● x", values: line.like_own, colour: colours.source, dash: [] }, { text: "▲ x′", values: line.like_other, colour: colours.target, dash: [7, 4] },
      { text: words.left_to, values: line.to_other.map((v) => v / away), colour: colours.ink, dash: [2, 3] }];
    for (const { values, colour, dash } of series) stroke(line.alpha, values, colour, dash);
    stroke([page.now.alpha, page.now.alpha], [-0.5, 1], colours.soft, [], 1);
    names(series.map(({ text, values, colour }) => ({ text, colour, x: x(1) + 4, y: y(values.at(-1)) + 4 })));
  }
  function draw() {
    if (!now) return;
    const colours = page.colours();
    page.read({
      maps: `${now.channels} × ${now.places}`, to_own: two(now.to_own), to_other: two(now.to_other), like_own: two(now.like_own), like_other: two(now.like_other),
      outside: `${Math.round(100 * now.outside)} %`,
    });
    gallery(colours);
    four(colours);
    scatter(colours);
    byAlpha(colours);
  }

  // --- what happens
  function tell() {
    const x = images[page.now.content - 1], other = images[page.now.style - 1], of = ["content", "style", "block"].map((name) => page.now[name]).join();
    if (of !== lineOf) { // α alone moves on the curve that is there
      lineOf = of;
      at = mixtures(x, other, page.now.block);
      line = curve(at);
    }
    now = at(page.now.alpha);
    page.say(words.status({ alpha: minus(page.now.alpha), channels: now.channels, own: two(now.to_own), other: two(now.to_other), like_own: two(now.like_own), like_other: two(now.like_other) }));
    model.set("history", structuredClone(line));
    model.save_changes();
    draw();
  }

  const strip = page.view("images"), row = page.view("pictures");
  const unmount = page.mount([
    page.presets(), page.refusal,
    make("div", { className: "dtl-row" }, reset, ...page.links()),
    strip,
    make("div", { className: "dtl-controls" }, page.slider("content", named), page.slider("style", named), page.slider("alpha"), page.slider("block")),
    row,
    page.readouts(["maps", "to_own", "to_other", "like_own", "like_other", "outside"]),
    make("div", { className: "dtl-views" }, page.view("channels"), page.view("by_alpha")), few, page.status,
    make("p", { className: "dtl-note", textContent: words.legend }), math(make("p", { className: "dtl-note" }), words.roles),
    page.tasks(),
  ], tell);
  return unmount;
}

export default { render };
