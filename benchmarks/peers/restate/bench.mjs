// Restate: its server on one node, a Node service with its SDK, and wrk calling the ingress and waiting for each result.
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import http from "node:http";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { alone, atOnce, figure, quick, seconds, warmSeconds, window } from "../common/measure.mjs";
import { dataFolder, freePort, start } from "../common/services.mjs";

const here = import.meta.dirname;
const packaged = createRequire(createRequire(import.meta.url).resolve("@restatedev/restate-server/package.json"));
const server = join(dirname(packaged.resolve(`@restatedev/restate-server-linux-${process.arch}/package.json`)), "bin/restate-server");
const ok = (url) => fetch(url).then((r) => r.ok, () => false);

const [service, counter] = [await freePort(), await freePort()];
await start("service", process.execPath, [join(here, "service.mjs")], {
  env: { SERVICE_PORT: String(service), COUNT_PORT: String(counter), NODE_ENV: "production" },
  ready: () => ok(`http://127.0.0.1:${counter}`),
});

// A new server on an empty folder, with the service registered. Returns the address of its ingress.
async function serve(partitions) {
  const [node, ingress, admin] = await Promise.all([1, 2, 3].map(freePort));
  const folder = dataFolder(`restate-${partitions}`);
  const places = { RESTATE_BIND_IP: "127.0.0.1", RESTATE_BIND_PORT: node, RESTATE_INGRESS__BIND_PORT: ingress, RESTATE_ADMIN__BIND_PORT: admin, RESTATE_BASE_DIR: folder };
  const quiet = { RESTATE_DISABLE_TELEMETRY: "true", DO_NOT_TRACK: "1", RESTATE_LOG_FILTER: "warn", RESTATE_LISTEN_MODE: "tcp" };
  const stop = await start(`restate-${partitions}`, server, [], {
    cwd: folder,
    env: { ...places, ...quiet, RESTATE_DEFAULT_NUM_PARTITIONS: partitions },
    ready: async () => (await ok(`http://127.0.0.1:${admin}/health`)) && (await ok(`http://127.0.0.1:${ingress}/restate/health`)),
  });
  const registered = await fetch(`http://127.0.0.1:${admin}/deployments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ uri: `http://127.0.0.1:${service}` }),
  });
  if (!registered.ok) throw new Error(`Restate refused the service: ${await registered.text()}`);
  return { stop, address: `http://127.0.0.1:${ingress}/bench` };
}

// Steps per second that the service took while wrk's connections each called and waited, again and again.
async function stepsPerSecond(url) {
  const arguments_ = ["-t1", `-c${atOnce}`, `-d${warmSeconds + seconds + 1}s`, "--timeout", "30s", "-s", join(here, "post.lua"), url];
  const calling = promisify(execFile)("wrk", arguments_);
  const rate = await window(() => fetch(`http://127.0.0.1:${counter}`).then((answer) => answer.json()));
  const { stdout } = await calling;
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(stdout);
  return rate;
}
const agent = new http.Agent({ keepAlive: true });
const call = (url) =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", agent }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`Restate answered ${answer.statusCode}.`));
      answer.resume().on("end", resolve);
    });
    request.on("error", reject).end();
  });

// Partitions are chosen when a cluster is made. One does most on a small machine; 24 is the default, made for clusters.
for (const [partitions, prefix] of [[24, "restate.default_"], [1, "restate."]]) {
  const { stop, address } = await serve(partitions);
  const settings = `one node, partitions ${partitions}, replicated log of one copy with fsync, Node ${process.versions.node} service over HTTP/2`;
  const { p50, p99 } = await alone(quick ? 400 : 1000, () => call(`${address}/one`)); // at first, so that every partition has a leader
  figure(`${prefix}one_step_p50_ms`, p50, "ms", `one invocation of one no-op step at a time, call to result; ${settings}`);
  figure(`${prefix}one_step_p99_ms`, p99, "ms", "the same invocations");
  figure(`${prefix}steps_per_s`, await stepsPerSecond(`${address}/ten`), "steps/s", `invocations of 10 no-op steps, ${atOnce} at once; ${settings}`);
  figure(`${prefix}workflows_per_s`, await stepsPerSecond(`${address}/one`), "runs/s", `invocations of one no-op step, ${atOnce} at once, call to result; ${settings}`);
  stop();
}
process.exit(0);
