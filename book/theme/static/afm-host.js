// Brings the anywidgets of a published page to life, with no kernel and no other library.
//
// The press writes, for each widget,
//   <div class="dtl-widget" data-model="ID"><script type="application/vnd.jupyter.widget-state+json">…</script> a still </div>
// with the state that the notebook saved. A widget is mounted when the reader comes near it, and before printing; until then,
// and wherever that fails, the still is what the page shows. The widget's own module follows anywidget's front-end
// specification: `export default { initialize, render }`, or a function that returns such an object.

const NEAR = "800px";
const FAILED = {
  ko: "이 그림을 움직이게 하지 못했다. 멈춘 그림만 보인다.",
  en: "This figure could not be made interactive; it is shown as a still.",
};
const boxes = [...document.querySelectorAll(".dtl-widget[data-model]")];

/** What a widget's module sees of its model: as in anywidget, except that there is nobody to send to. */
class Model {
  #state;
  #listeners = new Map();
  constructor({ state, buffers = [] }) {
    for (const { path, data } of buffers) {
      const owner = path.slice(0, -1).reduce((part, key) => part[key], state);
      owner[path.at(-1)] = new DataView(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer);
    }
    this.#state = state;
  }
  get(name) { return this.#state[name]; }
  set(name, value) {
    if (this.#state[name] === value) return;
    this.#state[name] = value;
    this.#emit(`change:${name}`, value);
    this.#emit("change");
  }
  save_changes() {}
  send() {}
  on(event, callback) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(callback);
  }
  off(event, callback) {
    if (event === undefined) this.#listeners.clear();
    else if (callback) this.#listeners.get(event)?.delete(callback);
    else this.#listeners.delete(event);
  }
  #emit(event, ...values) { for (const callback of [...this.#listeners.get(event) ?? []]) callback(this, ...values); }
}

/** A function that does its work once for each argument. */
const once = (work) => {
  const done = new Map();
  return (key) => {
    if (!done.has(key)) done.set(key, work(key));
    return done.get(key);
  };
};

const record = once((id) => {
  const script = boxes.map((box) => box.dataset.model === id && box.querySelector("script")).find(Boolean);
  if (!script) throw new Error(`no saved state for the widget ${id}`);
  return JSON.parse(script.textContent).state[id];
});

/** A module or style sheet, as text; "@ID" stands for that of another widget on the page. */
const code = (id, part) => {
  const text = record(id).state[part] ?? "";
  return text.startsWith("@") ? record(text.slice(1)).state[part] : text;
};

const module = once(async (text) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    const { default: widget } = await import(url);
    return typeof widget === "function" ? await widget() : widget;
  } finally {
    URL.revokeObjectURL(url);
  }
});

const style = once((text) => {
  const element = document.createElement("style");
  element.textContent = text;
  document.head.append(element);
});

const cleanups = [];
const keep = (cleanup) => { if (typeof cleanup === "function") cleanups.push(cleanup); };

const load = once(async (id) => {
  const model = new Model(record(id)), widget = await module(code(id, "_esm"));
  keep(await widget.initialize?.({ model }));
  return { model, widget };
});

const mount = once(async (box) => {
  const still = [...box.children], el = document.createElement("div");
  try {
    const { model, widget } = await load(box.dataset.model);
    style(code(box.dataset.model, "_css"));
    box.append(el);
    keep(await widget.render?.({ model, el }));
    for (const element of still) if (element.localName !== "script") element.remove();
    box.dataset.mounted = "";
  } catch (error) {
    console.error("widget:", error);
    const note = document.createElement("p");
    note.setAttribute("role", "status");
    note.textContent = FAILED[document.documentElement.lang.slice(0, 2)] ?? FAILED.en;
    el.remove();
    box.append(note);
    box.dataset.failed = "";
  }
});

const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    mount(target);
  }
}, { rootMargin: NEAR });
boxes.forEach((box) => observer.observe(box));

// A link with a lab's settings, "#dann?lam=0.3": the lab whose state says link "dann" is mounted and scrolled to.
const follow = async () => {
  const [name, settings] = location.hash.slice(1).split("?");
  const box = settings !== undefined && boxes.find((one) => record(one.dataset.model).state.link === name);
  if (!box) return;
  await mount(box);
  box.scrollIntoView();
};
addEventListener("hashchange", follow);
follow();

// Printing does not wait: with the modules loaded beforehand, what is still unmounted is mounted within the event.
const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 2000));
const prepare = () => idle(() => boxes.forEach((box) => load(box.dataset.model).catch(() => {})));
if (document.readyState === "complete") prepare(); else addEventListener("load", prepare);
addEventListener("beforeprint", () => boxes.forEach(mount));
matchMedia("print").addEventListener("change", ({ matches }) => { if (matches) boxes.forEach(mount); });
addEventListener("pagehide", ({ persisted }) => { if (!persisted) cleanups.splice(0).forEach((cleanup) => cleanup()); });
