// The table of one run, from its figures alone: a row a product, and how Millrace compares with each.
const products = [
  ["engine", "Millrace, SQLite in process", "engine."],
  ["postgres", "Millrace, PostgreSQL", "postgres."],
  ["restate", "Restate", "peers.restate."],
  ["restate_default", "Restate, its default partitions", "peers.restate.default_"],
  ["dbos", "DBOS", "peers.dbos."],
  ["langgraph", "LangGraph, Postgres checkpointer", "peers.langgraph."],
  ["langgraph_async", "LangGraph, checkpoints behind (async)", "peers.langgraph.async_"],
  ["graphile_worker", "graphile-worker (jobs, no journal)", "peers.graphile_worker."],
  ["bullmq", "BullMQ (jobs, no journal)", "peers.bullmq."],
];
// What a product calls the same thing: runs, workflows or jobs.
const columns = {
  "steps/s": ["steps_per_s"],
  "runs/s": ["runs_per_s", "workflows_per_s", "jobs_per_s"],
  "p50 ms": ["one_step_p50_ms", "one_job_p50_ms"],
  "p99 ms": ["one_step_p99_ms", "one_job_p99_ms"],
  "bytes/run": ["bytes_per_run"],
};

const find = (figures, prefix, column) => columns[column].map((name) => figures.find((f) => f.metric === prefix + name)).find(Boolean);

// Millrace's figure over the peer's, for what both measured; for latencies below one is faster.
export function ratios(figures) {
  const found = [];
  for (const [mine, , ours] of products.slice(0, 2))
    for (const [theirs, , prefix] of products.slice(2))
      for (const column of Object.keys(columns)) {
        const [a, b] = [find(figures, ours, column), find(figures, prefix, column)];
        if (!a || !b) continue;
        found.push(ratio(`${mine}.${theirs}.${columns[column][0]}`, a, b));
      }
  // A queue's jobs/s drains a backlog; what Millrace's runs/s is, callers that wait, is its calls/s.
  for (const [mine, , ours] of products.slice(0, 2))
    for (const [theirs, , prefix] of products.slice(2)) {
      const [a, b] = [find(figures, ours, "runs/s"), figures.find((f) => f.metric === `${prefix}calls_per_s`)];
      if (a && b) found.push(ratio(`${mine}.${theirs}.calls_per_s`, a, b));
    }
  return found;
}

const ratio = (name, a, b) => ({ metric: `peers.ratio.${name}`, value: Number((a.value / b.value).toPrecision(3)), unit: "ratio", settings: `${a.metric} : ${b.metric}` });

export function table(figures) {
  const shown = products.filter(([, , prefix]) => figures.some((f) => f.metric.startsWith(prefix)));
  const rows = shown.map(([, title, prefix]) => [title, ...Object.keys(columns).map((c) => number(find(figures, prefix, c)?.value))]);
  const compared = figures.filter((f) => f.metric.startsWith("peers.ratio.")).map((f) => [f.settings, number(f.value)]);
  const settings = figures.filter((f) => !f.metric.startsWith("peers.ratio.")).map((f) => [f.metric, number(f.value), f.unit, f.settings]);
  return [
    markdown(["product", ...Object.keys(columns)], rows),
    markdown(["Millrace : peer", "ratio"], compared),
    markdown(["figure", "value", "unit", "settings"], settings),
  ]
    .filter(Boolean)
    .join("\n\n");
}

const number = (value) => (value === undefined ? "" : value >= 100 ? Math.round(value).toLocaleString("en-US") : String(value));

function markdown(head, rows) {
  if (rows.length === 0) return "";
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
