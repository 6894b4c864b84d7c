// The service that Restate calls: handlers of one and of ten no-op steps, over HTTP/2. Beside it, how many steps it has taken.
import { createServer } from "node:http";
import * as restate from "@restatedev/restate-sdk";

let steps = 0;
const chain = (length) => async (ctx) => {
  for (let i = 0; i < length; i++) await ctx.run(() => ++steps);
  return length;
};
const bench = restate.service({ name: "bench", handlers: { one: chain(1), ten: chain(10) } });
createServer((_, answer) => answer.end(String(steps))).listen(Number(process.env.COUNT_PORT), "127.0.0.1");
await restate.serve({ services: [bench], port: Number(process.env.SERVICE_PORT) });
