// The page: it has workers render the posts with both modules, and shows what each took.

import { ThreadedModule } from "./threads.js";

const posts = 2000;
const rounds = 5;
const element = (id) => document.getElementById(id);

/** The best time and the memory of each module in the last run, by the number of workers. */
const results = new Map();

/** Both modules, in the order of the table's columns, by the number of workers: each number has memories of its own. */
const loaded = new Map();

async function load(workers) {
  const modules = await Promise.all(["default", "freeing-bump"].map((folder) => ThreadedModule.load(folder, workers)));
  for (const { functions } of modules) functions.make_posts(posts);
  loaded.set(workers, modules);
  return modules;
}

/**
 * Runs both modules with so many workers, in turns: what else the machine does disturbs both alike then. Returns what
 * they have made, which must be the same.
 */
async function compare(workers) {
  const modules = loaded.get(workers) ?? (await load(workers));
  const best = modules.map(() => Infinity);
  let all;
  for (let round = 1; round <= rounds; round += 1) {
    const made = [];
    for (const [at, module] of modules.entries()) {
      say(`Round ${round} of ${rounds}`);
      best[at] = Math.min(best[at], await module.callInWorkers(workers, "render_posts"));
      made.push(module.functions.take_pages());
    }
    all ??= made[0];
    if (made.some((text) => text !== all)) throw new Error(`The results differ: ${made.join("; ")}`);
  }
  results.set(workers, modules.map(({ pages }, at) => ({ milliseconds: best[at], pages })));
  return all;
}

function show() {
  const most = Math.max(...[...results.values()].flat().map(({ milliseconds }) => milliseconds));
  const rows = [...results].sort(([one], [other]) => one - other).map(([workers, of]) => {
    const row = document.createElement("tr");
    const ratio = of[1].milliseconds / of[0].milliseconds;
    const figures = of.flatMap(({ milliseconds, pages }) => [milliseconds.toFixed(1), pages]);
    const cells = [workers, ...figures, `${ratio.toFixed(2)} ×`];
    row.append(...cells.map((text, at) => {
      const cell = document.createElement(at === 0 ? "th" : "td");
      cell.textContent = text;
      return cell;
    }));
    for (const [at, { milliseconds }] of of.entries()) {
      const bar = document.createElement("i");
      bar.style.width = `${(100 * milliseconds) / most}%`;
      row.children[1 + 2 * at].append(bar);
    }
    return row;
  });
  element("results").replaceChildren(...rows);
}

const say = (text) => (element("state").textContent = text);

element("workers").max = navigator.hardwareConcurrency;
element("workers").value = Math.min(2, navigator.hardwareConcurrency);
const showWorkers = () => (element("workers-now").textContent = `${element("workers").value} of ${element("workers").max}`);
element("workers").addEventListener("input", showWorkers);
showWorkers();

if (globalThis.crossOriginIsolated) {
  element("run").disabled = false;
} else {
  say("The server has not sent the headers that shared memory needs: see serve.mjs.");
}

element("controls").addEventListener("submit", async (event) => {
  event.preventDefault();
  element("run").disabled = true;
  say("");
  try {
    const made = await compare(Number(element("workers").value));
    show();
    say(`Both have made the same: ${made}.`);
    element("run").disabled = false;
  } catch (error) {
    // What a failed call leaves in the memory is unknown, so nothing more is run in it.
    say(error.message);
    throw error;
  }
});
