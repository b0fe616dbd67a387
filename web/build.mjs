// Bundles the page into one HTML file that reaches no network, and puts it where the wheel takes it from.
// What may run is said by hashes in the page's own policy, so nothing that an estate contains can.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const target = new URL("../src/shoreup/report/data/page.html", import.meta.url);
const here = (name) => new URL(name, import.meta.url).pathname;

async function bundled(entry, loader) {
  const result = await build({
    entryPoints: [here(entry)],
    bundle: true,
    minify: true,
    write: false,
    target: "es2022",
    legalComments: "inline",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader,
  });
  return result.outputFiles[0].text.trim();
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const script = (await bundled("src/main.tsx")).replaceAll("</script", "<\\/script");
const style = await bundled("src/style.css");
const policy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

// A test holds the page to its sources by this, without building it again.
const sources = createHash("sha256");
for (const name of (await readdir(here("src"))).sort()) sources.update(await readFile(here(`src/${name}`)));
sources.update(await readFile(here("package-lock.json")));

const template = await readFile(here("src/page.html"), "utf8");
const parts = { POLICY: policy, STYLE: style, SCRIPT: script, SOURCES: sources.digest("hex") };
const page = template.replaceAll(/@(POLICY|STYLE|SCRIPT|SOURCES)@/g, (_, name) => parts[name]);
await writeFile(target, page);
console.log(`${target.pathname}: ${page.length} characters`);
