// The freeze lab's page (see freeze.py): curves of real runs, chosen by the controls of controls.js.
const WORDS = {
  ko: {
    few: "레이블이 하나씩", all: "레이블을 모두", narrow: "좁은 소스", source: "소스", "source-broad": "여러 각도로 돌린 숫자", "source-upright": "바로 선 숫자",
    labels: "숫자마다 레이블의 수", frozen: "동결한 블록의 수", everything: "모두(60쯤)",
    learning: "학습하는 동안의 정확도", blocks: "동결한 블록의 수에 따른 끝의 정확도",
    accuracy: "타깃 정확도", spread: "시드의 표준편차", own: "배운 그림의 정확도", from_scratch: "처음부터 학습", gain: "전이의 이득", best: "가장 좋은 개수",
    test_end: "타깃", own_end: "배운 그림", scratch_end: "처음부터", steps: "갱신",
    legend: "첫째 그림: 가는 실선은 시드 하나씩, 굵은 실선은 그 평균, 긴 점선은 레이블을 달아 학습에 쓴 그림, 짧은 점선은 처음부터 학습한 신경망이다. 둘째 그림: ●는 여러 각도의 소스, ▲는 바로 선 소스, 짧은 점선은 처음부터. 큰 동그라미가 지금 고른 것이다.",
    about: "실제로 학습한 기록이다. 시드 다섯 개, 갱신 300번, 네 블록 위에 새 분류기를 달고 동결하지 않은 층과 함께 학습했다.",
    status: (m) => `타깃 정확도 ${m.accuracy}, 표준편차 ${m.spread}, 처음부터 학습한 것보다 ${m.gain}.`,
    tasks: ["레이블이 하나씩일 때 동결한 블록을 4개에서 0개로 줄인다. 타깃 정확도가 0.05 넘게 떨어진다. 그런데 배운 그림은 어느 쪽이든 모두 맞힌다. 배운 그림의 정확도로는 고를 수 없다.",
      "레이블을 모두 쓸 때 0개에서 4개로 늘린다. 이번에는 동결할수록 0.01 넘게 낮아지고, 4개를 동결하면 처음부터 학습한 것과 0.03도 차이 나지 않는다.",
      "바로 선 숫자로 배운 네 블록을 동결하면, 레이블을 모두 써도 처음부터 학습한 것보다 0.08 넘게 낮다. 0개로 풀면 0.02 안으로 따라온다."],
  },
  en: {
    few: "One label each", all: "All labels", narrow: "A narrow source", source: "Source", "source-broad": "digits turned by many angles", "source-upright": "upright digits",
    labels: "Labels of each digit", frozen: "Frozen blocks", everything: "all (about 60)",
    learning: "Accuracy during training", blocks: "Accuracy at the end against frozen blocks",
    accuracy: "Target accuracy", spread: "Standard deviation of seeds", own: "On the images learned from", from_scratch: "From scratch", gain: "Gain of transfer", best: "Best number",
    test_end: "target", own_end: "learned", scratch_end: "scratch", steps: "updates",
    legend: "First picture: thin lines are single seeds, the thick one their mean; long dashes, the labelled images learned from; short dashes, a network trained from scratch. Second picture: ● source of many angles, ▲ upright source, short dashes from scratch. The large ring is what you have chosen.",
    about: "Records of real training: five seeds, 300 updates, a new classifier on four blocks, trained together with the layers that are not frozen.",
    status: (m) => `Target accuracy ${m.accuracy}, standard deviation ${m.spread}, against training from scratch ${m.gain}.`,
    tasks: ["With one label each, go from 4 frozen blocks to 0. Target accuracy falls by more than 0.05, while all images learned from are right either way: accuracy on them cannot help to choose.",
      "With all labels, go from 0 frozen blocks to 4. Now freezing costs more than 0.01, and with 4 frozen the difference to training from scratch is below 0.03.",
      "Freeze the four blocks learned from upright digits: even with all labels, accuracy is more than 0.08 below training from scratch. Unfreeze all, and it comes within 0.02."],
  },
};
const SOURCES = LIMITS.source.choices, signedTwo = (v) => (v < 0 ? "−" : "+") + Math.abs(v).toFixed(2);

function render({ model, el }) {
  const page = labPage({ model, el, words: WORDS, settings: SETTINGS, changed: tell, draw }), { words, views } = page, runs = model.get("runs");

  function draw() {
    const colours = page.colours(), { source, labels, frozen } = page.now, end = ending(runs, page.now), domain = SOURCES.indexOf(source), colour = domain ? colours.target : colours.source;
    page.read({ accuracy: two(end.accuracy), spread: two(end.spread), own: two(end.own), from_scratch: two(end.scratch), gain: signedTwo(end.gain), best: String(end.best) });
    const up = { low: 0, high: 1, ticks: [[0, "0"], [0.5, "0.5"], [1, "1"]] }, run = runs[source][labels][frozen], scratch = runs.scratch[labels], last = runs.steps.at(-1);
    const first = axes(views.learning, colours, { x: { low: 0, high: last, ticks: [[0, "0"], [last, `${last} ${words.steps}`]] }, y: up, right: 76 });
    for (const curve of run.test) first.line(runs.steps, curve, colour, [], 0.7);
    const curves = [["test_end", meanCurve(run.test), colour, [], 2.6], ["own_end", run.own, colours.f, [9, 5], 2], ["scratch_end", meanCurve(scratch.test), colours.soft, [3, 3], 2]];
    for (const [, values, ink, dash, thick] of curves) first.line(runs.steps, values, ink, dash, thick);
    first.names(curves.map(([name, values, ink]) => ({ text: words[name], x: first.x(last) + 4, y: first.y(values.at(-1)) + 4, colour: ink })));
    const stops = LIMITS.frozen.stops, second = axes(views.blocks, colours, { x: { low: -0.2, high: 4.2, ticks: [] }, y: { low: 0.3, high: 1, ticks: [[0.4, "0.4"], [0.6, "0.6"], [0.8, "0.8"], [1, "1"]] }, right: 76 });
    const { pen } = second;
    second.line([-0.2, 4.2], [end.scratch, end.scratch], colours.soft, [3, 3]);
    const names = [{ text: words.scratch_end, x: second.x(4.2) + 4, y: second.y(end.scratch) + 4, colour: colours.soft }];
    SOURCES.forEach((name, d) => {
      const ink = d ? colours.target : colours.source, each = ending(runs, { ...page.now, source: name }).each;
      second.line(stops, each, ink, d ? [7, 5] : [], d === domain ? 2.4 : 1.4);
      for (const n of stops) for (const curve of runs[name][labels][n].test) if (d === domain) mark(pen, second.x(n), second.y(curve.at(-1)), d, false, ink, colours.paper);
      for (const n of stops) mark(pen, second.x(n), second.y(each[n]), d, true, ink, colours.paper);
      names.push({ text: d ? "▲" : "●", x: second.x(4.2) + 4, y: second.y(each[4]) + 4, colour: ink });
    });
    second.names(names);
    pen.strokeStyle = pen.fillStyle = colours.ink;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(second.x(frozen), second.y(end.accuracy), 10, 0, 7);
    pen.stroke();
    pen.textAlign = "center";
    for (const n of stops) pen.fillText(n, second.x(n), second.height - 6);
    return end;
  }
  function tell() {
    const end = draw();
    page.say(words.status({ accuracy: two(end.accuracy), spread: two(end.spread), gain: signedTwo(end.gain) }));
    model.set("measured", end);
    model.save_changes();
  }
  return page.mount([
    page.presets(), page.refusal,
    make("div", { className: "dtl-controls" }, page.choice("source"), page.slider("labels", (v) => (v === 60 ? words.everything : String(v))), page.slider("frozen")),
    make("div", { className: "dtl-row" }, page.button(words.reset, () => page.change(settingsOf("few"))), ...page.links()),
    page.readouts(["accuracy", "spread", "own", "from_scratch", "gain", "best"]),
    make("div", { className: "dtl-views" }, page.view("learning"), page.view("blocks")),
    make("p", { className: "dtl-note", textContent: words.legend }), page.status, make("p", { className: "dtl-note", textContent: words.about }), page.tasks(),
  ], tell);
}

export default { render };
