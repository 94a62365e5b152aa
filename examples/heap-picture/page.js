// The page around the picture: it lets the store work, and passes on what the reader asks for.

import "./heap-picture.js";
import init, * as store from "./pkg/heap_picture.js";

const element = (id) => document.getElementById(id);
const picture = document.querySelector("heap-picture");

const { memory } = await init();
picture.source = () => ({ memory, frame: store.draw_heap() });

let paused = false;
let before = performance.now();
let due = 0;

/**
 * Adds the documents that are due since the last frame: of at most a fifth of a second, so that a slow machine keeps up. The
 * time of the first frame can be earlier than that of its request.
 */
function work(now) {
  requestAnimationFrame(work);
  const seconds = Math.min(Math.max(now - before, 0), 200) / 1000;
  before = now;
  if (paused) return;
  due += Number(element("rate").value) * seconds;
  store.add_documents(Math.floor(due));
  due %= 1;
  show();
}

function show() {
  element("documents").textContent = store.document_count().toLocaleString("en");
  element("matches").textContent = `in ${store.count_matches(element("word").value.trim()).toLocaleString("en")}`;
}

function showControls() {
  element("rate-now").textContent = Number(element("rate").value).toLocaleString("en");
  element("keep-now").textContent = Number(element("keep").value).toLocaleString("en");
}

element("controls").addEventListener("submit", (event) => event.preventDefault());
element("controls").addEventListener("input", () => {
  store.keep_documents(Number(element("keep").value));
  showControls();
  show();
});
element("pause").addEventListener("click", ({ currentTarget }) => {
  paused = !paused;
  currentTarget.setAttribute("aria-pressed", paused);
});
element("drop").addEventListener("click", () => {
  store.drop_documents();
  store.keep_documents(Number(element("keep").value));
  show();
});

store.keep_documents(Number(element("keep").value));
showControls();
requestAnimationFrame(work);
