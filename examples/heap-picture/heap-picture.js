// <heap-picture>: draws the heap of a WebAssembly module, address by address, while the module works.
//
//   <script type="module" src="heap-picture.js"></script>
//   <heap-picture per-second="10"></heap-picture>
//
//   picture.source = () => ({ memory: wasm.memory, frame: draw_heap() });
//
// The source is called for each frame. It returns the module's memory and the address of a frame there, whose format is in
// src/frame.rs. No dependencies: copy this file. Colours are CSS variables: --heap-live, --heap-free, --heap-largest,
// --heap-tail, --heap-own, --heap-others.

const COLUMNS = 128;
const HEAD = [
  "address", "bytesPerCell", "cells", "heapBytes", "liveBytes", "liveBlocks", "freeBytes", "tailBytes", "ownBytes",
  "foreignBytes", "largestFreeAddress", "largestFreeBytes",
];
// The kinds of bytes that a cell tells, in its order, then what is missing to 255.
const KINDS = ["live", "free", "tail", "own", "others"];

const style = `
  :host {
    --live: var(--heap-live, #2563c9); --free: var(--heap-free, #f5b941); --largest: var(--heap-largest, #e2571e);
    --tail: var(--heap-tail, #dde3ea); --own: var(--heap-own, #8a4fc4); --others: var(--heap-others, #14857a);
    display: block; font: inherit; font-variant-numeric: tabular-nums;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --live: var(--heap-live, #5b9bff); --free: var(--heap-free, #e0a526); --largest: var(--heap-largest, #ff6f3c);
      --tail: var(--heap-tail, #29313b); --own: var(--heap-own, #b98af0); --others: var(--heap-others, #3fb8a9);
    }
  }
  canvas {
    display: block; width: 100%; aspect-ratio: 2; image-rendering: pixelated; cursor: crosshair; border-radius: 4px;
    background: repeating-linear-gradient(135deg, transparent 0 5px, color-mix(in srgb, currentColor 9%, transparent) 5px 6px);
  }
  .line { min-height: 1.4em; margin: 0.35rem 0 0.75rem; font-size: 0.85rem; opacity: 0.8; }
  .figures { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; margin: 0 0 0.75rem; }
  .figures div { min-width: 7.5rem; }
  dt { font-size: 0.8rem; opacity: 0.75; }
  dd { margin: 0; font-size: 1.35rem; line-height: 1.3; }
  ul { display: flex; flex-wrap: wrap; gap: 0.3rem 1.25rem; margin: 0; padding: 0; list-style: none; font-size: 0.85rem; }
  li::before { content: ""; display: inline-block; width: 0.75em; height: 0.75em; margin-right: 0.4em; border-radius: 2px; background: var(--colour); }
  li output { opacity: 0.75; }
`;

const body = `
  <canvas width="${COLUMNS}" height="${COLUMNS / 2}" role="img"></canvas>
  <p class="line" id="line"></p>
  <dl class="figures">
    <div><dt>Heap</dt><dd id="heap"></dd></div>
    <div><dt>Live blocks</dt><dd id="blocks"></dd></div>
    <div><dt>Largest free block</dt><dd id="largest"></dd></div>
    <div><dt>Fragmentation</dt><dd id="fragmentation"></dd></div>
  </dl>
  <ul>
    <li style="--colour: var(--live)">live <output id="live"></output></li>
    <li style="--colour: var(--free)">free <output id="free"></output></li>
    <li style="--colour: var(--largest)">the largest free block</li>
    <li style="--colour: var(--tail)">tail, not in use yet or given back <output id="tail"></output></li>
    <li style="--colour: var(--own)">the heap's own <output id="own"></output></li>
    <li style="--colour: var(--others)">pages of others <output id="others"></output></li>
  </ul>
`;

/** A number of bytes in words. */
export function bytesInWords(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < 3) {
    bytes /= 1024;
    unit += 1;
  }
  return `${unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

/** The frame at this address: its head by name, and its cells, which are a view that the next frame changes. */
export function readFrame({ memory, frame }) {
  const words = new DataView(memory.buffer, frame, 4 * HEAD.length);
  const head = Object.fromEntries(HEAD.map((name, index) => [name, words.getUint32(4 * index, true)]));
  const shares = new Uint8Array(memory.buffer, frame + 4 * HEAD.length, 4 * head.cells);
  const free = head.freeBytes + head.tailBytes;
  return { ...head, shares, fragmentation: free === 0 ? 0 : 1 - head.largestFreeBytes / free };
}

class HeapPicture extends HTMLElement {
  #canvas;
  #context;
  #image;
  #colours;
  #request = 0;
  #drawnAt = 0;
  #hovered = null;
  #dark = matchMedia("(prefers-color-scheme: dark)");

  /** A function that returns the module's memory and the address of a new frame in it. */
  source = null;

  /** The frame that is shown, or null. */
  frame = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = `<style>${style}</style>${body}`;
    this.#canvas = root.querySelector("canvas");
    this.#context = this.#canvas.getContext("2d", { willReadFrequently: true });
    this.#image = this.#context.createImageData(this.#canvas.width, this.#canvas.height);
    this.#canvas.addEventListener("pointermove", (event) => {
      const { width, height } = this.#canvas.getBoundingClientRect();
      const column = Math.floor((event.offsetX / width) * this.#canvas.width);
      const row = Math.floor((event.offsetY / height) * this.#canvas.height);
      this.#hovered = row * COLUMNS + column;
      this.#describe();
    });
    this.#canvas.addEventListener("pointerleave", () => {
      this.#hovered = null;
      this.#describe();
    });
    this.#dark.addEventListener("change", () => (this.#colours = null));
  }

  connectedCallback() {
    this.#colours = null;
    const step = (now) => {
      this.#request = requestAnimationFrame(step);
      // A hidden page gets no animation frames, so it draws nothing.
      if (now - this.#drawnAt >= 1000 / (Number(this.getAttribute("per-second")) || 10)) {
        this.#drawnAt = now;
        this.draw();
      }
    };
    this.#request = requestAnimationFrame(step);
  }

  disconnectedCallback() {
    cancelAnimationFrame(this.#request);
  }

  /** Draws a frame now. */
  draw() {
    if (!this.source) return;
    this.frame = readFrame(this.source());
    this.#paint();
    this.#write();
    this.#describe();
  }

  #paint() {
    this.#colours ??= this.#readColours();
    const { shares, cells, address, bytesPerCell, largestFreeAddress, largestFreeBytes } = this.frame;
    const pixels = this.#image.data;
    pixels.fill(0);
    const firstLargest = Math.floor((largestFreeAddress - address) / bytesPerCell);
    const endLargest = Math.ceil((largestFreeAddress + largestFreeBytes - address) / bytesPerCell);
    const { largest } = this.#colours;
    const kinds = KINDS.map((kind) => this.#colours[kind]);
    for (let cell = 0; cell < cells; cell += 1) {
      const at = 4 * cell;
      const parts = [shares[at], shares[at + 1], shares[at + 2], shares[at + 3]];
      const known = parts[0] + parts[1] + parts[2] + parts[3];
      // Shares are rounded down: up to 4 of 255 are no pages of others.
      parts.push(known < 248 ? 255 - known : 0);
      const whole = known + parts[4];
      const isLargest = cell >= firstLargest && cell < endLargest;
      for (let channel = 0; channel < 3; channel += 1) {
        let sum = 0;
        for (let kind = 0; kind < 5; kind += 1) {
          const colour = isLargest && kind === 1 ? largest : kinds[kind];
          sum += parts[kind] * colour[channel];
        }
        pixels[at + channel] = sum / whole;
      }
      pixels[at + 3] = 255;
    }
    this.#context.putImageData(this.#image, 0, 0);
  }

  /** The colours of the kinds as numbers: a canvas turns any CSS colour into #rrggbb. */
  #readColours() {
    const computed = getComputedStyle(this);
    const brush = document.createElement("canvas").getContext("2d");
    const read = (name) => {
      brush.fillStyle = computed.getPropertyValue(`--${name}`).trim();
      return [1, 3, 5].map((at) => Number.parseInt(brush.fillStyle.slice(at, at + 2), 16));
    };
    return Object.fromEntries([...KINDS, "largest"].map((name) => [name, read(name)]));
  }

  #write() {
    const { frame } = this;
    const texts = {
      heap: bytesInWords(frame.heapBytes),
      blocks: frame.liveBlocks.toLocaleString("en"),
      largest: bytesInWords(frame.largestFreeBytes),
      fragmentation: `${(100 * frame.fragmentation).toFixed(0)} %`,
      live: bytesInWords(frame.liveBytes),
      free: bytesInWords(frame.freeBytes),
      tail: bytesInWords(frame.tailBytes),
      own: bytesInWords(frame.ownBytes),
      others: bytesInWords(frame.foreignBytes),
    };
    for (const [id, text] of Object.entries(texts)) {
      const element = this.shadowRoot.getElementById(id);
      if (element.textContent !== text) element.textContent = text;
    }
    this.#canvas.setAttribute(
      "aria-label",
      `The heap by address: ${texts.heap}, of which ${texts.live} are live and ${texts.free} are free`,
    );
  }

  /** Says under the picture what the cell below the pointer holds. */
  #describe() {
    if (!this.frame) return;
    const { address, bytesPerCell, cells, shares } = this.frame;
    const line = this.shadowRoot.getElementById("line");
    if (this.#hovered === null || this.#hovered >= cells) {
      line.textContent = `Each cell is ${bytesInWords(bytesPerCell)}, from left to right and from top to bottom. Where it is hatched there is no memory.`;
      return;
    }
    const from = address + this.#hovered * bytesPerCell;
    const parts = [0, 1, 2, 3].map((kind) => Math.round((100 * shares[4 * this.#hovered + kind]) / 255));
    parts.push(Math.max(0, 100 - parts.reduce((sum, part) => sum + part)));
    const words = KINDS.map((kind, index) => [parts[index], kind]).filter(([part]) => part > 1);
    const hex = `0x${from.toString(16).padStart(8, "0")}`;
    line.textContent = `${hex}: ${words.map(([part, kind]) => `${part} % ${kind}`).join(", ")}`;
  }
}

customElements.define("heap-picture", HeapPicture);
