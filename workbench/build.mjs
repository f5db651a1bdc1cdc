// Bundles the workbench into OUTPUT (first argument): files with hashed names, each gzipped, and manifest.json.
//
// Workers are files of their own, so that the page's Content-Security-Policy can allow scripts of this
// host only. The style sheet is bundled apart from the scripts: GraphiQL's holds the editor's too.

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const output = process.argv[2];
const here = import.meta.dirname;

const common = {
  absWorkingDir: here,
  assetNames: "[name]-[hash]",
  bundle: true,
  charset: "utf8",
  chunkNames: "[name]-[hash]",
  define: { "process.env.NODE_ENV": '"production"' },
  entryNames: "[name]-[hash]",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  minify: true,
  outdir: output,
  target: ["es2022"],
};

const WORKERS = {
  editor: "monaco-editor/esm/vs/editor/editor.worker.js",
  graphql: "monaco-graphql/esm/graphql.worker.js",
  json: "monaco-editor/esm/vs/language/json/json.worker.js",
};

/** Bundle one entry point; resolves to the name of the file that it became. */
async function bundleOne(name, entryPoint, options) {
  const { metafile } = await build({ ...common, entryPoints: { [name]: entryPoint }, ...options });
  // What is imported only when needed counts as an entry point too: names tell them apart.
  const [file] = Object.entries(metafile.outputs)
    .filter(([path, made]) => made.entryPoint && basename(path).startsWith(`${name}-`))
    .map(([path]) => basename(path));
  return file;
}

await rm(output, { force: true, recursive: true });
await mkdir(output, { recursive: true });

const workers = {};
for (const [name, path] of Object.entries(WORKERS)) {
  workers[name] = await bundleOne(`${name}-worker`, path, { format: "iife" });
}
const script = await bundleOne("workbench", "src/main.jsx", {
  define: { ...common.define, WORKERS: JSON.stringify(workers) },
  format: "esm",
  jsx: "automatic",
  loader: { ".css": "empty", ".ttf": "empty" },
  splitting: true,
});
const style = await bundleOne("workbench", "src/style.css", { loader: { ".ttf": "file" } });
const icon = await bundleOne("icon", "src/icon.svg", { loader: { ".svg": "copy" } });

const files = await readdir(output);
for (const file of files) {
  const content = await readFile(join(output, file));
  await writeFile(join(output, `${file}.gz`), gzipSync(content, { level: 9 }));
  await rm(join(output, file));
}
await writeFile(join(output, "manifest.json"), JSON.stringify({ script, style, icon, files }, null, 1));
