"use strict";
// Narrows what the page shows. All of it is there without this, so nothing is made here but links.
(() => {
  const PAGE = 200;
  const FIELDS = ["text", "rule", "image", "level", "fate", "from", "to"];
  const root = document.documentElement;
  root.classList.add("js");

  const stored = {
    get() { try { return localStorage.getItem("imglint-theme"); } catch { return null; } },
    set(theme) { try { localStorage.setItem("imglint-theme", theme); } catch { /* it holds for this page alone */ } },
  };
  const THEMES = ["system", "light", "dark"];
  const setTheme = (theme) => {
    if (theme === "system") delete root.dataset.theme; else root.dataset.theme = theme;
  };
  if (THEMES.includes(stored.get())) setTheme(stored.get());

  document.addEventListener("DOMContentLoaded", () => {
    const byId = (id) => document.getElementById(id);
    const form = byId("filters");
    const fields = Object.fromEntries(FIELDS.map((name) => [name, byId(name)]));
    const count = byId("count"), earlier = byId("earlier"), later = byId("later");
    const groups = [], rows = [];
    for (const body of byId("table").tBodies) {
      const [link, ...title] = body.rows[0].cells[0].children;
      const words = title.map((part) => part.textContent).join(" ");
      const group = { body, day: body.dataset.day, commit: link.title, words, rows: [] };
      groups.push(group);
      for (const element of [...body.rows].slice(1)) {
        const [level, rule, image] = [...element.cells].map((cell) => cell.textContent);
        const row = { element, group, level, rule, image, fate: element.dataset.fate, words: null };
        group.rows.push(row);
        rows.push(row);
      }
    }
    const images = new Set(rows.map((row) => row.image));
    let matching = rows, page = 0, current = null;

    // What is searched is read where it is needed: it takes a while for ten thousand findings.
    const has = (row, part) => {
      row.words ??= [...row.element.cells].slice(0, 5).reduce((all, cell) => `${all} ${cell.textContent}`, row.group.words).toLowerCase();
      return row.words.includes(part) || (part.length > 5 && row.group.commit.startsWith(part));
    };
    const filter = () => {
      const wanted = Object.fromEntries(FIELDS.map((name) => [name, fields[name].value]));
      const parts = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
      const isImage = images.has(wanted.image);
      return rows.filter((row) =>
        (!wanted.rule || row.rule === wanted.rule)
        && (!wanted.level || row.level === wanted.level)
        && (!wanted.fate || row.fate === wanted.fate)
        && (!wanted.image || (isImage ? row.image === wanted.image : row.image.includes(wanted.image)))
        && (!wanted.from || row.group.day >= wanted.from)
        && (!wanted.to || row.group.day <= wanted.to)
        && parts.every((part) => has(row, part)));
    };
    const number = (value) => value.toLocaleString("en-US");
    const show = (visible) => {
      const shown = new Set(visible);
      for (const group of groups) {
        let any = false;
        for (const row of group.rows) {
          const is = shown.has(row);
          if (row.element.hidden === is) row.element.hidden = !is;
          any ||= is;
        }
        if (group.body.hidden === any) group.body.hidden = !any;
      }
    };
    const render = () => {
      const pages = Math.max(1, Math.ceil(matching.length / PAGE));
      page = Math.min(Math.max(page, 0), pages - 1);
      const begin = page * PAGE, end = Math.min(begin + PAGE, matching.length);
      show(matching.slice(begin, end));
      const part = matching.length > PAGE ? `${number(begin + 1)} to ${number(end)} of ` : "";
      const all = matching.length === rows.length ? "" : `, of ${number(rows.length)} in all`;
      count.textContent = `${part}${number(matching.length)} ${matching.length === 1 ? "finding" : "findings"}${all}`;
      earlier.hidden = later.hidden = pages === 1;
      earlier.disabled = page === 0;
      later.disabled = page === pages - 1;
      select(null);
    };
    const select = (row) => {
      if (current) current.element.classList.remove("here");
      current = row;
      if (!row) return;
      row.element.classList.add("here");
      row.element.tabIndex = -1;
      row.element.focus({ preventScroll: true });
      row.element.scrollIntoView({ block: "nearest" });
    };
    const remember = () => {
      const state = new URLSearchParams();
      for (const name of FIELDS) if (fields[name].value) state.set(name, fields[name].value);
      if (page > 0) state.set("page", page + 1);
      try { history.replaceState(null, "", `#${state}`); } catch { /* the address stays as it is */ }
    };
    const apply = (first = 0) => { matching = filter(); page = first; render(); };
    const turn = (by) => { page += by; render(); remember(); };
    const clear = () => { for (const name of FIELDS) fields[name].value = ""; apply(); remember(); };

    // What another page may have had to choose from matches nothing here, and must not look like a choice of all.
    const fill = (field, value) => {
      field.value = value;
      if (field.value !== value && field.options) {
        field.add(new Option(value, value));
        field.value = value;
      }
    };
    // The address says what is shown: #rule=…&image=…&level=…&fate=…&from=…&to=…&text=…&page=…, or a finding, or a change.
    const follow = () => {
      const fragment = location.hash.slice(1);
      if (fragment.includes("=")) {
        const state = new URLSearchParams(fragment);
        for (const name of FIELDS) fill(fields[name], state.get(name) ?? "");
        apply(Number(state.get("page") ?? 1) - 1 || 0);
        if (root.dataset.ready) byId("findings").scrollIntoView();
        return;
      }
      const target = fragment && byId(fragment);
      const row = target && rows.find((row) => row.element === target || row.group.body === target);
      if (!row) return;
      if (!matching.includes(row)) for (const name of FIELDS) fields[name].value = "";
      apply();
      page = Math.floor(matching.indexOf(row) / PAGE);
      render();
      select(row);
      target.scrollIntoView({ block: "center" });
    };

    const step = (by) => {
      const at = current ? matching.indexOf(current) + by : page * PAGE;
      if (at < 0 || at >= matching.length) return;
      const wanted = Math.floor(at / PAGE);
      if (wanted !== page) { page = wanted; render(); remember(); }
      select(matching[at]);
    };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const inField = event.target.matches("input, select, textarea");
      if (event.key === "Escape") {
        if (inField && fields.text.value === "") event.target.blur(); else clear();
        return;
      }
      if (inField) return;
      const arrow = current !== null;
      if (event.key === "/") { fields.text.focus(); fields.text.select(); }
      else if (event.key === "j" || (arrow && event.key === "ArrowDown")) step(1);
      else if (event.key === "k" || (arrow && event.key === "ArrowUp")) step(-1);
      else if (event.key === "n" && !later.hidden) turn(1);
      else if (event.key === "p" && !earlier.hidden) turn(-1);
      else return;
      event.preventDefault();
    });
    form.addEventListener("input", () => { apply(); remember(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => { event.preventDefault(); clear(); });
    earlier.addEventListener("click", () => turn(-1));
    later.addEventListener("click", () => turn(1));
    window.addEventListener("hashchange", follow);

    const address = (state) => `#${new URLSearchParams(state)}`;
    for (const bar of document.querySelectorAll(".timeline a")) {
      bar.setAttribute("href", address({ from: bar.dataset.from, to: bar.dataset.to }));
    }
    const head = document.querySelector(".matrix thead tr");
    for (const line of document.querySelectorAll(".matrix tbody tr")) {
      for (const cell of line.cells) {
        const rule = head.cells[cell.cellIndex].dataset.rule;
        const state = { ...(rule && { rule }), ...(line.dataset.image && { image: line.dataset.image }) };
        if (cell.textContent === "" || line.dataset.image === undefined) continue;
        const link = document.createElement("a");
        link.href = address(state);
        link.append(...cell.childNodes);
        cell.append(link);
      }
    }

    const theme = byId("theme");
    const name = () => { theme.textContent = `theme: ${root.dataset.theme ?? "system"}`; };
    theme.addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "system") + 1) % THEMES.length];
      setTheme(next);
      stored.set(next);
      name();
    });
    name();

    // What is printed are all findings that match.
    window.addEventListener("beforeprint", () => show(matching));
    window.addEventListener("afterprint", render);
    render();
    follow();
    root.dataset.ready = "yes";
  });
})();
