// Draws the report that is embedded in this page: pictures that come with it, charts with Plotly, and tables that a click
// on a heading sorts.
"use strict";

const embedded = (id) => JSON.parse(document.getElementById(id).textContent);
const report = embedded("report");
const answers = embedded("answers");
const content = document.getElementById("content");
const { id: referenceId, name: reference } = report.allocators.find((allocator) => allocator.role === "reference");
const { terms } = report;
const families = Object.fromEntries(terms.families);
const charts = [];

const mebibytes = (pages) => pages / 16;
const measured = (figure) => figure?.measured;
const heapBytes = (memory) => memory.pages * 65536 - memory.heap_base;

// The kinds of table: what a cell shows, and the number that it is sorted by.
const measures = [
  { title: "Time in V8", ratio: (cell) => measured(cell.v8)?.ratio, figure: (cell) => cell.v8 },
  { title: "Executed instructions", ratio: (cell) => measured(cell.instructions)?.ratio, figure: (cell) => cell.instructions },
  { title: "Instructions beyond the program's own work", ratio: (cell) => measured(cell.allocation), figure: (cell) => cell.allocation },
  { title: "Linear memory in MiB", ratio: (cell) => measured(cell.memory) && mebibytes(measured(cell.memory).pages), figure: (cell) => cell.memory },
  { title: "Heap over the most live bytes asked for", ratio: (cell, row) => heapRatio(cell, row), figure: (cell) => cell.memory },
  { title: `Time in V8 after ${terms.earlier_rounds} rounds in one instance`, ratio: (cell) => measured(cell.v8_later)?.ratio, figure: (cell) => cell.v8_later, full: true, family: "programs" },
  { title: "Time in V8 with default tiering", ratio: (cell) => measured(cell.v8_tiered)?.ratio, figure: (cell) => cell.v8_tiered, full: true },
  { title: "Time in JavaScriptCore", ratio: (cell) => measured(cell.javascriptcore)?.ratio, figure: (cell) => cell.javascriptcore, full: true },
  { title: "Time in wasmtime", ratio: (cell) => measured(cell.wasmtime)?.ratio, figure: (cell) => cell.wasmtime, full: true },
].filter((measure) => report.full || !measure.full);

function heapRatio(cell, row) {
  const memory = measured(cell.memory);
  return memory && heapBytes(memory) / row.peak_live_bytes;
}

function geometricMean(numbers) {
  if (numbers.length === 0 || numbers.some((number) => number === undefined || number === null)) {
    return undefined;
  }
  return Math.exp(numbers.reduce((sum, number) => sum + Math.log(number), 0) / numbers.length);
}

function add(parent, tag, text, properties = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  Object.assign(element, properties);
  parent.append(element);
  return element;
}

// A section has an entry in the list of sections.
function section(title, explanation) {
  const element = add(content, "section", "");
  const id = title.toLowerCase().replaceAll(/[^a-z]+/g, "-");
  add(element, "h2", title, { id });
  link(title, id);
  if (explanation) {
    add(element, "p", explanation);
  }
  return element;
}

function link(title, id) {
  add(document.getElementById("sections"), "a", title, { href: `#${id}` });
}

// A picture comes in two sizes, of which the style shows the one that fits the screen.
function picture(parent, { wide, narrow }) {
  const figure = add(parent, "figure", "");
  for (const [name, drawing] of [["wide", wide], ["narrow", narrow]]) {
    add(figure, "div", "", { className: name }).innerHTML = drawing;
  }
  return figure;
}

// A chart is drawn again when the colour scheme changes.
function chart(parent, title, height, traces, layout) {
  add(parent, "h3", title);
  const element = add(parent, "div", "", { className: "chart" });
  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), automargin: true };
    const complete = {
      height,
      margin: { l: 50, r: 10, t: 10, b: 45 },
      paper_bgcolor: "transparent",
      plot_bgcolor: "transparent",
      font: { color: colour("--text") },
      legend: { orientation: "h", y: -0.2 },
      ...layout,
      xaxis: { ...axis, ...layout.xaxis },
      yaxis: { ...axis, ...layout.yaxis },
    };
    Plotly.react(element, traces, complete, { responsive: true, displaylogo: false });
  };
  charts.push(draw);
  draw();
}

const palette = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#8c8c8c", "#e07b39", "#44aa99", "#999933", "#cc6677", "#6f7fd6", "#b07aa1", "#59a14f", "#d37295", "#79706e", "#a5673f", "#5b8c85"];
const colourOf = (index) => palette[index % palette.length];
// Where every allocator at once would hide the picture, most peers wait in the legend for a click.
const shownAtFirst = (allocator) =>
  ["ours", "reference"].includes(allocator.role) || ["talc-extend", "rlsf", "wasmalloc"].includes(allocator.id) ? true : "legendonly";

// Bars start at the reference's time: a faster allocator's lead to the left.
function bars(parent, rows) {
  const traces = report.allocators.map((allocator, index) => {
    const ratios = rows.map((row) => measured(row.cells[allocator.id]?.v8)?.ratio ?? null);
    return {
      type: "bar",
      orientation: "h",
      name: allocator.name,
      visible: shownAtFirst(allocator),
      marker: { color: colourOf(index) },
      y: rows.map((row) => row.name),
      base: 1,
      x: ratios.map((ratio) => (ratio === null ? null : ratio - 1)),
      customdata: ratios,
      hovertemplate: `%{y} with ${allocator.name}: %{customdata:.2f}<extra></extra>`,
    };
  });
  const others = traces.filter((trace, index) => report.allocators[index].role !== "reference");
  const title = `Time in V8, ${reference} = 1: to the left is faster; a click in the legend shows and hides`;
  chart(parent, title, 160 + 75 * rows.length, others, {
    xaxis: { type: "log", side: "top" },
    yaxis: { autorange: "reversed" },
    margin: { l: 50, r: 10, t: 40, b: 20 },
    legend: { orientation: "h", y: -0.02, yanchor: "top" },
  });
}

function table(parent, title, headings, rows) {
  if (title) {
    add(parent, "h3", title);
  }
  const element = add(add(parent, "div", "", { className: "scroll" }), "table", "", { className: "sortable asc" });
  const head = add(add(element, "thead", ""), "tr", "");
  headings.forEach((heading) => add(head, "th", heading));
  const body = add(element, "tbody", "");
  for (const { name, mark, role, cells } of rows) {
    const line = add(body, "tr", "", { className: role });
    const first = add(line, "td", name);
    if (mark) {
      add(first, "small", mark);
    }
    for (const { text, number } of cells) {
      const cell = add(line, "td", text);
      // What has no figure sorts after everything that has one.
      cell.dataset.sort = number ?? 1e300;
      cell.classList.toggle("missing", number === undefined || number === null);
    }
  }
}

function cellOf(measure, cell, row) {
  if (!cell) {
    return { text: "not measured" };
  }
  const number = measure.ratio(cell, row);
  const figure = measure.figure(cell);
  if (number === undefined || number === null) {
    return { text: figure.missing ?? `no ratio: ${reference} did not run` };
  }
  const summary = figure.measured.milliseconds;
  if (!summary) {
    return { text: number.toFixed(2), number };
  }
  const spread = (summary.upper_quartile - summary.lower_quartile) / 2 / summary.median;
  return { text: `${spread > terms.wide_spread ? "~" : ""}${number.toFixed(2)} ±${(spread * 100).toFixed(0)} %`, number };
}

function workloadTable(parent, measure, rows) {
  const ratioOf = (row, id) => row.cells[id] && measure.ratio(row.cells[id], row);
  // As in the other tables, a workload that the reference has no figure for is in no mean.
  const averaged = rows.filter((row) => ![undefined, null].includes(ratioOf(row, referenceId)));
  const lines = report.allocators.map((allocator) => {
    const mean = geometricMean(averaged.map((row) => ratioOf(row, allocator.id)));
    const last = mean === undefined ? { text: "not all have one" } : { text: mean.toFixed(2), number: mean };
    return {
      name: allocator.name,
      role: allocator.role,
      cells: [...rows.map((row) => cellOf(measure, row.cells[allocator.id], row)), last],
    };
  });
  table(parent, measure.title, ["allocator", ...rows.map((row) => row.name), "geometric mean"], lines);
}

// The picture of time against memory, with the numbers beside it.
function drawAnswer(parent, answer, columns) {
  const element = add(parent, "div", "", { className: "answer" });
  const figure = picture(element, answer);
  const ratio = (number) => ({ text: number?.toFixed(2) ?? "none", number });
  const rows = answer.overview.lines.map((line) => {
    const bytes = { text: String(line.code_bytes ?? "none"), number: line.code_bytes };
    const cells = [ratio(line.time), ratio(line.memory), bytes].slice(0, columns.length);
    return { name: line.name, mark: line.mark, role: line.role, cells };
  });
  table(add(element, "div", ""), "", ["allocator", ...columns], rows);
  return { element, figure };
}

function notes(parent, sentences) {
  const list = add(parent, "ul", "", { className: "notes" });
  sentences.forEach((sentence) => add(list, "li", sentence));
}

function drawOverall() {
  const { story, overall, legend } = answers;
  const { element, figure } = drawAnswer(document.getElementById("answer"), overall, ["time", "memory", "code"]);
  add(figure, "figcaption", legend);
  add(element, "p", story.join(" "), { className: "story" });
  notes(element, [...overall.overview.meaning, ...overall.overview.remarks]);
}

// A table for each workload made after a report: these have no ratios in common that could be averaged.
function drawReported(rows) {
  const explanation =
    "Pages are of 64 KiB. Where the memory has a limit, a line has what was served before the first refusal and, after " +
    "some blocks were released, before the next. An allocator that serves more executes more.";
  const parent = section(families.reported, explanation);
  for (const row of rows) {
    const curves = report.allocators.map(({ id }) => measured(row.cells[id]?.curve) ?? []);
    const rounds = [...new Set(curves.flat().map(([cycle]) => cycle))].sort((one, other) => one - other);
    const columns = [
      ["pages", (cell) => measured(cell.memory)?.pages, 0],
      [`over ${reference}`, (cell) => measured(cell.memory) && measured(cell.memory).pages / measured(row.cells[referenceId]?.memory)?.pages, 2],
      ...rounds.map((cycle) => [`pages after ${cycle}`, (cell) => (measured(cell.curve) ?? []).find(([at]) => at === cycle)?.[1], 0]),
      ...(row.limit_pages === null ? [] : [
        ["kB served", (cell) => cell.served && cell.served.bytes_before_refusal / 1000, 1],
        ["blocks", (cell) => cell.served?.blocks_before_refusal, 0],
        ["then kB", (cell) => cell.served && cell.served.bytes_after_release / 1000, 1],
        ["blocks", (cell) => cell.served?.blocks_after_release, 0],
      ]),
      ["ms", (cell) => measured(cell.v8)?.milliseconds.median, 3],
      [`over ${reference}`, (cell) => measured(cell.v8)?.ratio, 2],
      ["instructions", (cell) => measured(cell.instructions)?.ratio, 2],
      ...(report.full ? [
        ["time in JavaScriptCore", (cell) => measured(cell.javascriptcore)?.ratio, 2],
        ["time in wasmtime", (cell) => measured(cell.wasmtime)?.ratio, 2],
      ] : []),
    ];
    const lines = report.allocators.map(({ id, name, role }) => ({
      name,
      role,
      cells: columns.map(([, figure, digits], index) => {
        const cell = row.cells[id];
        const number = cell && figure(cell);
        const why = cell ? (index === 0 && cell.memory.missing) || "-" : "not measured";
        return Number.isFinite(number) ? { text: number.toFixed(digits), number } : { text: why };
      }),
    }));
    table(parent, row.name, ["allocator", ...columns.map(([heading]) => heading)], lines);
    const about = add(parent, "p", `${row.about}. `);
    if (row.report) {
      add(about, "a", row.report, { href: row.report });
    }
  }
}

function drawFamily(family) {
  const rows = report.workloads.filter((row) => row.family === family);
  if (rows.length === 0) {
    return;
  }
  if (family === "reported") {
    drawReported(rows);
    return;
  }
  const parent = section(families[family]);
  const answer = new Map(answers.families).get(family);
  const { element } = drawAnswer(parent, answer, ["time", "memory"]);
  notes(element, answer.overview.remarks);
  const workloads = add(parent, "details", "");
  add(workloads, "summary", "What the workloads do");
  const list = add(workloads, "ul", "");
  rows.forEach((row) => add(list, "li", `${row.name}: ${row.about}`));
  bars(parent, rows);
  measures
    .filter((measure) => !measure.family || measure.family === family)
    .forEach((measure) => workloadTable(parent, measure, rows));
}

function drawLongLives() {
  if (report.long_lives.length === 0) {
    return;
  }
  const parent = section("Memory over time", "Programs that run on and on. A line that rises is memory that is lost.");
  for (const row of report.long_lives) {
    const traces = report.allocators.map((allocator, index) => {
      const curve = measured(row.cells[allocator.id]) ?? [];
      return {
        type: "scatter",
        mode: "lines+markers",
        name: allocator.name,
        visible: shownAtFirst(allocator),
        line: { color: colourOf(index), width: allocator.role === "ours" ? 3 : 1.5 },
        x: curve.map(([cycle]) => cycle),
        y: curve.map(([, pages]) => mebibytes(pages)),
      };
    });
    chart(parent, `${row.name}: ${row.about}`, 380, traces, {
      xaxis: { type: "log", title: { text: "cycles" } },
      yaxis: { type: "log", title: { text: "MiB" } },
    });
  }
  const after = (curve, cycles) => curve.find(([cycle]) => cycle === cycles)?.[1];
  const lines = report.allocators.map((allocator) => ({
    name: allocator.name,
    role: allocator.role,
    cells: report.long_lives.flatMap((row) => {
      const figure = row.cells[allocator.id];
      return terms.cycles.map((cycles) => {
        const pages = after(measured(figure) ?? [], cycles);
        return pages === undefined
          ? { text: figure?.missing ?? "not measured" }
          : { text: mebibytes(pages).toFixed(1), number: pages };
      });
    }),
  }));
  const [early, late] = terms.cycles;
  const headings = report.long_lives.flatMap((row) => [`${row.name}, cycle ${early}`, `cycle ${late}`]);
  table(parent, `MiB after cycle ${early} and after cycle ${late}`, ["allocator", ...headings], lines);
}

function drawProducts() {
  if (report.products.length === 0) {
    return;
  }
  const calls = terms.product_calls;
  const parent = section(
    "Products",
    "Programs that people ship, in thin wrappers: the first call in an instance and a later one, with the pages after " +
      "each, and the kB of the whole module.",
  );
  const headings = ["allocator", "first call, ms", "pages", `call ${calls}, ms`, "pages", "module, kB", "wasm-opt -Oz", "and gzip"];
  const figure = (figure, number, digits) => {
    const value = measured(figure);
    return value ? { text: number(value).toFixed(digits), number: number(value) } : { text: figure.missing };
  };
  const callCells = ({ time, memory }) => [
    figure(time, ({ milliseconds }) => milliseconds.median, 1),
    figure(memory, ({ pages }) => pages, 0),
  ];
  const sizeCells = (size) => [size.raw, size.optimized, size.gzipped].map((bytes) => ({ text: (bytes / 1000).toFixed(1), number: bytes }));
  for (const row of report.products) {
    const ran = report.allocators.filter(({ id }) => row.cells[id]);
    const lines = ran.map(({ id, name, role }) => {
      const { first, last, size } = row.cells[id];
      return { name, role, cells: [...callCells(first), ...callCells(last), ...sizeCells(size)] };
    });
    table(parent, `${row.name}: ${row.about}`, headings, lines);
  }
}

function drawSizes() {
  const parent = section("Code size", "Bytes over a module whose allocator always fails.");
  for (const [profile, level] of [["size", "opt-level z"], ["speed", "opt-level 3"]]) {
    const sizes = report.sizes.filter((size) => size.profile === profile);
    const named = sizes.map((size) => ({ ...report.allocators.find(({ id }) => id === size.allocator), ...size.over_floor }));
    named.sort((one, other) => one.optimized - other.optimized);
    const kinds = [["raw", "as compiled"], ["optimized", "wasm-opt -Oz"], ["gzipped", "wasm-opt -Oz, gzip"]];
    const traces = kinds.map(([key, name], index) => ({
      type: "bar",
      name,
      marker: { color: colourOf(index) },
      x: named.map((size) => size.name),
      y: named.map((size) => size[key]),
    }));
    chart(parent, level, 380, traces, { legend: { orientation: "h", y: 1.12 }, yaxis: { title: { text: "bytes" } } });
    const lines = named.map((size) => ({
      name: size.name,
      role: size.role,
      cells: kinds.map(([key]) => ({ text: String(size[key]), number: size[key] })),
    }));
    table(parent, `Bytes, ${level}`, ["allocator", ...kinds.map(([, name]) => name)], lines);
  }
}

// What workers do together, and the figures of each workload for several workers.
function drawThreads() {
  if (!report.threads) {
    return;
  }
  const threads = measured(report.threads);
  if (!threads) {
    section("Threads", report.threads.missing);
    return;
  }
  const parent = section(
    "Threads",
    `Several workers of one module, each a thread of its own. Measured on ${threads.date}: ${threads.rustc}, ${threads.engine}, ${threads.machine}.`,
  );
  const list = add(parent, "ul", "");
  for (const { name, description, unsupported } of threads.allocators) {
    add(list, "li", `${name}: ${description}${unsupported ? ` Not measured: ${unsupported}.` : ""}`);
  }
  const work = (figure) => measured(figure)?.operations_per_second.median;
  const nanoseconds = (figure) => {
    const operations = work(figure);
    return operations ? { text: (1e9 / operations).toFixed(1), number: 1e9 / operations } : { text: figure.missing };
  };
  const heap = (figure) => {
    const pace = measured(figure);
    const pages = pace && pace.pages.median - pace.heap_base / 65536;
    return pace ? { text: pages.toFixed(0), number: pages } : { text: figure.missing };
  };
  for (const row of threads.rows) {
    const columns = threads.allocators.filter(({ id }) => row.cells[id]);
    if (row.compares === "work") {
      const base = work(row.cells[threads.base]?.workers[1]);
      const traces = columns.map(({ id, name }, index) => ({
        type: "bar",
        name,
        marker: { color: colourOf(index) },
        x: row.workers.map((workers) => `${workers} at once`),
        y: row.workers.map((workers) => work(row.cells[id].workers[workers]) / base),
      }));
      chart(parent, `${row.name}: work of all workers, over one with the standard library's default`, 320, traces, {});
    }
    const times = row.compares === "memory" ? [] : row.workers;
    const withoutThreads = row.compares === "work";
    const headings = [
      "allocator",
      ...(withoutThreads ? ["without threads, ns"] : []),
      ...times.map((workers) => `${workers} at once, ns`),
      ...row.workers.map((workers) => `heap of ${workers}, pages`),
    ];
    const lines = columns.map(({ id, name, role }) => {
      const { one_thread, workers } = row.cells[id];
      const cells = [
        ...(withoutThreads ? [nanoseconds(one_thread)] : []),
        ...times.map((number) => nanoseconds(workers[number])),
        ...row.workers.map((number) => heap(workers[number])),
      ];
      return { name, role, cells };
    });
    table(parent, `${row.name}: ${row.about}`, headings, lines);
  }
}

function drawVersions() {
  link("Versions", "versions-of-everything");
  const { allocators, products, ...tools } = report.versions;
  const list = document.getElementById("versions");
  add(list, "li", `made on ${report.date} by ${report.command}`);
  for (const [name, version] of Object.entries(tools)) {
    if (version) {
      add(list, "li", `${name.replace("_", "-")}: ${version}`);
    }
  }
  for (const { id, name } of report.allocators) {
    add(list, "li", `${name}: ${allocators[id]}`);
  }
  for (const [name, version] of Object.entries(products)) {
    add(list, "li", `the product ${name}: ${version}`);
  }
}

function explain() {
  add(document.getElementById("reading"), "p",
    `Times and instructions are ratios to ${reference}: below 1 is faster. Times are medians of up to ${report.runs} ` +
    "interleaved runs with a fresh instance each, in V8 with --no-liftoff unless a table says otherwise. ± is half the " +
    `distance between the quartiles, and ~ marks more than ${terms.wide_spread * 100} %. A click on a heading sorts.`);
}

drawOverall();
explain();
Object.keys(families).forEach(drawFamily);
drawLongLives();
drawProducts();
drawSizes();
drawThreads();
const allocators = add(section("Allocators"), "ul", "");
report.allocators.forEach(({ name, description }) => add(allocators, "li", `${name}: ${description}`));
drawVersions();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((draw) => draw()));
