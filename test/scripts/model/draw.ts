import { argumentsFor, type Drawing, holdMs, saleArgs } from './arguments.ts';
import { msOf } from './moves.ts';
import { buyers, type Call, type Plan, planOf, seats, skus } from './plan.ts';
import { type Command, harmNames, rules } from './rules.ts';
import type { State } from './state.ts';

// Which command comes next, made of what there is at that moment, so that scripts get behind their doors.

const loading = new Set(['stock/load-begin', 'stock/load-units', 'stock/load-seats', 'stock/load-free', 'stock/load-publish']);
/** More of what others need first: units in somebody's hands. */
const often = [
  'stock/reserve',
  'stock/reserve',
  'stock/acknowledge',
  'stock/cart-set',
  'stock/cart-set',
  'stock/cart-checkout',
  'stock/swap',
];
const names = [...Object.keys(rules).filter((name) => !loading.has(name)), ...often, 'stock/mend-follow'];

/** The next call of the load that is under way; sometimes one that was there before, or comes too late. */
function loadCall(state: State, drawing: Drawing): Call {
  const { random, plan, limit, nowUs } = drawing;
  const isOvertaken = plan && plan.epoch !== state.loadingEpoch && random.chance(0.6);
  if (!plan || isOvertaken || random.chance(0.03)) {
    drawing.epoch++;
    drawing.plan = planOf(random, drawing.epoch, msOf(nowUs), limit);
    drawing.sent = 0;
    return { name: 'stock/load-begin', args: [String(drawing.epoch)] };
  }
  const again = random.chance(0.1) ? random.pick(plan.chunks) : undefined;
  const call = again ?? plan.chunks[drawing.sent];
  if (call && !random.chance(0.03)) {
    if (!again) drawing.sent++;
    return random.chance(0.03) ? { ...call, args: [String(plan.epoch + 1), ...call.args.slice(1)] } : call;
  }
  return publishing(drawing, plan);
}

/** Sometimes a copy of the sale that has been overtaken. */
const older = (drawing: Drawing): Drawing => ({
  ...drawing,
  version: drawing.random.chance(0.1) ? Math.max(1, drawing.version - 1) : drawing.version,
});

const publishing = (drawing: Drawing, { epoch, chunks, items }: Plan): Call => ({
  name: 'stock/load-publish',
  args: [
    String(epoch + (drawing.random.chance(0.1) ? drawing.random.pick([-1, 1]) : 0) || 1),
    ...saleArgs(older(drawing)),
    String(chunks.length),
    String(drawing.random.int(2)),
    ...items,
  ],
});

/** A call of a load that is not the one under way: an earlier one, or a later one, which takes its place. */
function strayLoad(drawing: Drawing): Call {
  const { random, nowUs, limit } = drawing;
  const isLater = drawing.epoch < 2 || random.chance(0.5);
  if (isLater) drawing.epoch++;
  const plan = planOf(random, isLater ? drawing.epoch : drawing.epoch - 1, msOf(nowUs), limit);
  return random.pick([{ name: 'stock/load-begin', args: [String(plan.epoch)] }, random.pick(plan.chunks), publishing(drawing, plan)]);
}

function harmOf(state: State, { random, nowUs }: Drawing): Call {
  const name = random.chance(0.05) ? 'lose' : random.pick(harmNames.filter((each) => each !== 'lose'));
  const holds = [...state.holds.keys()];
  const subject: Record<string, () => string[]> = {
    'lose-hold': () => [random.pick([...holds.filter((id) => !id.startsWith('cart-')), 'none'])],
    'lose-units': () => [random.pick(['tee', 'tee-2'])],
    'lose-cart-entry': () => [`cart-${random.pick(buyers)}`],
    'set-cart-entry': () => [`cart-${random.pick(buyers)}`, String(msOf(nowUs) - 1_000 + random.int(2_000))],
    'set-slots': () => [random.pick(buyers), String(1 + random.int(63))],
    'set-seat': () => [`hall|${random.pick(seats)}`, random.pick(['?', '-', '', 'hold-of-nobody', ...holds])],
    'set-free': () => [random.pick(skus), String(random.int(5))],
  };
  return { name, args: subject[name]?.() ?? [] };
}

function scriptCall(state: State, drawing: Drawing): Call {
  const { random, last } = drawing;
  if (last && random.chance(0.08)) return last;
  if (drawing.isHarmed && random.chance(0.12)) return harmOf(state, drawing);
  if (random.chance(0.01)) return strayLoad(drawing);
  const name = random.pick(names);
  return { name, args: argumentsFor(name, state, drawing) };
}

/** The next command; what it is about is mostly there. */
export function nextCommand(state: State, drawing: Drawing): Command {
  const { random } = drawing;
  drawing.nowUs += random.chance(0.04) ? random.int(2 * holdMs) * 1_000 : random.int(5_000);
  // A failover, to a clock that is behind.
  if (random.chance(0.03)) drawing.nowUs -= random.int(3_000_000);
  if (state.sale) drawing.plan = undefined;
  const isLoad = !state.sale && random.chance(0.85);
  const call = isLoad ? loadCall(state, drawing) : scriptCall(state, drawing);
  drawing.last = { ...call, nowUs: drawing.nowUs };
  return drawing.last;
}
