// Serves the files of the checks and of the built module to a page that may share memory with its workers.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const folders = ["/guest-tests/thread-checks/in-page/", "/target/threads/in-page/"];
const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** A server on a free port of this machine alone. Returns it when it listens. */
export function serve() {
  const server = createServer(async ({ url }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, "http://localhost").pathname));
    const type = folders.some((folder) => path.startsWith(folder)) && types[extname(path)];
    const bytes = type && (await readFile(join(repository, path)).catch(() => null));
    response.writeHead(bytes ? 200 : 404, {
      "content-type": type || "text/plain",
      "cache-control": "no-store",
      // Without these two a page has no shared memory.
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(bytes || "There is no such file.\n");
  });
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => done(server));
  });
}
