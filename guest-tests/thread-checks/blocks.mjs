// Random requests against an oracle in JavaScript: which blocks are live, and what is in them.

/** Numbers from 0 on that follow from a seed. */
export function randomOf(seed) {
  let state = seed >>> 0;
  // One in `count`. The constants are those of mulberry32.
  return (count) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  };
}

/** Live blocks are at most this many. */
const MOST = 200;

export class Blocks {
  #host;
  #random;
  #live = [];
  #made = 0;

  constructor(host, seed) {
    this.#host = host;
    this.#random = randomOf(seed);
  }

  /** Makes `count` random requests, each by one of `threads`. Whoever has made a block, any of them may resize or release it. */
  play(threads, count) {
    for (let step = 0; step < count; step++) {
      const thread = threads[this.#random(threads.length)];
      const what = this.#live.length === 0 ? 0 : this.#live.length === MOST ? 9 : this.#random(10);
      if (what < 5) this.#allocate(thread, what === 0);
      else if (what < 7) this.#resize(thread);
      else this.#release(thread, this.#random(this.#live.length));
    }
  }

  /** Releases all blocks, each by one of `threads`. */
  releaseAll(threads) {
    while (this.#live.length > 0) this.#release(threads[this.#random(threads.length)], this.#live.length - 1);
  }

  #allocate(thread, zeroed) {
    const size = this.#size();
    const align = this.#random(20) === 0 ? 16 << this.#random(9) : 8;
    const address = thread.call(zeroed ? "heap_alloc_zeroed" : "heap_alloc", size, align);
    const block = { address, size, align };
    if (zeroed) this.#expect(block, 0, size, "zeroed");
    this.#own(block);
    this.#live.push(block);
  }

  #resize(thread) {
    const block = this.#live[this.#random(this.#live.length)];
    const size = this.#size();
    this.#expect(block, block.byte, block.size, "about to be resized");
    const before = { ...block };
    block.address = thread.call("heap_realloc", before.address, before.size, before.align, size);
    block.size = size;
    this.#expect(block, before.byte, Math.min(before.size, size), "resized");
    this.#own(block);
  }

  #release(thread, index) {
    const block = this.#live[index];
    this.#expect(block, block.byte, block.size, "about to be released");
    this.#live[index] = this.#live.at(-1);
    this.#live.pop();
    thread.call("heap_dealloc", block.address, block.size, block.align);
  }

  /** Checks where a new block lies, and writes a byte of its own to all of it. */
  #own(block) {
    const { address, size, align } = block;
    if (address === 0) throw new Error(`${size} bytes at ${align} were refused`);
    if (address % align !== 0) throw new Error(`${name(block)} is not aligned to ${align}`);
    const overlapped = this.#live.find((it) => it !== block && it.address < address + size && address < it.address + it.size);
    if (overlapped) throw new Error(`${name(block)} overlaps ${name(overlapped)}`);
    block.byte = (this.#made++ % 255) + 1;
    this.#host.bytes(address, size).fill(block.byte);
  }

  #expect(block, byte, length, state) {
    const bytes = this.#host.bytes(block.address, length);
    // Faster than a look at each.
    if (Buffer.alloc(length, byte).equals(bytes)) return;
    const wrong = bytes.findIndex((it) => it !== byte);
    throw new Error(`${name(block)}, ${state}, has ${bytes[wrong]} at byte ${wrong}, and must have ${byte}`);
  }

  #size() {
    const most = [256, 256, 256, 10_000, 10_000, 200_000][this.#random(6)];
    return 1 + this.#random(most);
  }
}

const name = ({ address, size }) => `the block of ${size} bytes at 0x${address.toString(16)}`;
