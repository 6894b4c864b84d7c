// DBOS Transact on PostgreSQL: workflows of ten and of one no-op step, started directly, and one at a time also through a queue.
import { DBOS } from "@dbos-inc/dbos-sdk";
import { alone, atOnce, figure, quick, sustained } from "../common/measure.mjs";
import { postgres } from "../common/services.mjs";

const database = await postgres();
const pool = 20;
const logger = { info() {}, debug() {}, warn() {}, error: console.error };
DBOS.setConfig({ name: "bench", systemDatabaseUrl: database.url, systemDatabasePoolSize: pool, logger, tracingEnabled: false });
let steps = 0;
let stepped = () => {};
const noop = async () => {
  stepped();
  return ++steps;
};
const chain = DBOS.registerWorkflow(
  async (length) => {
    for (let i = 0; i < length; i++) await DBOS.runStep(noop, { name: "noop" });
    return length;
  },
  { name: "chain" },
);
await DBOS.launch();
await DBOS.registerQueue("bench", { workerConcurrency: atOnce, onConflict: "always_update" });
const run = async (length) => (await DBOS.startWorkflow(chain)(length)).getResult();

const settings = `pool of ${pool} connections, one Node ${process.versions.node} process; ${database.settings}`;
// One at a time first, on a database that has done nothing yet, as everybody else.
const { p50, p99 } = await alone(quick ? 200 : 1000, () => run(1));
figure("dbos.one_step_p50_ms", p50, "ms", "one workflow of one no-op step at a time, started directly, start to result; new database");
figure("dbos.one_step_p99_ms", p99, "ms", "the same workflows");
const one = await sustained(() => run(1));
figure("dbos.workflows_per_s", one.rate, "runs/s", `workflows of one no-op step started directly, ${atOnce} at once, start to result; ${settings}`);
const before = database.bytes();
const ten = await sustained(() => run(10), () => steps);
figure("dbos.steps_per_s", ten.rate, "steps/s", `workflows of 10 no-op steps started directly, ${atOnce} at once; ${settings}`);
figure("dbos.bytes_per_run", (database.bytes() - before) / ten.total, "bytes", "those workflows of 10 steps: growth of the database");
database.checkpoint();
// Through a queue a caller polls for the result as well; what is measured is how long the step waits to be begun.
const enqueue = async () => {
  const begun = new Promise((resolve) => (stepped = resolve));
  await DBOS.startWorkflow(chain, { queueName: "bench" })(1);
  await begun;
};
const queued = await alone(quick ? 10 : 40, enqueue, 1);
figure("dbos.queued_start_p50_ms", queued.p50, "ms", "the same through a queue polled at its default interval, as another process takes it: start to the step's first line");
await DBOS.shutdown();
process.exit(0);
