// How every peer is measured: the same number of callers, the same windows, and one JSON object a line.
export const quick = process.argv.includes("--quick");
export const atOnce = 256; // callers, each with one unit of work in flight
export const warmSeconds = quick ? 2 : 3;
export const seconds = quick ? 4 : 10;

const settle = (value) => Number(value.toPrecision(4));

export function figure(metric, value, unit, settings) {
  console.log(JSON.stringify({ metric: `peers.${metric}`, value: settle(value), unit, settings }));
}

// Units per second while `atOnce` callers each repeat one(). A unit is what counted() counts: steps, so that runs begun in the
// window count for what they did in it; without it, calls that have ended. `total` is every call made.
export async function sustained(one, counted) {
  let done = 0;
  let open = true;
  const callers = Array.from({ length: atOnce }, async () => {
    while (open) {
      await one();
      done++;
    }
  });
  const failed = Promise.all(callers); // only ever ends early by failing
  const rate = await Promise.race([window(counted ?? (() => done)), failed]);
  open = false;
  await failed;
  return { rate, total: done };
}

// What count() gained per second, after the warm-up.
export async function window(count) {
  await sleep(warmSeconds);
  const [from, began] = [await count(), performance.now()];
  await sleep(seconds);
  return (((await count()) - from) * 1000) / (performance.now() - began);
}

// Milliseconds of one(), one at a time, each after a pause of up to `pauseSeconds`, so that a poller is met at no fixed phase.
export async function alone(count, one, pauseSeconds = 0) {
  for (let i = 0; i < count / 5; i++) await one();
  const times = [];
  for (let i = 0; i < count; i++) {
    if (pauseSeconds > 0) await sleep(Math.random() * pauseSeconds);
    const began = performance.now();
    await one();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const at = (p) => times[Math.min(times.length - 1, Math.floor(p * times.length))];
  return { p50: at(0.5), p99: at(0.99) };
}

// Seconds until body() has ended.
export async function timed(body) {
  const began = performance.now();
  await body();
  return (performance.now() - began) / 1000;
}

// A promise that opens after `count` hits.
export function gate(count) {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { opened, hit: () => --count === 0 && open() };
}

const sleep = (s) => new Promise((resolve) => setTimeout(resolve, s * 1000));
