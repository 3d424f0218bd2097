"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const words = { distilling: "distilling", reseller: "reseller", watch: "watch", not_observable: "not observable", clear: "clear" };
  const [ACCOUNT, VERDICT, PROBABILITY, E, CAMPAIGN, POOL, EXCHANGES, FIRST, LAST, FLAGGED, AT_FLAG, REASONS, ABSTAINED] = Array(13).keys();
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

  // Figures are written as words.py writes them.
  const count = (n) => (n === null ? "–" : n.toLocaleString("en-US"));
  const three = (x) => String(Number(x.toPrecision(3)));
  const raised = (n) => String(n).replace(/[-0-9]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  const power = (x) => { const [m, e] = x.toExponential(1).split("e"); return m.replace(/\.0$/, "") + " × 10" + raised(Number(e)); };
  const number = (x) => x === null ? "–" : x === 0 || (Math.abs(x) >= 1e-3 && Math.abs(x) < 1e5)
    ? (Math.abs(x) >= 1000 ? count(Math.round(x)) : three(x)) : power(x);
  const percent = (p) => p === null ? "–" : p > 0.999 && p < 1 ? "over 99.9 %" : p > 0 && p < 0.001 ? "under 0.1 %" : three(100 * p) + " %";
  const eValue = (e) => e === null ? "–" : e >= 1e300 ? "over 10³⁰⁰" : e === 0 ? "0" : e < 1e-3 || e >= 1e6 ? power(e)
    : e >= 1e4 ? three(e / 1e3) + " thousand" : Number.isInteger(e) || e >= 100 ? count(Math.round(e)) : three(e);
  const two = (n) => String(n).padStart(2, "0");
  const when = (s) => {
    if (s === null) return "–";
    const d = new Date(s * 1000);
    return `${d.getUTCDate()} ${months[d.getUTCMonth()]} ${d.getUTCFullYear()}, ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  };
  const day = (s) => { const d = when(s).split(",")[0]; return data.one_year ? d.replace(/ \d+$/, "") : d; };
  const reading = (x, unit) => x !== null && unit.startsWith("share") && x >= 0 && x <= 1 ? percent(x) : number(x);
  const nameOf = (list, i) => (i === null ? null : list[i]);

  // Text reaches the page through textContent only.
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    for (const child of children) node.append(child);
    return node;
  };
  const isolated = (text) => make("bdi", {}, text === null ? "–" : text);
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const verdict = (i) => {
    const name = data.verdicts[i];
    return make("span", { class: `verdict v-${name}` },
      svg("svg", { class: `mark v-${name}`, viewBox: "-10 -10 20 20", "aria-hidden": "true" }, svg("use", { href: `#m-${name}`, x: -10, y: -10, width: 20, height: 20 })), words[name]);
  };

  const table = document.getElementById("all");
  const find = table ? verdictTable(table) : () => {};
  drawings(find);
  for (const button of document.querySelectorAll("button.find")) {
    button.hidden = !table;
    button.addEventListener("click", () => find(button.dataset.find));
  }
  addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });

  function verdictTable(table) {
    const body = table.tBodies[0];
    const query = document.getElementById("q");
    const boxes = [...document.querySelectorAll("input[name=v]")];
    const shown = document.getElementById("shown");
    const pager = document.getElementById("pager");
    const [previous, next, where] = ["prev", "next", "where"].map((id) => document.getElementById(id));
    const headers = [...table.tHead.rows[0].cells];
    const state = { key: VERDICT, down: false, page: 0, rows: data.rows, opened: null };
    const haystack = data.rows.map((row) => [
      row[ACCOUNT], nameOf(data.campaigns, row[CAMPAIGN]) ?? "", nameOf(data.pools, row[POOL]) ?? "",
      ...row[REASONS].map(([signal]) => data.signals[signal][0] + " " + data.signals[signal][1]),
    ].join("\n").toLowerCase());
    const index = new Map(data.rows.map((row, i) => [row, i]));
    const sortable = (row, key) => key === CAMPAIGN ? nameOf(data.campaigns, row[key]) : key === POOL ? nameOf(data.pools, row[key]) : row[key];

    function choose() {
      const parts = query.value.toLowerCase().split(/\s+/).filter(Boolean);
      const wanted = new Set(boxes.filter((box) => box.checked).map((box) => Number(box.value)));
      const rows = data.rows.filter((row, i) => wanted.has(row[VERDICT]) && parts.every((part) => haystack[i].includes(part)));
      const sign = state.down ? -1 : 1;
      if (!(state.key === VERDICT && !state.down)) { // the data come in this order
        rows.sort((a, b) => {
          const x = sortable(a, state.key), y = sortable(b, state.key);
          if (x === y) return index.get(a) - index.get(b);
          if (x === null) return 1; // what is not known stands last either way
          if (y === null) return -1;
          return sign * (typeof x === "string" ? (x < y ? -1 : 1) : x - y);
        });
      }
      state.rows = rows;
      state.page = 0;
      paint();
    }

    function paint() {
      const pages = Math.max(1, Math.ceil(state.rows.length / data.page));
      state.page = Math.min(Math.max(0, state.page), pages - 1);
      const from = state.page * data.page;
      const rows = state.rows.slice(from, from + data.page);
      body.replaceChildren(...rows.map(line));
      if (!rows.length) body.append(make("tr", {}, make("td", { colspan: "11" }, "No account fits these filters.")));
      shown.textContent = rows.length
        ? `Accounts ${count(from + 1)} to ${count(from + rows.length)} of ${count(state.rows.length)}` +
          (state.rows.length < data.rows.length ? `, filtered from ${count(data.rows.length)}` : "")
        : `No account of ${count(data.rows.length)} fits these filters`;
      pager.hidden = pages < 2;
      where.textContent = `Page ${count(state.page + 1)} of ${count(pages)}`;
      previous.disabled = state.page === 0;
      next.disabled = state.page === pages - 1;
    }

    function line(row) {
      const open = make("button", { type: "button", class: "open", "aria-expanded": "false" }, isolated(row[ACCOUNT]));
      const cells = [
        make("th", { scope: "row" }, open), make("td", {}, verdict(row[VERDICT])),
        make("td", { class: "num" }, percent(row[PROBABILITY])), make("td", { class: "num wide" }, eValue(row[E])),
        make("td", { class: "mid" }, isolated(nameOf(data.campaigns, row[CAMPAIGN]))), make("td", { class: "wide" }, isolated(nameOf(data.pools, row[POOL]))),
        make("td", { class: "num" }, count(row[EXCHANGES])), make("td", { class: "wide" }, day(row[FIRST])), make("td", { class: "wide" }, day(row[LAST])),
        make("td", { class: "wide" }, day(row[FLAGGED])), make("td", { class: "num wide" }, count(row[AT_FLAG])),
      ];
      const tr = make("tr", {}, ...cells);
      open.addEventListener("click", () => {
        const opening = open.getAttribute("aria-expanded") === "false";
        open.setAttribute("aria-expanded", String(opening));
        if (opening) tr.after(make("tr", { class: "detail" }, make("td", { colspan: "11" }, ...detail(row))));
        else tr.nextElementSibling.remove();
      });
      return tr;
    }

    function detail(row) {
      const out = [];
      const facts = [`Active ${when(row[FIRST])} to ${when(row[LAST])}`, `e-value ${eValue(row[E])}`];
      if (row[FLAGGED] !== null) facts.push(`flagged ${when(row[FLAGGED])}` + (row[AT_FLAG] === null ? "" : ` after ${count(row[AT_FLAG])} exchanges`));
      const p = make("p", {}, facts.join("; ") + ".");
      if (row[CAMPAIGN] !== null) p.append(" Campaign ", isolated(data.campaigns[row[CAMPAIGN]]), ".");
      if (row[POOL] !== null) p.append(" Pool ", isolated(data.pools[row[POOL]]), ".");
      out.push(p);
      if (row[REASONS].length) {
        out.push(make("ul", {}, ...row[REASONS].map(([signal, version, value, baseline, bits, exchanges, all]) => {
          const [id, title, unit] = data.signals[signal];
          const li = make("li", {}, isolated(title), ` (${id}@${version}): here ${reading(value, unit)}`);
          if (baseline !== null) li.append(`, ordinary traffic ${reading(baseline, unit)}`);
          if (bits !== null) li.append(`, ${bits < 0 ? "−" : "+"}${Math.abs(bits).toFixed(1)} bits`);
          if (exchanges.length) {
            li.append("; exchanges ");
            exchanges.forEach((e, i) => li.append(i ? ", " : "", isolated(e)));
            if (all > exchanges.length) li.append(` and ${count(all - exchanges.length)} more`);
          }
          return li;
        })));
      } else out.push(make("p", {}, "No signal stands out for this account."));
      const abstained = data.abstentions[row[ABSTAINED]];
      if (abstained.length) {
        out.push(make("p", {}, "Could not be seen: ", ...abstained.flatMap(([signal, missing], i) =>
          [i ? "; " : "", isolated(data.signals[signal][1]), missing.length ? ` (no ${missing.join(", ")})` : ""]), "."));
      }
      return out;
    }

    for (const header of headers) {
      const button = header.querySelector("button");
      button.disabled = false;
      button.addEventListener("click", () => {
        const key = Number(header.dataset.key);
        // Figures are first wanted from the top, names from A.
        state.down = state.key === key ? !state.down : ![ACCOUNT, VERDICT, CAMPAIGN, POOL].includes(key);
        state.key = key;
        for (const other of headers) other.removeAttribute("aria-sort");
        header.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        choose();
      });
    }
    query.disabled = false;
    query.addEventListener("input", choose);
    for (const box of boxes) { box.disabled = false; box.addEventListener("change", choose); }
    query.form.addEventListener("submit", (event) => event.preventDefault());
    const turn = (by) => { state.page += by; paint(); table.scrollIntoView({ block: "nearest" }); };
    previous.addEventListener("click", () => turn(-1));
    next.addEventListener("click", () => turn(1));
    choose();
    return (text) => {
      query.value = text;
      for (const box of boxes) box.checked = true;
      choose();
      query.focus({ preventScroll: true });
      document.getElementById("verdicts").scrollIntoView();
    };
  }

  function drawings(find) {
    const picked = document.getElementById("picked");
    for (const drawing of document.querySelectorAll(".drawing > svg")) {
      const nodes = [...drawing.querySelectorAll(".node")];
      const lines = [...drawing.querySelectorAll(".link")];
      const pick = (node) => {
        for (const other of document.querySelectorAll(".picked-node, .link.lit")) other.classList.remove("picked-node", "lit");
        for (const other of nodes) other.setAttribute("tabindex", other === node ? "0" : "-1");
        node.classList.add("picked-node");
        for (const l of lines) if (l.dataset.a === node.dataset.i || l.dataset.b === node.dataset.i) l.classList.add("lit");
        picked.textContent = node.getAttribute("aria-label");
      };
      const nearest = (from, key) => {
        const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
        let best = null, least = Infinity;
        for (const node of nodes) {
          const x = Number(node.dataset.x) - Number(from.dataset.x), y = Number(node.dataset.y) - Number(from.dataset.y);
          const along = x * dx + y * dy, aside = Math.abs(x * dy) + Math.abs(y * dx);
          if (node !== from && along > 0 && along + 2 * aside < least) { best = node; least = along + 2 * aside; }
        }
        return best;
      };
      for (const node of nodes) {
        node.addEventListener("focus", () => pick(node));
        node.addEventListener("click", () => node.focus());
        node.addEventListener("keydown", (event) => {
          if (event.key.startsWith("Arrow")) {
            event.preventDefault();
            nearest(node, event.key)?.focus();
          } else if (event.key === "Home" || event.key === "End") {
            event.preventDefault();
            nodes.at(event.key === "Home" ? 0 : -1).focus();
          } else if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            find(node.dataset.find);
          }
        });
      }
    }
  }
})();
