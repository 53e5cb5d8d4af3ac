// The page's half of dtlbook.labs.sweep (see sweep.py). Figures come as SVG text, one a value, `null` where not computed yet.
const WORDS = {
  ko: {
    predict: "먼저 예상해 보자.", previous: "이전 값", next: "다음 값", busy: "계산하는 중이다…",
    failed: (why) => `이 값은 계산하지 못했다(${why}). 다른 값으로 옮겼다가 돌아오면 다시 계산한다.`,
    absent: "이 값의 그림은 아직 계산하지 않았다. 노트북에서 셀을 실행하면 볼 수 있다.",
  },
  en: {
    predict: "What do you expect?", previous: "Previous value", next: "Next value", busy: "Computing…",
    failed: (why) => `This value could not be computed (${why}). Move away and come back to try again.`,
    absent: "The picture for this value has not been computed. Run the cell in the notebook to see it.",
  },
};
const PATIENCE = 300; // ms that the slider rests on a new value before it is computed

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

/** The author's choice, else the language of a published page, else the browser's (a notebook's `<html lang>` says little). */
function language(model, el) {
  const page = el.closest(".dtl-widget") && document.documentElement.lang;
  const code = model.get("lang") || page || navigator.language || "en";
  return code.startsWith("ko") ? "ko" : "en";
}

function render({ model, el }) {
  const lang = language(model, el), words = WORDS[lang];
  const label = model.get("label")[lang], ticks = model.get("ticks"), last = ticks.length - 1;
  const frame = (i) => model.get("frames")[i];
  const id = `dtl-sweep-${Math.random().toString(36).slice(2, 9)}`;

  const slider = make("input", { type: "range", id, min: 0, max: last, step: 1 });
  const value = make("output", { htmlFor: id });
  const previous = make("button", { type: "button", textContent: "‹", ariaLabel: words.previous });
  const next = make("button", { type: "button", textContent: "›", ariaLabel: words.next });
  const scale = make("div", { className: "dtl-ticks", ariaHidden: "true" });
  const stage = make("div", { className: "dtl-stage" });
  const said = make("p"), room = make("p", { className: "dtl-room", ariaHidden: "true" });
  const print = make("div", { className: "dtl-prints" });
  // JupyterLab would keep the arrow keys, Enter and Space for itself
  for (const control of [slider, previous, next]) control.dataset.lmSuppressShortcuts = "true";
  value.setAttribute("aria-live", "off"); // the sentence below is what is read out
  said.setAttribute("aria-live", "polite");
  const every = Math.ceil(ticks.length / 9); // so many names fit a narrow screen
  scale.append(...ticks.map((text, i) => make("span", { textContent: i % every ? "" : text, onclick: () => go(i) })));

  const box = make("div", { className: "dtl-sweep", lang },
    make("div", { className: "dtl-screen" },
      make("div", { className: "dtl-head" }, make("label", { htmlFor: id, textContent: label }), value),
      make("div", { className: "dtl-slide" }, previous, make("div", {}, slider, scale), next),
      stage, make("div", { className: "dtl-said" }, said, room)),
    print);
  const question = model.get("predict")[lang];
  if (question) box.prepend(make("p", { className: "dtl-predict" }, make("strong", { textContent: words.predict }), " ", question));

  let at = model.get("index"), timer;

  const picture = (i) => {
    const holder = make("div", { innerHTML: frame(i).svg });
    holder.firstChild.setAttribute("aria-label", frame(i)[lang]);
    return holder.firstChild;
  };
  const sentence = () => frame(at)?.[lang] ?? (
    model.get("error").index === at ? words.failed(model.get("error").why)
      : el.closest(".dtl-widget") ? words.absent : words.busy);

  function show() {
    const ready = frame(at), text = sentence();
    slider.value = at;
    slider.setAttribute("aria-valuetext", `${ticks[at]}. ${text}`);
    value.value = ticks[at];
    previous.disabled = at === 0;
    next.disabled = at === last;
    box.toggleAttribute("data-waiting", !ready);
    stage.setAttribute("aria-busy", !ready && text === words.busy);
    if (ready && !print.firstChild) stage.replaceChildren(picture(at)); // else the last picture stays, faded, until the new one is there
    if (said.textContent !== text) said.textContent = text;
    [...scale.children].forEach((tick, i) => tick.toggleAttribute("data-here", i === at));
    const texts = model.get("frames").map((f) => f?.[lang] ?? "");
    room.textContent = texts.reduce((a, b) => (b.length > a.length ? b : a), text);
  }

  function go(i, spoken = "polite") {
    at = Math.min(Math.max(i, 0), last);
    said.setAttribute("aria-live", frame(at) ? spoken : "polite");
    show();
    clearTimeout(timer);
    timer = setTimeout(() => { model.set("index", at); model.save_changes(); }, frame(at) ? 0 : PATIENCE);
  }

  // a moved slider reads its own text out (aria-valuetext): the sentence need not be said twice
  slider.addEventListener("input", () => go(+slider.value, "off"));
  for (const [button, step] of [[previous, -1], [next, 1]]) {
    button.addEventListener("click", () => {
      go(at + step);
      if (button.disabled) slider.focus(); // a disabled button loses the focus: keep it in the widget
    });
  }

  const moved = () => { if (model.get("index") !== at) { at = model.get("index"); show(); } };
  const computed = () => { said.setAttribute("aria-live", "polite"); show(); };
  model.on("change:index", moved);
  model.on("change:frames", computed);
  model.on("change:error", computed);

  // On paper: every computed picture. The one on screen makes way, as its identifiers would be there twice.
  const media = matchMedia("print");
  function paper() {
    stage.replaceChildren();
    print.replaceChildren(...ticks.flatMap((text, i) => frame(i)
      ? [make("figure", {}, picture(i), make("figcaption", {}, make("strong", { textContent: `${label}: ${text}. ` }), frame(i)[lang]))] : []));
  }
  function screen() { print.replaceChildren(); show(); }
  const turned = () => (media.matches ? paper() : screen());
  addEventListener("beforeprint", paper);
  addEventListener("afterprint", screen);
  media.addEventListener("change", turned);

  el.append(box);
  show();
  if (media.matches) paper();

  return () => {
    clearTimeout(timer);
    model.off("change:index", moved);
    model.off("change:frames", computed);
    model.off("change:error", computed);
    removeEventListener("beforeprint", paper);
    removeEventListener("afterprint", screen);
    media.removeEventListener("change", turned);
  };
}

export default { render };
