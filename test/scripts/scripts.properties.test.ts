import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordsOf } from '../../functions/shared/script.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { type Kind, outcomesOf, type ScriptUnderTest, scriptFiles, scripts } from './any-call.ts';
import { type Bench, expectConserved, openSale, redisBench } from './stock.harness.ts';
import { items, limit, seats } from './stock.histories.ts';

const bench = redisBench();
/** How many sequences of calls each property tries; more of them in a long run. */
const sequences = Number(process.env.SCRIPT_SEQUENCES ?? 100);
const callsMax = 60;

const files = Object.keys(scripts);
const honest = files.filter((file) => !scripts[file]?.believes);

const callOf = (from: readonly string[]) =>
  fc.record({
    file: fc.constantFrom(...from),
    draws: fc.infiniteStream(fc.nat(1_000_000)),
    isWrong: fc.integer({ min: 0, max: 6 }).map((n) => n === 0),
  });
const callsOf = (from: readonly string[]) => fc.array(callOf(from), { minLength: callsMax / 2, maxLength: callsMax, size: 'max' });
type Call = ReturnType<typeof callOf> extends fc.Arbitrary<infer C> ? C : never;

/** All that some keys hold, read at one moment: a list for each. */
const dumpLua = `
  local readers = { hash = { 'HGETALL' }, zset = { 'ZRANGE', 0, -1, 'WITHSCORES' }, list = { 'LRANGE', 0, -1 }, set = { 'SMEMBERS' }, string = { 'GET' } }
  local all = {}
  for index, key in ipairs(KEYS) do
    local reader = readers[redis.call('TYPE', key).ok]
    all[index] = reader and redis.call(reader[1], key, unpack(reader, 2)) or 'none'
  end
  return all`;

/** What keys hold, by key, in an order of its own: that of a hash's fields changes while it grows. */
async function dump({ redis }: Bench, keys: readonly string[]): Promise<unknown> {
  const all = (await redis.eval(dumpLua, keys.length, ...keys)) as (string | string[])[];
  return all.map((content, index) => [keys[index], typeof content === 'string' ? content : inPairs(content)]);
}

const inPairs = (content: readonly string[]) =>
  Array.from({ length: Math.ceil(content.length / 2) }, (_, index) => content.slice(2 * index, 2 * index + 2).join(' = ')).sort();

const junk = [
  '',
  '-1',
  '0',
  '1.5',
  '1e3',
  '0x10',
  ' 7',
  'a|b',
  '\u0000',
  '@',
  '@A-1,A-1',
  '3-1',
  '1-9999999',
  '9'.repeat(20),
  'x'.repeat(200),
  'nan',
  '{}',
  '_-.',
];

/** In place of an id: one that could be one would be a hold's and a cart's at once, or of two buyers, which none is. */
const noIds = ['', 'a|b', 'x'.repeat(200)];

/** A hold or cart that Redis has at this moment. */
interface Known {
  readonly id: string;
  readonly state: string;
  readonly bornUs: string;
  readonly buyerId: string;
  readonly lines: readonly { readonly sku: string; readonly units: string }[];
}

async function knownHolds({ redis }: Bench, saleId: string): Promise<Known[]> {
  const fields = Object.entries(await redis.hgetall(stockKeys(saleId).sale));
  return fields.flatMap(([field, record]) => {
    if (!field.startsWith('h:')) return [];
    const [state = '', bornUs = '', , , buyerId = '', , lines = ''] = record.split('|');
    const parts = lines.split(';').flatMap((part) => {
      const [, sku = '', mark, units = ''] = /^([^=:]+)([=:])(.*)$/.exec(part) ?? [];
      return mark === undefined ? [] : [{ sku, units: mark === ':' ? `@${units}` : units }];
    });
    return [{ id: field.slice(2), state, bornUs, buyerId, lines: parts }];
  });
}

/** The arguments of a call: about one hold that there is, as far as there is one, or about anything. */
function argumentsOf(script: ScriptUnderTest, known: readonly Known[], draws: Iterator<number>): string[] {
  const draw = (below: number) => (draws.next().value as number) % below;
  const pick = <T>(from: readonly T[]): T => from[draw(from.length)] as T;
  // Ids of carts are never those of holds, and each buyer has one of their own.
  const isAboutCart = script.args.includes('cartId') && !script.args.includes('holdId');
  const subjects = known.filter(({ id }) => id.startsWith('cart-') === isAboutCart);
  const subject = subjects.length > 0 && draw(5) > 0 ? pick(subjects) : undefined;
  const buyerId = subject?.buyerId || pick(['ada', 'bob']);
  const line = subject && subject.lines.length > 0 && draw(3) > 0 ? pick(subject.lines) : undefined;
  const sku = line?.sku ?? pick(['tee', 'hall', 'tee', 'hall', 'tee-2', 'cap']);
  const someSeats = () =>
    seats
      .slice(draw(seats.length))
      .slice(0, 1 + draw(3))
      .join(',');
  const isHall = sku === 'hall';
  const values: Readonly<Record<Kind, () => string>> = {
    // An id is of one buyer: it is made of who calls.
    holdId: () => subject?.id ?? `hold-${buyerId}-${draw(4)}`,
    cartId: () => `cart-${buyerId}`,
    buyerId: () => buyerId,
    hash: () => pick(['p', 'p', 'q']),
    bornUs: () => subject?.bornUs ?? String(1 + draw(1_000)),
    timeMs: () => String(Date.now() + draw(7_200_000) - 3_600_000),
    slots: () => String(draw(32)),
    orderState: () => pick(['live', 'confirmed', 'ended', 'retired']),
    sku: () => sku,
    // Up to the total at the most: there is no row beyond it.
    units: () =>
      line?.units ?? (isHall ? `@${someSeats()}` : sku === 'tee-2' ? `${1 + draw(3)}-${4 + draw(3)}` : `${1 + draw(5)}-${6 + draw(5)}`),
    wanted: () => (isHall ? `@${someSeats()}` : String(1 + draw(4))),
    seatNames: someSeats,
    seat: () => pick(seats),
    limit: () => String(draw(21)),
    ms: () => String(600_000 + draw(2_000)),
    epoch: () => pick(['1', '1', '1', '2']),
    version: () => String(1 + draw(4)),
    control: () => pick(['open', 'open', 'paused', 'closed', 'cancelled']),
    count: () => String(1 + draw(20)),
    word: () => `word-${draw(2)}`,
    kind: () => (isHall ? 'seated' : 'counted'),
    serial: () => String(draw(15)),
    cause: () => pick(['order', 'tombstone']),
    holdState: () => pick(['H', 'A', 'C']),
    verb: () => pick(['set', 'begin', 'end']),
    owner: () => subject?.id ?? pick(['?', '-', 'hold-1']),
    watched: () => `u${sku}`,
    unit: () => (isHall ? pick(seats) : String(1 + draw(14))),
    rowKind: () => (isHall ? 'seat' : 'serial'),
    flag: () => String(draw(2)),
    next: () => (isHall ? '0' : String(5 + draw(5))),
    fewer: () => (isHall ? '0' : String(draw(5))),
    shard: () => String(draw(3)),
    // Between any `count` and `more` of these.
    more: () => '30',
    newFirst: () => String(21 + draw(4)),
    newLast: () => String(25 + draw(5)),
    unitState: () => pick(['HELD', 'SOLD', 'RETIRED']),
  };
  return [...script.args, ...(script.each ?? [])].map((kind) => values[kind]());
}

/** Makes one mistake. */
function spoiled(script: ScriptUnderTest, keys: string[], args: string[], draws: Iterator<number>): [string[], string[]] {
  const draw = (below: number) => (draws.next().value as number) % below;
  const at = draw(Math.max(1, args.length));
  const mistake = draw(4);
  if (mistake === 0) return [keys, args.toSpliced(at, 1)];
  if (mistake === 1) return [keys, [...args, '1']];
  if (mistake === 2 && keys.length > 1) return [keys.slice(1), args];
  const isId = ['holdId', 'cartId', 'buyerId'].includes([...script.args, ...(script.each ?? [])][at] ?? '');
  const from = isId ? noIds : junk;
  return [keys, args.map((each, index) => (index === at ? (from[draw(from.length)] ?? '') : each))];
}

interface Answer {
  /** An outcome, or the mistake that the script has seen. */
  readonly word: string;
  readonly rest: readonly unknown[];
}

/** A script as it is, but for its clock, which comes before its arguments: so it can run twice at one moment. */
const atAMoment = `
local REDIS, SECONDS, MICROS = redis, ARGV[1], ARGV[2]
local ARGV = { unpack(ARGV, 3) }
local function call(command, ...)
  if command == 'TIME' then return { SECONDS, MICROS } end
  return REDIS.call(command, ...)
end
local redis = { call = call, error_reply = REDIS.error_reply }
`;

interface ScriptCall {
  readonly script: ScriptUnderTest;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  readonly nowMs: number;
}

async function run({ redis }: Bench, { script, keys, args, nowMs }: ScriptCall): Promise<Answer> {
  const clock = [String(Math.floor(nowMs / 1_000)), String((nowMs % 1_000) * 1_000)];
  try {
    const reply = await redis.eval(atAMoment + script.text, keys.length, ...keys, ...clock, ...args);
    const [word = `no word: ${JSON.stringify(reply)}`, ...rest] = wordsOf(reply);
    return { word: String(word), rest };
  } catch (error) {
    return { word: error instanceof Error ? error.message : String(error), rest: [] };
  }
}

const open = (holdSeconds: number) => openSale(bench, { items, perBuyerLimit: limit, holdSeconds }, new Map([['hall', seats]]));
/** What is held ends at once, or not while a sequence lasts. */
const holdSeconds = fc.constantFrom(0.001, 300);

interface Tried {
  readonly file: string;
  readonly word: string;
}

/** A second run changes nothing, unless the first said that it left something at its bound. */
async function tryAgain(call: ScriptCall, first: Answer, everything: string[], told: string): Promise<void> {
  if (call.script.goesOn && first.rest[1] === 1) return;
  const before = await dump(bench, everything);
  await run(bench, call);
  expect(await dump(bench, everything), `${told}, twice`).toEqual(before);
}

/**
 * Does one call, once and once more, and holds it to what every script promises. `miscounted`: items whose counters were set by a count that was made up
 * here. In three calls, mend-count-begin, mend-count with a number that is too high, and reserve: the free pool has less than its counter says, and
 * whoever comes to need it says so. No caller gives such a number: a reconciliation counts the very pool, page by page, while the mark says that nothing of
 * it moves (functions/reconciliation/mend.ts). With true counts no sequence comes to it, see scripts.models.test.ts.
 */
async function tryCall(saleId: string, { file, draws, isWrong }: Call, miscounted: Set<string>): Promise<Tried> {
  const script = scripts[file];
  if (!script) throw new Error(file);
  const named = { ...stockKeys(saleId), lease: `{${saleId}}:lease` };
  const everything = Object.values(named);
  const stream = draws[Symbol.iterator]();
  const right = argumentsOf(script, await knownHolds(bench, saleId), stream);
  const rightKeys = script.keys.map((key) => named[key]);
  const [keys, args] = isWrong ? spoiled(script, rightKeys, right, stream) : [rightKeys, right];
  const told = `${file} ${JSON.stringify(args)}`;

  const before = await dump(bench, everything);
  const call = { script, keys, args, nowMs: Date.now() };
  const answer = await run(bench, call);
  const { word } = answer;
  const after = await dump(bench, everything);
  if (word.startsWith('BAD_CALL')) {
    expect(word, told).toMatch(/^BAD_CALL (stock|lease)\.[a-z-]+ /);
    expect(after, `${told}: a call that is refused changes nothing`).toEqual(before);
    return { file, word: 'BAD_CALL' };
  }
  const [, broken] = /user_script:\d+: BROKEN (?:free pool|seats) of ([\w-]+) /.exec(word) ?? [];
  if (broken !== undefined && miscounted.has(broken)) return { file, word: 'BROKEN' };
  expect([...outcomesOf(file)], told).toContain(word);
  if (file === 'stock/mend-count' && word === 'COUNTED') miscounted.add(args[1] ?? '');
  if (script.reads) expect(after, `${told} reads`).toEqual(before);
  await tryAgain(call, answer, everything, told);
  return { file, word };
}

/** So long a property goes on with its sequences; a machine that is busy tries fewer of them. */
const msMax = Number(process.env.SCRIPT_SECONDS ?? 7) * 1_000;
/** With fewer calls than this, it is no wonder when some script was never called rightly. */
const callsEnough = 1_500;

async function tryAll(from: readonly string[], check: (saleId: string) => Promise<unknown>): Promise<void> {
  const met = new Map<string, Set<string>>();
  let tried = 0;
  const property = fc.asyncProperty(callsOf(from), holdSeconds, async (calls, seconds) => {
    const { saleId } = await open(seconds);
    const miscounted = new Set<string>();
    for (const [index, call] of calls.entries()) {
      const { file, word } = await tryCall(saleId, call, miscounted);
      met.set(file, (met.get(file) ?? new Set()).add(word));
      tried++;
      if (index % 10 === 9) await check(saleId);
    }
    await check(saleId);
    await bench.redis.del(...Object.values(stockKeys(saleId)), `{${saleId}}:lease`);
  });
  await fc.assert(property, { numRuns: sequences, interruptAfterTimeLimit: msMax, markInterruptAsFailure: false });
  expect(tried).toBeGreaterThan(0);
  if (tried < callsEnough) return;
  // A property that never got behind a script's door would say nothing about it.
  for (const file of from)
    expect(
      [...(met.get(file) ?? [])].filter((word) => word !== 'BAD_CALL' && word !== 'BROKEN'),
      file,
    ).not.toEqual([]);
}

describe('every script there is', () => {
  it('is tried here, and no other', () => {
    expect(files.sort()).toEqual(scriptFiles());
    for (const file of files) expect(outcomesOf(file).size, file).toBeGreaterThan(0);
  });

  it('answers in the words of its header or refuses the call, changes nothing when it refuses or only reads, and may run twice', {
    timeout: 120_000,
  }, async () => {
    await tryAll(files, async () => {});
  });

  it('keeps every unit in one place, unless it was told something wrong about rows', { timeout: 120_000 }, async () => {
    await tryAll(honest, (saleId) => expectConserved(bench, saleId, 0));
  });
});

describe('a lease', () => {
  type Model = { owner: string | undefined };
  const owners = ['me', 'you', 'them'];
  const step = fc.record({ verb: fc.constantFrom('acquire', 'renew', 'release', 'lapse'), owner: fc.constantFrom(...owners) });

  it('has one owner at a time, whoever asks for what in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const key = `{${randomUUID()}}:lease`;
        const model: Model = { owner: undefined };
        const call = (name: string, ...args: string[]) => bench.redis.eval(scripts[`lease/${name}`]?.text ?? '', 1, key, ...args);
        const must: Readonly<Record<string, (owner: string) => Promise<void>>> = {
          async acquire(owner) {
            const isFree = model.owner === undefined || model.owner === owner;
            expect(await call('acquire', owner, '60000')).toEqual(isFree ? ['ACQUIRED'] : ['BUSY', expect.any(Number)]);
            if (isFree) model.owner = owner;
          },
          renew: async (owner) => expect(await call('renew', owner, '60000')).toEqual([model.owner === owner ? 'RENEWED' : 'LOST']),
          async release(owner) {
            expect(await call('release', owner)).toEqual([model.owner === owner ? 'RELEASED' : 'LOST']);
            if (model.owner === owner) model.owner = undefined;
          },
          async lapse() {
            await bench.redis.del(key);
            model.owner = undefined;
          },
        };
        for (const { verb, owner } of steps) {
          await must[verb]?.(owner);
          expect(await bench.redis.get(key)).toBe(model.owner ?? null);
        }
        await bench.redis.del(key);
      }),
      { numRuns: 2 * sequences, interruptAfterTimeLimit: msMax / 2, markInterruptAsFailure: false },
    );
  });
});
