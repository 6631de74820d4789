// Measures BullMQ as measuring.py does the others, and prints the result as JSON.
//
//     node bullmq.mjs CONNECTION SIZES         or, for the worker that is killed:
//     node bullmq.mjs CONNECTION --be-stuck
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";

const CONCURRENCY = 10;
const [address, argument] = process.argv.slice(2);
const connection = { ...JSON.parse(address), maxRetriesPerRequest: null };

const openQueue = () => new Queue("benchmark", { connection });
const work = (run) => new Worker("benchmark", run, { connection, concurrency: CONCURRENCY });

const schedule = (queue, key, due) =>
  queue.add("job", {}, { jobId: key, delay: due - Date.now(), removeOnComplete: true });

function countdown(number) {
  let reached;
  const all = new Promise((resolve) => (reached = resolve));
  return { all, one: () => --number || reached() };
}

async function lateness(queue, { timers, timersEvery }) {
  const due = new Map();
  const late = [];
  const left = countdown(timers);
  const worker = work(async (job) => {
    late.push(Date.now() - due.get(job.id));
    left.one();
  });
  const first = Date.now() + 1000;
  for (let n = 0; n < timers; n++) due.set(`timer-${n}`, first + n * timersEvery * 1000);
  for (const [key, moment] of due) await schedule(queue, key, moment);
  await left.all;
  await worker.close();
  late.sort((a, b) => a - b);
  return { p50: late[Math.floor(timers / 2)], p99: late[Math.floor(timers * 0.99)] };
}

async function rate(number, act) {
  const started = performance.now();
  for (let n = 0; n < number; n++) await act(`bulk-${n}`);
  return (number / (performance.now() - started)) * 1000;
}

async function commandsServed(client) {
  const stats = await client.info("commandstats");
  return [...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

async function idleness(queue, client, { idle, farOff }) {
  const worker = work(async () => {});
  await schedule(queue, "far-off", Date.now() + farOff * 1000);
  await sleep(2000);
  const commands = await commandsServed(client);
  const before = process.cpuUsage();
  await sleep(idle * 1000);
  const { user, system } = process.cpuUsage(before);
  const served = (await commandsServed(client)) - commands;
  await worker.close();
  return { commands: served / idle, processor: (user + system) / 1e6 / idle };
}

async function recovery(queue, { stuckJobs }) {
  for (let n = 0; n < stuckJobs; n++) await schedule(queue, `stuck-${n}`, Date.now() + 100);
  const stuck = spawn(process.execPath, [process.argv[1], address, "--be-stuck"]);
  while ((await queue.getActiveCount()) < stuckJobs) await sleep(50);
  await sleep(1000);
  const left = countdown(stuckJobs);
  const worker = work(async () => left.one());
  stuck.kill("SIGKILL");
  const killed = performance.now();
  await left.all;
  const seconds = (performance.now() - killed) / 1000;
  await worker.close();
  return seconds;
}

async function measure(sizes) {
  const queue = openQueue();
  const client = new Redis(connection);
  await client.flushall();
  const late = await lateness(queue, sizes);
  await client.flushall();
  const due = Date.now() + sizes.farOff * 1000;
  const scheduled = await rate(sizes.bulk, (key) => schedule(queue, key, due));
  const cancelled = await rate(sizes.bulk, (key) => queue.remove(key));
  const idle = await idleness(queue, client, sizes);
  await client.flushall();
  const recovered = await recovery(queue, sizes);
  await queue.close();
  client.disconnect();
  return {
    lateness_p50_ms: late.p50,
    lateness_p99_ms: late.p99,
    scheduled_rate: scheduled,
    cancelled_rate: cancelled,
    idle_command_rate: idle.commands,
    idle_processor: idle.processor,
    recovery_s: recovered,
  };
}

if (argument === "--be-stuck") {
  work(() => new Promise(() => {}));
} else {
  console.log(JSON.stringify(await measure(JSON.parse(argument))));
}
