import { readFileSync } from 'node:fs';
import { noSkew, type SkewPlan, skewOf } from './skew.ts';

// Loaded into a container's process before the function (`--import`): its clock follows the plan in the file that the environment names.
// Timers and `performance` stay right, as they do on a machine whose clock is set wrong.
const path = process.env.CHAOS_CLOCKS ?? '';
const againMs = 250;
const RightDate = Date;
let skewMs = 0;

function readPlan(): void {
  let plan: SkewPlan = noSkew;
  try {
    plan = JSON.parse(readFileSync(path, 'utf8')) as SkewPlan;
  } catch {
    // Half written, or gone with the run: the clock is right.
  }
  skewMs = skewOf(process.pid, plan);
}

readPlan();
setInterval(readPlan, againMs).unref();

const now = () => RightDate.now() + skewMs;
globalThis.Date = new Proxy(RightDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
  apply: () => new RightDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
});
