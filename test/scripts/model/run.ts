import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { RedisClient } from '../../../functions/shared/redis.ts';
import { wordsOf } from '../../../functions/shared/script.ts';
import { scriptFiles } from '../any-call.ts';
import { drawingFrom } from './arguments.ts';
import { nextCommand } from './draw.ts';
import type { Reply } from './moves.ts';
import { anyNumber, type Command, isHarm, type Step, stepOf } from './rules.ts';
import { Broken, type Content, contentOf, type KeyName, keyNames, nothing } from './state.ts';

// Random sequences of every script beside the models: after each command the answer must be the model's, and so must be all that Redis has.

/**
 * A script as it is, but for its clock, which is the sequence's; then all that the keys of the sale have. So a sequence needs no answer before its end,
 * and what two of its commands do at one moment is done at one moment.
 */
const around = (text: string): string => `
local ALL, REDIS, SECONDS, MICROS = KEYS, redis, ARGV[1], ARGV[2]
local picked = {}
for name in string.gmatch(ARGV[3], '[^,]+') do
  for _, key in ipairs(ALL) do
    if string.match(key, '[^:]+$') == name then picked[#picked + 1] = key end
  end
end
local function call(command, ...)
  if command == 'TIME' then return { SECONDS, MICROS } end
  return REDIS.call(command, ...)
end
local function script(KEYS, ARGV, redis)
${text}
end
local passed, reply = pcall(script, picked, { unpack(ARGV, 4) }, { call = call, error_reply = REDIS.error_reply })
if not passed then reply = { 'RAISED', type(reply) == 'table' and reply.err or reply } end
if reply.err then reply = { 'REFUSED', reply.err } end
local readers = { hash = { 'HGETALL' }, zset = { 'ZRANGE', 0, -1, 'WITHSCORES' }, list = { 'LRANGE', 0, -1 }, set = { 'SMEMBERS' }, string = { 'GET' } }
local found = {}
for index, key in ipairs(ALL) do
  local reader = readers[REDIS.call('TYPE', key).ok]
  found[index] = reader and REDIS.call(reader[1], key, unpack(reader, 2)) or {}
end
return { reply, found }`;

const wrapped = new Map<string, { readonly text: string; readonly digest: string }>();
function wrap(text: string): { readonly text: string; readonly digest: string } {
  const known = wrapped.get(text);
  if (known) return known;
  const made = around(text);
  const entry = { text: made, digest: createHash('sha1').update(made).digest('hex') };
  wrapped.set(text, entry);
  return entry;
}

const inPairs = (flat: readonly string[]): [string, string][] =>
  Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index] ?? '', flat[2 * index + 1] ?? '']);

/** What a key has, as `contentOf` says it. */
function read(name: KeyName, found: string | string[]): Content[KeyName] {
  if (typeof found === 'string') return [found];
  if (name === 'sale' || name === 'seats' || name === 'carts') return Object.fromEntries(inPairs(found));
  if (name === 'free' || name === 'suspects')
    return inPairs(found)
      .map(([member, score]) => (score === '0' ? member : `${member} at ${score}`))
      .sort();
  return name === 'chunks' ? [...found].sort() : found;
}
const contentFound = (found: readonly (string | string[])[]): Content =>
  Object.fromEntries(keyNames.flatMap((name, index) => (found[index]?.length ? [[name, read(name, found[index])]] : [])));

interface Expected {
  readonly command: Command;
  readonly step: Step;
  readonly content: Content;
}

/** What must come of a command; that a script says that something is broken can be what must come. */
function expectedOf(state: ReturnType<typeof nothing>, command: Command): Expected {
  try {
    const step = stepOf(state, command);
    return { command, step, content: contentOf(state) };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const { reply: _, ...step } = stepOf(structuredClone(nothing()), command);
    return { command, step: { ...step, reply: ['BROKEN'] }, content: contentOf(state) };
  }
}

const isBroken = (reply: readonly unknown[]) => reply[0] === 'RAISED' && /BROKEN /.test(String(reply[1]));
function isAnswer(must: Reply, answer: readonly unknown[]): boolean {
  if (must[0] === 'BROKEN') return isBroken(answer);
  return must.length === answer.length && must.every((value, index) => value === anyNumber || String(value) === String(answer[index]));
}

export interface Difference {
  readonly index: number;
  readonly command: Command;
  readonly must: { readonly reply: Reply; readonly content: unknown };
  readonly came: { readonly reply: readonly unknown[]; readonly content: unknown };
}

/** The parts of two contents that are not the same. */
function differing(must: Content, came: Content): [unknown, unknown] {
  const [left, right]: Record<string, unknown>[] = [{}, {}];
  for (const name of keyNames) {
    if (isDeepStrictEqual(must[name], came[name])) continue;
    const [one, other] = [Object.entries(must[name] ?? {}), Object.entries(came[name] ?? {})];
    const only = (these: typeof one, those: typeof one) =>
      these.filter((entry) => !those.some((each) => isDeepStrictEqual(each, entry))).map((entry) => entry.join(' = '));
    if (left && right) [left[name], right[name]] = [only(one, other), only(other, one)];
  }
  return [left, right];
}

/** Does a sequence in a Redis that has nothing of it yet. -> the first difference, if there is any */
async function play(redis: RedisClient, sequence: readonly Expected[], saleId: string): Promise<Difference | undefined> {
  const keys = keyNames.map((name) => `{${saleId}}:${name}`);
  const pipeline = redis.pipeline();
  for (const { step, command } of sequence) {
    const [seconds, micros] = [Math.floor(command.nowUs / 1_000_000), command.nowUs % 1_000_000];
    const { digest } = wrap(step.text);
    pipeline.evalsha(digest, keys.length, ...keys, String(seconds), String(micros), step.keys.join(','), ...step.args);
  }
  pipeline.del(...keys);
  const answers = (await pipeline.exec()) ?? [];
  for (const [index, { step, content, command }] of sequence.entries()) {
    const [error, result] = answers[index] ?? [];
    if (error) throw new Error(`${command.name}: ${error.message}`);
    const [answer, found] = result as [unknown, (string | string[])[]];
    const reply = wordsOf(answer);
    const came = contentFound(found);
    if (isAnswer(step.reply, reply) && isDeepStrictEqual(came, content)) continue;
    const [must, other] = differing(content, came);
    return { index, command, must: { reply: step.reply, content: must }, came: { reply, content: other } };
  }
  return undefined;
}

/** Redis knows the script by its digest from then on. */
async function teach(redis: RedisClient, sequence: readonly Expected[], taught: Set<string>): Promise<void> {
  for (const { step } of sequence) {
    const { text, digest } = wrap(step.text);
    if (taught.has(digest)) continue;
    await redis.script('LOAD', text);
    taught.add(digest);
  }
}

const expectedAll = (commands: readonly Command[]): Expected[] => {
  const state = nothing();
  return commands.map((command) => expectedOf(state, command));
};

/** As many commands taken out as can be, with a difference still there. */
async function shrink(
  redis: RedisClient,
  commands: readonly Command[],
  saleId: string,
): Promise<{ commands: readonly Command[]; difference: Difference }> {
  let smallest = commands;
  let found = await play(redis, expectedAll(smallest), saleId);
  if (!found) throw new Error('a difference that did not come again');
  for (let size = Math.floor(commands.length / 2); size > 0; size = Math.floor(size / 2)) {
    for (let from = 0; from + size <= smallest.length; ) {
      const fewer = smallest.toSpliced(from, size);
      const still = await differenceIn(redis, fewer, saleId);
      if (!still) {
        from += size;
        continue;
      }
      smallest = fewer.slice(0, still.index + 1);
      found = still;
    }
  }
  return { commands: smallest, difference: found };
}

/** A sequence that lacks what a command of it was made of may make no sense to the model: it is no smaller one then. */
async function differenceIn(redis: RedisClient, commands: readonly Command[], saleId: string): Promise<Difference | undefined> {
  try {
    const difference = await play(redis, expectedAll(commands), saleId);
    return difference && String(difference.came.reply[1]).includes('BAD_CALL') ? undefined : difference;
  } catch {
    return undefined;
  }
}

export interface Failure {
  readonly seed: number;
  readonly commands: readonly Command[];
  readonly difference: Difference;
}

export interface Figures {
  sequences: number;
  commands: number;
  /** By script, how often each outcome came. */
  readonly met: Map<string, Map<string, number>>;
}
export const noFigures = (): Figures => ({ sequences: 0, commands: 0, met: new Map() });

function note(figures: Figures, sequence: readonly Expected[]): void {
  figures.sequences++;
  for (const { command, step } of sequence) {
    if (isHarm(command)) continue;
    figures.commands++;
    const words = figures.met.get(command.name) ?? new Map<string, number>();
    const word = String(step.reply[0]);
    words.set(word, (words.get(word) ?? 0) + 1);
    figures.met.set(command.name, words);
  }
}

const commandsMax = 60;

/** The commands that a seed stands for, with what must come of each. Throws when a script would find something broken that nothing has harmed. */
export function sequenceOf(seed: number): Expected[] {
  const drawing = drawingFrom(seed);
  const state = nothing();
  const sequence: Expected[] = [];
  for (let index = 0; index < commandsMax; index++) {
    const expected = expectedOf(state, nextCommand(state, drawing));
    sequence.push(expected);
    const broke = expected.step.reply[0] === 'BROKEN';
    if (broke && !drawing.isHarmed) throw new Error(`seed ${seed}: ${expected.command.name} is broken, and nobody harmed anything`);
  }
  return sequence;
}

/** Tries sequences of these seeds while `goesOn`, as far as they come to what the models say. -> the first that does not, made small */
export async function trySequences(
  redis: RedisClient,
  { seed, count, goesOn = () => true }: { readonly seed: number; readonly count: number; readonly goesOn?: () => boolean },
  figures: Figures,
): Promise<Failure | undefined> {
  const taught = new Set<string>();
  for (let index = 0; index < count && goesOn(); index++) {
    const own = (seed + Math.imul(index, 0x9e3779b1)) >>> 0;
    const sequence = sequenceOf(own);
    await teach(redis, sequence, taught);
    const saleId = `models-${own}`;
    if (await play(redis, sequence, saleId)) {
      const smallest = await shrink(
        redis,
        sequence.map(({ command }) => command),
        saleId,
      );
      return { seed: own, ...smallest };
    }
    note(figures, sequence);
  }
  return undefined;
}

/** How many scripts there are, and those of them that a sequence had an answer of. */
export function covered(figures: Figures): { readonly files: readonly string[]; readonly met: readonly string[] } {
  const files = scriptFiles();
  return { files, met: files.filter((file) => figures.met.has(file)) };
}

export function told({ seed, commands, difference }: Failure): string {
  const { must, came, index } = difference;
  const lines = commands.map(({ name, args, nowUs }, at) => `${at === index ? '->' : '  '} ${name} ${JSON.stringify(args)} at ${nowUs}`);
  return [`sequence ${seed}:`, ...lines, `must: ${JSON.stringify(must)}`, `came: ${JSON.stringify(came)}`].join('\n');
}
