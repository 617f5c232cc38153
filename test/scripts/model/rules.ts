import { follow } from '../../../functions/stock/mend.definitions.ts';
import { type ScriptUnderTest, scripts } from '../any-call.ts';
import { cartRules } from './carts.ts';
import { mendFollow, mendRules } from './mends.ts';
import { at, type Reply, type Rule } from './moves.ts';
import { orderRules } from './orders.ts';
import { saleRules } from './sales.ts';
import { shardRules } from './shards.ts';
import { contentOf, type KeyName, nothing, type State } from './state.ts';
import { swap } from './swaps.ts';

// Every script beside its model; and, where a sequence may do harm, what happens to Redis without a script.

/** By any number, for what a model can't know: how long a lease has left. */
export const anyNumber = '<a number>';

const acquire: Rule = (state, args): Reply => {
  if (state.leaseOwner !== undefined && state.leaseOwner !== at(args, 0)) return ['BUSY', anyNumber];
  state.leaseOwner = at(args, 0);
  return ['ACQUIRED'];
};
const renew: Rule = (state, args) => [state.leaseOwner === at(args, 0) ? 'RENEWED' : 'LOST'];
const giveUp: Rule = (state, args) => {
  if (state.leaseOwner !== at(args, 0)) return ['LOST'];
  state.leaseOwner = undefined;
  return ['RELEASED'];
};

/** By file below `lua/`: each has a rule here, and none is left out. */
export const rules: Readonly<Record<string, Rule>> = {
  ...orderRules,
  ...cartRules,
  ...saleRules,
  ...mendRules,
  ...shardRules,
  'stock/swap': swap,
  ...{ 'lease/acquire': acquire, 'lease/renew': renew, 'lease/release': giveUp },
};

/** What befalls Redis, or what somebody writes there who is no script. */
const harms: Readonly<Record<string, (state: State, subject: string, value: string) => void>> = {
  /** A restart without persistence. */
  lose: (state) => {
    for (const name of Object.keys(state) as (keyof State)[]) delete state[name];
    Object.assign(state, nothing());
  },
  lapse: (state) => {
    state.leaseOwner = undefined;
  },
  'lose-hold': (state, id) => state.holds.delete(id),
  'lose-expiry': (state) => {
    state.expiry = [];
  },
  'lose-units': (state, sku) => state.free.delete(sku),
  'lose-cart-entry': (state, id) => state.carts.delete(id),
  'set-cart-entry': (state, id, dueMs) => state.carts.set(id, Number(dueMs)),
  'set-slots': (state, buyerId, mask) => state.masks.set(buyerId, Number(mask)),
  'set-seat': (state, place, owner) => state.seats.set(place, owner),
  'set-free': (state, sku, free) => {
    const item = state.items.get(sku);
    if (item) item.free = Number(free);
  },
};

/** Puts the keys that a harm touches to what they are in the model, as whoever did it would have. */
const writeLua = `
redis.call('DEL', unpack(KEYS))
local commands = { sale = 'HSET', seats = 'HSET', free = 'ZADD', suspects = 'ZADD', carts = 'ZADD', expiry = 'RPUSH', undecided = 'RPUSH', chunks = 'SADD', lease = 'SET' }
for index, key in ipairs(KEYS) do
  local values = cjson.decode(ARGV[index])
  if #values > 0 then redis.call(commands[string.match(key, '[^:]+$')], key, unpack(values)) end
end
return { 'HARMED' }`;

export interface Command {
  /** A file below `lua/`, `follow`, or what harm is done. */
  readonly name: string;
  readonly args: readonly string[];
  readonly nowUs: number;
}

/** How a command is put to Redis, and what must come of it. The state is the next one afterwards. */
export interface Step {
  readonly text: string;
  readonly keys: readonly KeyName[];
  readonly args: readonly string[];
  readonly reply: Reply;
}

export const isHarm = ({ name }: Pick<Command, 'name'>): boolean => Object.hasOwn(harms, name);
export const harmNames: readonly string[] = Object.keys(harms);
/** `acknowledge`, put together with the fence: no file of its own. */
export const followed: ScriptUnderTest = {
  text: follow.text,
  keys: ['sale', 'free', 'suspects', 'seats'],
  args: ['epoch', ...(scripts['stock/acknowledge']?.args ?? [])],
};
export const scriptNamed = (name: string): ScriptUnderTest => {
  const script = name === 'stock/mend-follow' ? followed : scripts[name];
  if (!script) throw new Error(`no script ${name}`);
  return script;
};

export function stepOf(state: State, { name, args, nowUs }: Command): Step {
  const harm = harms[name];
  if (harm) {
    harm(state, at(args, 0), at(args, 1));
    return harmStep(state);
  }
  const rule = name === 'stock/mend-follow' ? mendFollow : rules[name];
  if (!rule) throw new Error(`no model of ${name}`);
  const { text, keys } = scriptNamed(name);
  const reply = rule(state, args, nowUs);
  // A counter that was too small says that nothing is free, and never less.
  for (const item of state.items.values()) item.free = Math.max(0, item.free);
  return { text, keys, args, reply };
}

function harmStep(state: State): Step {
  const content = contentOf(state);
  const keys: KeyName[] = ['sale', 'free', 'suspects', 'expiry', 'undecided', 'seats', 'carts', 'chunks', 'lease'];
  const values = keys.map((key): unknown[] => {
    const found = content[key] ?? [];
    if (key === 'carts') return Object.entries(found).flatMap(([id, dueMs]) => [dueMs, id]);
    if (!Array.isArray(found)) return Object.entries(found).flat();
    return key === 'free' || key === 'suspects' ? found.flatMap((member: string) => [0, member]) : found;
  });
  return { text: writeLua, keys, args: values.map((each) => JSON.stringify(each)), reply: ['HARMED'] };
}
