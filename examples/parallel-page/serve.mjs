// Serves this folder with the two headers without which a browser gives a page no shared memory.
//
// usage: node serve.mjs [PORT]
//     8080 without one.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const types = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".wasm": "application/wasm" };

/** What makes a page "cross-origin isolated". The workers' scripts need the second one too. */
const isolated = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/**
 * A server of this folder on a port of this machine alone; 0 for any that is free. Returns it when it listens. The
 * headers are those of an isolated page, unless others are given.
 */
export function serve(port, headers = isolated) {
  const server = createServer(async ({ url }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, "http://localhost").pathname));
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    const type = types[extname(file)];
    const bytes = type && (await readFile(file).catch(() => null));
    response.writeHead(bytes ? 200 : 404, { ...headers, "content-type": type ?? "text/plain", "cache-control": "no-store" });
    response.end(bytes ?? "There is no such file.\n");
  });
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(port, "127.0.0.1", () => done(server));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = Number(process.argv[2] ?? 8080);
  await serve(port);
  console.log(`http://localhost:${port}/`);
}
