// Builds dist/plugins.js from src and the packages of package-lock.json, and collects
// the notices that their licences ask for. `make plugins` runs it after `npm ci`.
//
// What it makes runs under a Content-Security-Policy without 'unsafe-eval'. The package
// crypto-pro does not: it writes each of its functions twice, for browsers with and
// without promises, by compiling a text at run time. The text is always the same, so the
// same substitution is made here, once. Only the modules that sign are taken from it,
// and among those that are left is the loader of CryptoPro's extension (cadesplugin_api.js,
// of unclear licence, that goes by the name of the browser and knows no extension of
// today): src/cades.mjs stands in for it.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const at = (path) => new URL(path, import.meta.url);

// taken are the modules of crypto-pro that are built in.
const taken = [
  "./api/createSignature.ts",
  "./constants/cades-constants.ts",
  "./helpers/_afterPluginsLoaded.ts",
  "./helpers/_extractMeaningfulErrorMessage.ts",
  "./helpers/_getCadesCert.ts",
  "./helpers/_getDateObj.ts",
];

// replaceAll replaces every match and insists on their number: another version of the
// package must be looked at by a person.
function replaceAll(text, pattern, replacement, count) {
  const found = text.match(pattern)?.length ?? 0;
  assert.equal(found, count, `crypto-pro has changed: ${found} matches of ${pattern}, ${count} expected`);
  return text.replace(pattern, replacement);
}

// signing returns the signing half of crypto-pro as a CommonJS module.
function signing(text) {
  const modules = new Map();
  const starts = [...text.matchAll(/^\/\*\*\*\/ "([^"]+)":$/gm)];
  starts.forEach((start, i) => {
    const end = i + 1 < starts.length ? starts[i + 1].index : text.indexOf("\n/******/ });", start.index);
    modules.set(start[1], text.slice(start.index, end).replace(/^\/\*\*\*\/ /, "").replace(/,\s*$/, ""));
  });
  let out = taken.map((name) => {
    assert.ok(modules.has(name), `crypto-pro has changed: no ${name}`);
    return modules.get(name);
  }).join(",\n");
  out = replaceAll(out, /eval\(_generateCadesFn_1\._generateCadesFn\(function (\w+)/g, "cadesplugin.async_spawn((function* $1", 2);
  out = replaceAll(out, /_generateCadesFn_1\.__cadesAsyncToken__\s*\+\s*/g, "yield ", 19);
  out = replaceAll(out, /_generateCadesFn_1\.__createCadesPluginObject__\(/g, "cadesplugin.CreateObjectAsync(", 4);
  out = replaceAll(out, /^const _generateCadesFn_1 = .*$/gm, "", 2);
  out = replaceAll(out, /".\/constants\/index\.ts"/g, '"./constants/cades-constants.ts"', 1);
  out = replaceAll(out, /__webpack_require__\(\/\*! cadesplugin_api\.js \*\/ "[^"]+"\);/g, "", 1);
  return `const modules = {${out}};
const loaded = {};
function load(name) {
  if (!loaded[name]) {
    const module = (loaded[name] = { exports: {} });
    modules[name].call(module.exports, module, module.exports, load);
  }
  return loaded[name].exports;
}
module.exports = load("./api/createSignature.ts");
`;
}

const cryptoPro = {
  name: "crypto-pro",
  setup(b) {
    b.onLoad({ filter: /[\\/]crypto-pro[\\/]lib[\\/]crypto-pro\.js$/ }, async ({ path }) => ({
      contents: signing(await readFile(path, "utf8")),
      loader: "js",
    }));
  },
};

const { outputFiles: [script], metafile } = await build({
  entryPoints: [at("src/main.mjs").pathname],
  bundle: true,
  format: "iife",
  target: ["es2019"],
  platform: "browser",
  charset: "utf8",
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  banner: { js: "// Propusk: vendors' browser plug-ins. Notices of third parties: /static/plugins/licences.txt" },
  plugins: [cryptoPro],
  metafile: true,
  write: false,
});
for (const forbidden of [/\beval\s*\(/, /new Function\b/]) {
  assert.doesNotMatch(script.text, forbidden, "the script needs 'unsafe-eval'");
}

// notices returns the licence of every package that something was taken from.
async function notices() {
  const packages = new Set(Object.keys(metafile.inputs)
    .map((path) => /node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path)?.[1].replace("\\", "/"))
    .filter(Boolean));
  const free = new Set(["MIT", "BSD-2-Clause"]);
  const parts = [];
  for (const name of [...packages].sort()) {
    const { version, license } = JSON.parse(await readFile(at(`node_modules/${name}/package.json`), "utf8"));
    assert.ok(free.has(license), `${name} is under ${license}: may it be passed on?`);
    const text = await readFile(at(`node_modules/${name}/LICENSE`), "utf8");
    parts.push(`${name} ${version} (${license}), https://www.npmjs.com/package/${name}\n\n${text.trim()}\n`);
  }
  assert.ok(parts.length > 0, "no package was built in");
  return `plugins.js is of Propusk (Apache-2.0) and of these packages.\n` +
    `Some of crypto-pro was changed: build.mjs says what.\n\n${parts.join("\n" + "-".repeat(72) + "\n\n")}`;
}

await writeFile(at("dist/licences.txt"), await notices());
await writeFile(at("dist/plugins.js"), script.contents);
