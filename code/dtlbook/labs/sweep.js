// The page's half of dtlbook.labs.sweep (see sweep.py). Figures come as SVG text, one a value, `null` where not computed yet.
const WORDS = {
  ko: {
    predict: "먼저 예상해 보자.", previous: "이전 값", next: "다음 값", busy: "계산하는 중이다…",
    failed: (why) => `이 값은 계산하지 못했다(${why}). 다른 값으로 옮겼다가 돌아오면 다시 계산한다.`,
    absent: "이 값의 그림은 아직 계산하지 않았다. 노트북에서 셀을 실행하면 볼 수 있다.",
    reset: "처음으로", link: "링크 만들기", linked: "주소창의 링크에 지금 값이 담겼다.", try: "해 보자", set: "이렇게 맞추기",
    refused: (name, text) => `링크에 쓸 수 없는 값이 있어 무시했다: ${name}=${text}.`,
  },
  en: {
    predict: "What do you expect?", previous: "Previous value", next: "Next value", busy: "Computing…",
    failed: (why) => `This value could not be computed (${why}). Move away and come back to try again.`,
    absent: "The picture for this value has not been computed. Run the cell in the notebook to see it.",
    reset: "Back to the start", link: "Make a link", linked: "The link in the address bar holds this value.", try: "Try this", set: "Set it up",
    refused: (name, text) => `The link's ${name}=${text} is not a possible value and was left out.`,
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
  const refusal = make("p", { className: "dtl-refused" }), told = make("p", { className: "dtl-told" }), extra = make("div", { className: "dtl-extra" });
  refusal.setAttribute("role", "alert");
  told.setAttribute("role", "status");
  const button = (text, onclick, properties = {}) => make("button", { type: "button", textContent: text, onclick, ...properties });
  if (model.get("link")) {
    extra.append(button(words.reset, () => go(start)));
    if (el.closest(".dtl-widget")) extra.append(button(words.link, () => {
      history.replaceState(null, "", `#${model.get("link")}?value=${ticks[at].replace("−", "-")}`);
      navigator.clipboard?.writeText(location.href).catch(() => {});
      told.textContent = words.linked;
    }));
  }
  const tasks = model.get("tasks").map((task, i) => make("li", {}, task[lang], " ", button(words.set, () => go(task.index), { ariaLabel: `${words.set}: ${i + 1}` })));
  // JupyterLab would keep the arrow keys, Enter and Space for itself
  for (const control of [slider, previous, next, ...extra.children, ...tasks.map((task) => task.lastChild)]) control.dataset.lmSuppressShortcuts = "true";
  value.setAttribute("aria-live", "off"); // the sentence below is what is read out
  said.setAttribute("aria-live", "polite");
  const every = Math.ceil(ticks.length / 9); // so many names fit a narrow screen
  scale.append(...ticks.map((text, i) => make("span", { textContent: i % every ? "" : text, onclick: () => go(i) })));

  const box = make("div", { className: "dtl-sweep", lang },
    make("div", { className: "dtl-screen" },
      make("div", { className: "dtl-head" }, make("label", { htmlFor: id, textContent: label }), value),
      make("div", { className: "dtl-slide" }, previous, make("div", {}, slider, scale), next),
      stage, make("div", { className: "dtl-said" }, said, room),
      ...model.get("link") ? [refusal, extra, told] : [],
      ...tasks.length ? [make("p", {}, make("strong", { textContent: words.try })), make("ol", {}, ...tasks)] : []),
    print);
  const question = model.get("predict")[lang];
  if (question) box.prepend(make("p", { className: "dtl-predict" }, make("strong", { textContent: words.predict }), " ", question));

  const start = model.get("index");
  let at = start, timer;

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
    refusal.textContent = told.textContent = "";
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

  /** A link's fragment, "#methods?value=0.3". */
  function fromLink() {
    const [head, ...rest] = location.hash.slice(1).split("?");
    if (!el.closest(".dtl-widget") || !rest.length || head !== model.get("link")) return;
    const wrong = [];
    for (const part of rest.join("?").split("&").filter(Boolean)) {
      const [name, ...texts] = part.split("="), text = texts.join("=").slice(0, 20), i = name === "value" ? ticks.indexOf(text.replace("-", "−")) : -1;
      if (i < 0) wrong.push([name.slice(0, 20), text]); else go(i);
    }
    refusal.textContent = wrong.map(([name, text]) => words.refused(name, text)).join(" ");
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
  addEventListener("hashchange", fromLink);
  fromLink();
  if (media.matches) paper();

  return () => {
    clearTimeout(timer);
    removeEventListener("hashchange", fromLink);
    model.off("change:index", moved);
    model.off("change:frames", computed);
    model.off("change:error", computed);
    removeEventListener("beforeprint", paper);
    removeEventListener("afterprint", screen);
    media.removeEventListener("change", turned);
  };
}

export default { render };
