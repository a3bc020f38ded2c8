// Opens a page in a real browser, narrow and wide, light and dark, and keeps a picture of each. Fails if anything of it lies
// beside the window, or if it asks for anything else than itself. The browser is fetched once, below target/.
//
//     node look.mjs PAGE FOLDER

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const PACKAGES = ["@sparticuz/chromium@153.0.0", "puppeteer-core@25.16.0"];
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const tools = join(root, "target/tools/look");

async function browser() {
  const installed = PACKAGES.every((one) => existsSync(join(tools, "node_modules", one.slice(0, one.lastIndexOf("@")))));
  if (!installed) {
    mkdirSync(tools, { recursive: true });
    execFileSync("npm", ["install", "--prefix", tools, "--no-save", "--no-audit", "--no-fund", "--silent", ...PACKAGES], { stdio: "inherit" });
  }
  const find = createRequire(join(tools, "look.js"));
  const load = async (name) => (await import(pathToFileURL(find.resolve(name)).href)).default;
  const [chromium, puppeteer] = [await load("@sparticuz/chromium"), await load("puppeteer-core")];
  return puppeteer.launch({ args: chromium.args, executablePath: await chromium.executablePath(), headless: "shell" });
}

// What lies beside the window, except in a part that scrolls by itself.
function beside() {
  const width = document.documentElement.clientWidth;
  const shown = (one) => `${one.tagName.toLowerCase()} ${one.textContent.trim().slice(0, 40)}`;
  const all = [...document.querySelectorAll("body *")].filter((one) => !one.closest(".scroll"));
  const outside = all.filter((one) => one.getBoundingClientRect().right > width + 1).map(shown);
  const scrolls = document.documentElement.scrollWidth > width ? ["the page itself scrolls sideways"] : [];
  return [...scrolls, ...outside.slice(0, 5)];
}

const [page, folder] = process.argv.slice(2).map((path) => resolve(path));
const address = pathToFileURL(page).href;
const faults = [];
const papers = new Set();
const opened = await browser();
try {
  for (const width of [400, 1200]) {
    for (const scheme of ["light", "dark"]) {
      const name = `${width}-${scheme}`;
      const tab = await opened.newPage();
      tab.on("request", (request) => {
        if (request.url() !== address) faults.push(`${name}: it asks for ${request.url()}`);
      });
      tab.on("console", (message) => faults.push(`${name}: the browser says ${message.text()}`));
      await tab.setViewport({ width, height: 900 });
      await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await tab.goto(address, { waitUntil: "networkidle0" });
      (await tab.evaluate(beside)).forEach((what) => faults.push(`${name}: beside the window: ${what}`));
      papers.add(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor));
      await tab.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
      await tab.close();
    }
  }
} finally {
  await opened.close();
}
if (papers.size !== 2) faults.push(`light and dark have the same paper: ${[...papers]}`);
faults.forEach((fault) => console.error(fault));
console.log(`${folder}: ${faults.length === 0 ? "nothing lies beside the window, nothing was asked for" : `${faults.length} faults`}`);
process.exit(faults.length === 0 ? 0 : 1);
