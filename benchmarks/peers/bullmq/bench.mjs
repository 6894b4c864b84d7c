// BullMQ on Redis: jobs without a journal; with an fsync for every command, and with one a second (which may lose a second of jobs).
import { Queue, Worker } from "bullmq";
import { alone, atOnce, figure, gate, quick, sustained, timed } from "../common/measure.mjs";
import { redis } from "../common/services.mjs";

const jobs = quick ? 60_000 : 300_000;
const chunk = 1000;
const opts = { removeOnComplete: true };

async function bench(appendfsync, prefix) {
  const { host, port, settings } = await redis(appendfsync);
  const connection = { host, port, maxRetriesPerRequest: null };
  const queue = new Queue("bench", { connection });
  const text = `one Node ${process.versions.node} process, worker concurrency ${atOnce}, removeOnComplete; ${settings}`;
  const workerOf = async (completed) => {
    const worker = new Worker("bench", async () => {}, { connection, concurrency: atOnce, autorun: false });
    worker.on("error", (error) => console.error(error));
    worker.on("completed", completed);
    await worker.waitUntilReady();
    return worker;
  };
  await queue.waitUntilReady();

  // One at a time first, on a server that has done nothing yet, as everybody else; the backlog last.
  const waiting = new Map();
  const calling = await workerOf((job) => {
    waiting.get(job.data.call)?.();
    waiting.delete(job.data.call);
  });
  calling.run();
  let next = 0;
  const addAndWait = async () => {
    const call = next++;
    const ended = new Promise((resolve) => waiting.set(call, resolve));
    await queue.add("noop", { call }, opts);
    await ended;
  };
  const { p50, p99 } = await alone(quick ? 200 : 1000, addAndWait);
  figure(`${prefix}one_job_p50_ms`, p50, "ms", `one job at a time, added to finished; new server; ${settings}`);
  figure(`${prefix}one_job_p99_ms`, p99, "ms", "the same jobs");
  const calls = await sustained(addAndWait);
  figure(`${prefix}calls_per_s`, calls.rate, "jobs/s", `${atOnce} callers, each adds one job and waits for its end; ${text}`);
  await calling.close();

  const adding = await timed(async () => {
    for (let i = 0; i < jobs; i += chunk) await queue.addBulk(Array.from({ length: chunk }, (_, k) => ({ name: "noop", data: { i: i + k }, opts })));
  });
  figure(`${prefix}enqueued_per_s`, jobs / adding, "jobs/s", `addBulk of ${chunk}, one producer; ${settings}`);
  const left = gate(jobs);
  const draining = await workerOf(() => left.hit());
  const working = await timed(() => (draining.run(), left.opened));
  figure(`${prefix}jobs_per_s`, jobs / working, "jobs/s", `a backlog of ${jobs} no-op jobs; ${text}`);
  await draining.close();
  await queue.close();
}

await bench("always", "bullmq.");
await bench("everysec", "bullmq.everysec_");
process.exit(0);
