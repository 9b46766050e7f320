// Bundles the scripts of src/ for the browser, and beside them the licences of all that went in.
import { build } from "esbuild";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const target = "../interpol_graph/static/vendor";
const { metafile } = await build({
  entryPoints: ["src/editor.js"],
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  metafile: true,
  logLevel: "warning",
});

const names = Object.keys(metafile.inputs).map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]);
const texts = [...new Set(names)].filter(Boolean).sort().map((name) => {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} ships no licence`);
  return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
});
writeFileSync(`${target}/LICENSES.txt`, texts.join(`\n${"-".repeat(80)}\n\n`));
