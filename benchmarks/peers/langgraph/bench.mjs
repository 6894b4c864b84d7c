// LangGraph with its Postgres checkpointer: a chain of ten no-op nodes, one thread a run.
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import pg from "pg";
import { alone, atOnce, figure, quick, sustained } from "../common/measure.mjs";
import { postgres } from "../common/services.mjs";

const database = await postgres();
const pool = 20;
const checkpointer = new PostgresSaver(new pg.Pool({ connectionString: database.url, max: pool }));
await checkpointer.setup();

let steps = 0;
function chain(nodes) {
  const state = Annotation.Root({ count: Annotation({ reducer: (_, b) => b, default: () => 0 }) });
  const graph = new StateGraph(state);
  for (let i = 0; i < nodes; i++) graph.addNode(`n${i}`, async (s) => (steps++, { count: s.count + 1 }));
  graph.addEdge(START, "n0");
  for (let i = 1; i < nodes; i++) graph.addEdge(`n${i - 1}`, `n${i}`);
  return graph.addEdge(`n${nodes - 1}`, END).compile({ checkpointer });
}
const [one, ten] = [chain(1), chain(10)];
let thread = 0;
async function run(graph, nodes, durability) {
  const out = await graph.invoke({ count: 0 }, { configurable: { thread_id: String(thread++) }, durability, recursionLimit: 100 });
  if (out.count !== nodes) throw new Error(`A run of ${nodes} nodes counted ${out.count}.`);
}

const settings = `pool of ${pool} connections, one Node ${process.versions.node} process; ${database.settings}`;
const sync = "durability sync: a node's checkpoint is stored before the next node starts";
// One at a time first, on a database that has done nothing yet, as everybody else.
const { p50, p99 } = await alone(quick ? 200 : 1000, () => run(one, 1, "sync"));
figure("langgraph.one_step_p50_ms", p50, "ms", `one graph of one no-op node at a time, call to result; new database; ${sync}`);
figure("langgraph.one_step_p99_ms", p99, "ms", "the same graphs");
const short = await sustained(() => run(one, 1, "sync"));
figure("langgraph.runs_per_s", short.rate, "runs/s", `graphs of one no-op node, ${atOnce} at once, call to result; ${sync}; ${settings}`);
const before = database.bytes();
const durable = await sustained(() => run(ten, 10, "sync"), () => steps);
figure("langgraph.steps_per_s", durable.rate, "steps/s", `graphs of 10 no-op nodes, ${atOnce} at once; ${sync}; ${settings}`);
figure("langgraph.bytes_per_run", (database.bytes() - before) / durable.total, "bytes", "those graphs of 10 nodes: growth of the database");
const lazy = await sustained(() => run(ten, 10, "async"), () => steps);
figure("langgraph.async_steps_per_s", lazy.rate, "steps/s", `the same, durability async (its default): a checkpoint is stored while the next node runs; ${settings}`);
process.exit(0);
