// ./bench peers [NAME...] [--json] [--quick]: what a user would pick instead, and Millrace itself, on this machine in this run.
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { machine } from "./common/machine.mjs";
import { atOnce } from "./common/measure.mjs";
import { ratios, table } from "./common/table.mjs";

const peers = ["restate", "dbos", "graphile-worker", "bullmq", "langgraph"];
const millrace = { engine: ["engine:steps", "engine:runs", "engine:latency", "engine:size"], postgres: ["postgres"] };

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const flags = process.argv.slice(2).filter((a) => a.startsWith("--"));
const names = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const everything = [...peers, ...Object.keys(millrace)];
const wrong = names.find((n) => !everything.includes(n)) ?? flags.find((f) => f !== "--json" && f !== "--quick");
if (wrong) stop(`There is no '${wrong}'. Usage: ./bench peers [NAME...] [--json] [--quick]\n  NAME: ${everything.join(", ")}`);
const json = flags.includes("--json");
const quick = flags.filter((f) => f === "--quick");
const wanted = names.length > 0 ? names : everything;
const figures = [];
const began = performance.now();

say(await machine());
const node = peers.some((p) => wanted.includes(p)) && install("common");
for (const peer of peers.filter((p) => wanted.includes(p))) {
  install(peer);
  say(`measuring ${peer}`);
  const { code, errors } = await lines(node, [join(here, peer, "bench.mjs"), ...quick], take);
  if (code !== 0) stop(`The bench of ${peer} failed:\n${errors}`);
}
for (const [shape, benches] of Object.entries(millrace).filter(([s]) => wanted.includes(s))) {
  for (const bench of benches) {
    say(`measuring millrace ${bench}`);
    const { code, errors } = await lines(join(root, "bench"), [bench, "--json", "--at-once", String(atOnce)], take);
    if (code !== 0 && errors.includes(`There is no bench '${shape}'`)) say(`Millrace on ${shape} is left out: there is no ./bench ${shape}.`);
    else if (code !== 0) stop(`./bench ${bench} failed:\n${errors}`);
  }
}
for (const ratio of ratios(figures)) take(JSON.stringify(ratio));
take(JSON.stringify({ metric: "peers.whole_s", value: Math.round((performance.now() - began) / 1000), unit: "s", settings: `this run of ${wanted.join(", ")}, with what it had to install and build` }));
if (!json) console.log(table(figures));

function take(line) {
  figures.push(JSON.parse(line));
  if (json) console.log(line);
}

// The packages of one folder, exactly as its lock file has them, installed again only when that changed. Returns the Node to run peers with.
function install(folder) {
  const path = join(here, folder);
  const [lock, stamp] = [join(path, "package-lock.json"), join(path, "node_modules/.millrace-lock")];
  if (!existsSync(stamp) || readFileSync(lock, "utf8") !== readFileSync(stamp, "utf8")) {
    say(`installing ${folder}`);
    const { status, stdout, stderr } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"], { cwd: path, encoding: "utf8" });
    if (status !== 0) stop(`The packages of benchmarks/peers/${folder} could not be installed (npm ci):\n${stdout}${stderr}`);
    copyFileSync(lock, stamp);
  }
  return join(path, `node_modules/node-linux-${process.arch}/bin/node`);
}

// Runs a program and hands over each figure it prints. It ends with us, and stops the servers it has started.
function lines(command, args, each) {
  return new Promise((resolve, reject) => {
    const child = spawn("setpriv", ["--pdeathsig", "TERM", command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let [rest, errors] = ["", ""];
    child.stderr.on("data", (data) => (errors += data));
    child.stdout.on("data", (data) => {
      const whole = (rest + data).split("\n");
      rest = whole.pop();
      whole.filter((l) => l.startsWith("{")).forEach(each);
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, errors }));
  });
}

function say(text) {
  if (!json) console.log(text);
}

function stop(text) {
  console.error(text);
  process.exit(2);
}
