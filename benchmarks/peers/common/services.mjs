// The servers that peers need: on free loopback ports, data in a temporary folder, stopped by their process id on every exit.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "millrace-peer-"));
chmodSync(folder, 0o755); // PostgreSQL runs under another account when we are root, and must reach its own folder
const running = [];
process.on("exit", stopAll);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

export const dataFolder = (name) => {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
};

export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

// Starts a server and waits until ready() holds; returns what stops it early. `account` is who runs it when we are root.
export async function start(name, command, args, { account, signal = "SIGTERM", ready, env = {}, cwd = folder }) {
  const log = join(folder, `${name}.log`);
  const out = openSync(log, "a");
  // setpriv makes the kernel stop the server even when this process is killed and cannot.
  const wrapped = ["--pdeathsig", signal.slice(3), ...asAccount(account), command, ...args];
  const child = spawn("setpriv", wrapped, { stdio: ["ignore", out, out], cwd, env: { ...process.env, ...env } });
  let failure;
  child.once("error", (error) => (failure = error.message));
  child.once("exit", (code, by) => (failure = `it ended with ${code ?? by}`));
  const server = { pid: child.pid, signal };
  running.push(server);
  child.unref();
  for (const until = Date.now() + 60_000; !(await ready()); await new Promise((r) => setTimeout(r, 50))) {
    if (!failure && Date.now() > until) failure = "it was not ready after 60 s";
    if (failure) throw new Error(`${name} did not start: ${failure}\n${readFileSync(log, "utf8").slice(-2000)}`);
  }
  return () => stop(server);
}

// Durable as it comes, and otherwise as ./bench postgres has it for Millrace.
const tuned = ["shared_buffers=256MB", "max_wal_size=4GB", "checkpoint_timeout=15min"];

// PostgreSQL with its own durable defaults: fsync, synchronous_commit and full_page_writes on.
export async function postgres() {
  const bin = postgresFolder();
  const data = dataFolder("postgres");
  const account = process.getuid() === 0 ? "postgres" : undefined;
  if (account) chownSync(data, ...ids(account));
  execFileSync("setpriv", [...asAccount(account), join(bin, "initdb"), "-D", data, "-U", "bench", "--auth=trust", "-E", "UTF8", "--locale=C"], { stdio: ["ignore", "ignore", "inherit"], cwd: data });
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", `port=${port}`, "unix_socket_directories=", "max_connections=300", ...tuned].flatMap((s) => ["-c", s]);
  await start("postgres", join(bin, "postgres"), ["-D", data, ...settings], { account, signal: "SIGINT", ready: () => accepts(port), cwd: data });
  const at = ["-h", "127.0.0.1", "-p", String(port), "-U", "bench"];
  const sql = (text, database = "bench") => execFileSync(join(bin, "psql"), [...at, "-d", database, "-Atqc", text], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  for (;;) {
    try {
      sql("create database bench", "postgres");
      break;
    } catch (error) {
      if (!/starting up/.test(error.message)) throw error;
    }
  }
  const shown = ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size", "checkpoint_timeout"].map((s) => `${s}=${sql(`show ${s}`)}`).join(" ");
  return {
    url: `postgresql://bench@127.0.0.1:${port}/bench`,
    settings: `PostgreSQL ${sql("show server_version").split(" ")[0]} ${shown}`,
    bytes: () => Number(sql("checkpoint; select pg_database_size('bench')")),
    checkpoint: () => sql("checkpoint"),
  };
}

// Redis with an append-only file; appendfsync is "always" (a command is answered after its fsync) or "everysec" (its default).
export async function redis(appendfsync) {
  const port = await freePort();
  const name = `redis-${appendfsync}`;
  const set = ["--port", port, "--bind", "127.0.0.1", "--dir", dataFolder(name), "--save", "", "--appendonly", "yes", "--appendfsync", appendfsync, "--maxmemory-policy", "noeviction"];
  await start(name, "redis-server", set.map(String), { ready: () => accepts(port) });
  const version = execFileSync("redis-server", ["--version"], { encoding: "utf8" }).match(/v=([\d.]+)/)[1];
  return { host: "127.0.0.1", port, settings: `Redis ${version} appendonly=yes appendfsync=${appendfsync}` };
}

const accepts = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });

function postgresFolder() {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).filter((v) => existsSync(join(root, v, "bin/postgres"))) : [];
  if (versions.length === 0) throw new Error(`No PostgreSQL server in ${root}.`);
  return join(root, versions.sort((a, b) => b - a)[0], "bin");
}

const ids = (account) => ["-u", "-g"].map((what) => Number(execFileSync("id", [what, account], { encoding: "utf8" })));

const asAccount = (account) => (account ? ["--reuid", account, "--regid", account, "--clear-groups"] : []);

function stopAll() {
  running.reverse().forEach(stop);
  rmSync(folder, { recursive: true, force: true });
}

function stop({ pid, signal }) {
  if (pid === undefined || ended(pid)) return;
  process.kill(pid, signal);
  for (const until = Date.now() + 10_000; !ended(pid); pause(20)) {
    if (Date.now() < until) continue;
    process.kill(pid, "SIGKILL");
    return;
  }
}

// During "exit" nobody collects a child that has ended: it stays a zombie, which is as good as gone.
function ended(pid) {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true;
  }
}

const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
