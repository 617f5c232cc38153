// What a new hold cannot do without, piece by piece: scripts of which each does one thing more than the one before it, until the last does all that the
// reserve script asks of Redis, and nothing else. The commands are those that the script was seen to send. Texts that it makes stand there ready, but
// for the ids, which differ from call to call: whatever any script of this shape does comes on top.

/** One reserve of a new hold, as Redis saw it. */
export interface SeenReserve {
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** The arguments that are others in each call. */
  readonly ids: readonly string[];
  /** What the script sent, in its order. */
  readonly commands: readonly (readonly string[])[];
  readonly answer: string;
}

export interface FloorScript {
  /** What it does that the one before it does not. */
  readonly adds: string;
  readonly lua: string;
  /** How its answer begins. */
  readonly reply: string;
}

/** From the one that is only handed its keys and arguments to the one that does all. Throws when the script was seen to do something else than these know. */
export function floorScripts(seen: SeenReserve): readonly FloorScript[] {
  const pieces = seen.commands.flatMap((words) => [commandPiece(words, seen), ...recordPieces(words)]);
  const upTo = (count: number) => pieces.slice(0, count).map(({ lua }) => lua);
  const scriptOf = (lines: readonly string[], answer: string) => [...lines, `return ${answer}`].join('\n');
  return [
    { adds: `${seen.keys.length} keys and ${seen.args.length} arguments handed over`, lua: scriptOf([], '1'), reply: numberOne },
    ...pieces.map(({ adds }, index) => ({ adds, lua: scriptOf(upTo(index + 1), '1'), reply: numberOne })),
    {
      adds: `the answer, a text of ${seen.answer.length} characters`,
      lua: scriptOf(upTo(pieces.length), literal(seen.answer)),
      reply: seen.answer,
    },
  ];
}

type Piece = Pick<FloorScript, 'adds' | 'lua'>;

const numberOne = ':1\r\n';
const reads = 'HMGET';
/** A text of a script: those that are seen have no character that Lua and JSON write in different ways. */
const literal = (text: string): string => JSON.stringify(text);

function commandPiece(words: readonly string[], seen: SeenReserve): Piece {
  const call = `redis.call(${words.map((word) => expressionOf(word, seen)).join(', ')})`;
  return { adds: titleOf(words), lua: words[0] === reads ? `local found = ${call}` : call };
}

/** A key or an id is what the call brought, also within a longer text. */
function expressionOf(word: string, { keys, args, ids }: SeenReserve): string {
  if (keys.includes(word)) return `KEYS[${keys.indexOf(word) + 1}]`;
  const pieces = word.split(new RegExp(`(${ids.join('|')})`)).filter((piece) => piece !== '');
  return pieces.map((piece) => (ids.includes(piece) ? `ARGV[${args.indexOf(piece) + 1}]` : literal(piece))).join(' .. ') || literal('');
}

const titles: Readonly<Record<string, (count: number) => string>> = {
  HMGET: (count) => `HMGET of ${count} fields`,
  TIME: () => 'TIME',
  HSET: (count) => `HSET of ${count / 2} fields`,
  RPUSH: () => 'RPUSH',
};

function titleOf([name = '', ...rest]: readonly string[]): string {
  const title = titles[name];
  if (!title) throw new Error(`the reserve script sends ${name}, for which the floor has no piece`);
  return title(rest.length - 1);
}

/** What a new hold needs of the records that were read: whether the sale is open and until when, its limit, hold time and last birth; the item's counts. */
const recordPatterns = [
  { adds: 'the sale’s record taken apart', field: /^s$/, pattern: '^(%a+)|(%d+)|(%d+)|(%d+)|(%d+)|(%d+)|', captures: 6 },
  { adds: 'the item’s record taken apart', field: /^i:/, pattern: '^c|(%d+)|(%d+)|(%d+)', captures: 3 },
] as const;

/** After a read, the records taken apart that it brought. */
function recordPieces([name, , ...fields]: readonly string[]): Piece[] {
  if (name !== reads) return [];
  return recordPatterns.map(({ adds, field, pattern, captures }) => {
    const at = fields.findIndex((each) => field.test(each)) + 1;
    if (at === 0) throw new Error(`the reserve script reads ${fields.join(', ')}, and no field ${field.source}`);
    const variables = Array.from({ length: captures }, (_, index) => `${field.source.replace(/\W/g, '')}${index}`);
    const parsed = `local ${variables.join(', ')} = string.match(found[${at}], ${literal(pattern)})`;
    // A record of another form would be taken apart in no time.
    return { adds, lua: `${parsed}\nif not ${variables[0]} then return 0 end` };
  });
}
