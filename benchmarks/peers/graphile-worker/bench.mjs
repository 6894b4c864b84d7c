// graphile-worker on PostgreSQL: jobs without a journal; one at a time with its defaults, callers that wait, and a backlog with its batching.
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import { alone, atOnce, figure, gate, quick, sustained, timed } from "../common/measure.mjs";
import { postgres } from "../common/services.mjs";

const database = await postgres();
const pgPool = new pg.Pool({ connectionString: database.url, max: 26 });
pgPool.on("error", () => {}); // connections end with the server at the end of the bench
pgPool.on("connect", (client) => client.on("error", () => {}));
const logger = new Logger(() => () => {});
const utils = await makeWorkerUtils({ pgPool, logger });
await utils.migrate();

const jobs = quick ? 120_000 : 600_000;
const chunk = 1000;
const batching = { concurrentJobs: atOnce, localQueue: { size: 5000 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
const settings = `one Node ${process.versions.node} process, pool of 26; ${database.settings}`;
const batched = `concurrentJobs ${batching.concurrentJobs}, localQueue ${batching.localQueue.size}, completeJobBatchDelay 0; ${settings}`;

let left;
const waiting = new Map();
const ended = new Set();
let calling = false;
const taskList = { noop: async () => void left.hit(), awaited: async () => {} };
async function worker(options) {
  const runner = await run({ preset: { worker: { pollInterval: 2000, ...options } }, pgPool, logger, noHandleSignals: true, taskList });
  runner.events.on("job:complete", ({ job }) => {
    if (waiting.has(job.id)) waiting.get(job.id)();
    else if (calling) ended.add(job.id);
    waiting.delete(job.id);
  });
  return runner;
}
async function addAndWait() {
  calling = true;
  const { id } = await utils.addJob("awaited", {});
  // The job may have ended before its number came back.
  if (!ended.delete(id)) await new Promise((resolve) => waiting.set(id, resolve));
}

// One at a time first, on a database that has done nothing yet, as everybody else; the backlog last, because it leaves the table large.
let runner = await worker({ concurrentJobs: 24 });
const { p50, p99 } = await alone(quick ? 200 : 1000, addAndWait);
figure("graphile_worker.one_job_p50_ms", p50, "ms", `one job at a time, added to finished; concurrentJobs 24, no batching; new database; ${settings}`);
figure("graphile_worker.one_job_p99_ms", p99, "ms", "the same jobs");
const plain = await sustained(addAndWait);
figure("graphile_worker.default_calls_per_s", plain.rate, "jobs/s", `${atOnce} callers, each adds one job and waits for its end; concurrentJobs 24, no batching; ${settings}`);
await runner.stop();
runner = await worker(batching);
const calls = await sustained(addAndWait);
figure("graphile_worker.calls_per_s", calls.rate, "jobs/s", `${atOnce} callers, each adds one job and waits for its end; ${batched}`);
await runner.stop();

const adding = await timed(async () => {
  for (let i = 0; i < jobs; i += chunk) await utils.addJobs(Array.from({ length: chunk }, (_, k) => ({ identifier: "noop", payload: { i: i + k } })));
});
figure("graphile_worker.enqueued_per_s", jobs / adding, "jobs/s", `addJobs of ${chunk}, one producer; ${settings}`);
left = gate(jobs);
const working = await timed(async () => {
  runner = await worker(batching);
  await left.opened;
});
figure("graphile_worker.jobs_per_s", jobs / working, "jobs/s", `a backlog of ${jobs} no-op jobs; ${batched}`);
await runner.stop();
process.exit(0);
