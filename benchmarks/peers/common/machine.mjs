// What machine this is, and how fast its disk makes a small write durable: ratios travel, absolute numbers do not.
import { execFileSync } from "node:child_process";
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";

export async function machine() {
  const folder = process.env.BENCH_DIR ?? tmpdir();
  const cpu = readFileSync("/proc/cpuinfo", "utf8").match(/^model name\s*:\s*(.+)$/m)?.[1] ?? process.arch;
  const disk = execFileSync("df", ["--output=fstype", folder], { encoding: "utf8" }).trim().split("\n").at(-1);
  const sync = medianSync(join(folder, `millrace-sync-${process.pid}`)).toFixed(2);
  const before = busySeconds();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const busy = (busySeconds() - before).toFixed(1);
  const warning = disk === "tmpfs" ? " This is memory, where fsync costs nothing: set BENCH_DIR to a folder on a disk." : "";
  return `${availableParallelism()} processors (${cpu}), ${Math.round(totalmem() / 2 ** 30)} GB; data in ${folder} (${disk}), a 4 KiB append and fdatasync takes ${sync} ms; other programs use ${busy} processors.${warning}`;
}

function medianSync(path) {
  const file = openSync(path, "w");
  const times = [];
  for (let i = 0; i < 200; i++) {
    writeSync(file, Buffer.alloc(4096, 1));
    const began = performance.now();
    fdatasyncSync(file);
    times.push(performance.now() - began);
  }
  closeSync(file);
  rmSync(path);
  return times.sort((a, b) => a - b)[100];
}

// Processor seconds that this machine has spent on anything, in user programs and in the kernel.
function busySeconds() {
  const [user, nice, system] = readFileSync("/proc/stat", "utf8").split(/\s+/).slice(1).map(Number);
  return (user + nice + system) / 100;
}
