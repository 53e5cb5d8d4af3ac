// What the pages do beyond the theme's own script. No library, no other host; without it everything can still be read.
(() => {
  const ko = document.documentElement.lang === "ko";
  const words = ko
    ? { copy: "복사", copied: "복사했다", math: "수식, 옆으로 밀어 볼 수 있다", table: "표, 옆으로 밀어 볼 수 있다", code: "코드, 옆으로 밀어 볼 수 있다" }
    : { copy: "Copy", copied: "Copied", math: "Formula, scrolls sideways", table: "Table, scrolls sideways", code: "Code, scrolls sideways" };
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // The language that the reader turns to is the one that the first page of the site opens next time.
  const remember = (language) => { try { localStorage.setItem("language", language); } catch { /* storage is off */ } };
  all("a.language-switch").forEach((link) => link.addEventListener("click", () => {
    remember(link.hreflang);
    if (location.hash || location.search) link.href = link.getAttribute("href").split(/[?#]/)[0] + location.search + location.hash;
  }));

  // Sections far from the screen are not laid out (book.css). A fair guess of their height, made without laying
  // anything out, keeps the scroll bar honest and the page from jumping when a reader scrolls up from an anchor.
  const column = Math.min(690, innerWidth - 32);
  const letters = (root) => root.textContent.length;
  all(".bd-article > section > section").forEach((section) => {
    const sum = (selector, height) => all(selector, section).reduce((total, part) => total + height(part), 0);
    const text = sum("p, li, dd, td", (part) => (part.closest("details") ? 0 : letters(part))) - sum(":is(p, li, td) .katex", (part) => letters(part) - 6);
    const guess = sum("pre", (part) => 22 * part.textContent.trim().split("\n").length)
      + Math.max(text, 0) * (ko ? .45 : .3) * 690 / column
      + sum("svg.drawing, .dtl-picture, .dtl-widget", () => Math.min(450, column)) + sum("div.math", () => 95)
      + sum("p, li, tr", () => 18) + sum("details", () => 45);
    section.style.containIntrinsicHeight = `auto ${Math.round(guess)}px`;
  });

  // Wide formulas, tables and code scroll in themselves; only those that do take part in the keyboard's round.
  all(".bd-article table").forEach((table) => {
    if (table.closest(".table-scroll, .pst-scrollable-table-container, .highlighttable")) return;
    const box = document.createElement("div");
    box.className = "table-scroll";
    table.replaceWith(box);
    box.append(table);
  });
  const scrollers = [[".math-scroll", words.math], [".table-scroll, .pst-scrollable-table-container", words.table],
    [".dtl-picture", ""], ["div.highlight pre", words.code]];
  const mark = (box, name) => {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
      if (name) { box.setAttribute("role", "group"); box.setAttribute("aria-label", name); }
    } else {
      for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
    }
  };
  const names = new Map();
  for (const [selector, name] of scrollers) all(selector).forEach((box) => names.set(box, name));
  const near = new Set(), seen = new Set(); // measured only near the screen: to measure is to lay out
  const watch = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
    near[isIntersecting ? "add" : "delete"](target);
    if (isIntersecting) { seen.add(target); mark(target, names.get(target)); }
  }), { rootMargin: "1500px" });
  names.forEach((_, box) => watch.observe(box));
  const due = new Set();
  let waiting = 0;
  const later = (boxes) => {
    boxes.forEach((box) => due.add(box));
    clearTimeout(waiting);
    waiting = setTimeout(() => { due.forEach((box) => mark(box, names.get(box))); due.clear(); }, 200);
  };
  addEventListener("resize", () => later(near)); // what is far is measured when it comes near
  addEventListener("load", () => document.fonts?.ready.then(() => later(seen)));
  // Fonts of formulas come when the first of them is drawn; who scrolls fast has left it behind by then.
  document.fonts?.addEventListener("loadingdone", () => later(seen));

  // Copy a cell's code.
  all(".cell_input div.highlight, div.highlight-python div.highlight").forEach((box) => {
    if (!navigator.clipboard || box.querySelector(".copy-code")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy-code";
    button.textContent = words.copy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(box.querySelector("pre").textContent);
      button.textContent = words.copied;
      setTimeout(() => { button.textContent = words.copy; }, 1500);
    });
    box.append(button);
  });

  // The short definition of a glossary term: on pointing or focus, gone with Escape.
  const note = document.createElement("div");
  note.id = "term-note";
  note.setAttribute("role", "tooltip");
  note.hidden = true;
  let owner = null, closing = 0;
  const hide = () => { note.hidden = true; owner?.removeAttribute("aria-describedby"); owner = null; };
  const show = (term) => {
    clearTimeout(closing);
    if (owner === term) return;
    hide();
    owner = term;
    note.textContent = term.dataset.meaning;
    note.hidden = false;
    term.setAttribute("aria-describedby", note.id);
    const at = term.getBoundingClientRect();
    note.style.left = "0";
    note.style.top = "0";
    const width = note.offsetWidth, height = note.offsetHeight;
    const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - width - 8));
    const top = at.top > height + 70 ? at.top - height - 6 : at.bottom + 6;
    note.style.left = `${left + scrollX}px`;
    note.style.top = `${top + scrollY}px`;
  };
  const hideSoon = () => { clearTimeout(closing); closing = setTimeout(hide, 200); };
  const terms = all("a.glossary-term[title]");
  if (terms.length) document.body.append(note);
  terms.forEach((term) => {
    term.dataset.meaning = term.title;
    term.removeAttribute("title");
    term.addEventListener("mouseenter", () => show(term));
    term.addEventListener("focus", () => show(term));
    term.addEventListener("mouseleave", hideSoon);
    term.addEventListener("blur", hide);
  });
  note.addEventListener("mouseenter", () => clearTimeout(closing));
  note.addEventListener("mouseleave", hideSoon);
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // Paper shows everything: unfold before printing, fold again after.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = all("details:not([open])");
    unfolded.forEach((box) => { box.open = true; });
  });
  addEventListener("afterprint", () => unfolded.splice(0).forEach((box) => { box.open = false; }));

  // On the search page: excerpts without formulas' double text, folds' prompts and page furniture.
  addEventListener("DOMContentLoaded", () => {
    if (typeof Search === "undefined") return;
    const plain = Search.htmlToText.bind(Search);
    Search.htmlToText = (html, anchor) => {
      const page = new DOMParser().parseFromString(html, "text/html");
      all(".katex-html, annotation, .headerlink, .chapter-links, .bd-header-article, .prev-next-footer, .bd-footer-content, .bd-sidebar-secondary, svg, summary, script", page)
        .forEach((part) => part.remove());
      return plain(page.documentElement.outerHTML, anchor);
    };
  }, { capture: true });
})();
