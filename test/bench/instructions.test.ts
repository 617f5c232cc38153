import { describe, expect, it } from 'vitest';
import { totalIn } from '../../bench/instructions/counted-redis.ts';
import { floorScripts, type SeenReserve } from '../../bench/instructions/floor.ts';
import { readOptions } from '../../bench/instructions/options.ts';
import { type Counted, reportOf, reportText, summaryLine } from '../../bench/instructions/report.ts';
import { names } from '../../bench/script-level/calls.ts';

describe('what callgrind wrote', () => {
  it('has its instructions in the column that its events say', () => {
    expect(totalIn('version: 1\nevents: Ir\nsummary: 12\n\nfn=(1) main\n0 12\ntotals: 12345\n')).toBe(12_345);
    expect(totalIn('events: Dr Ir Dw\ntotals: 1 22 3\n')).toBe(22);
  });

  it.each(['', 'events: Ir\n', 'totals: 12\n', 'events: Dr\ntotals: 12\n'])('is refused without them: %j', (text) => {
    expect(() => totalIn(text)).toThrow('no instructions');
  });
});

const seen: SeenReserve = {
  keys: ['{s}:sale', '{s}:expiry'],
  args: ['hold-7', 'buyer-7', 'hash', 'tee', '1'],
  ids: ['hold-7', 'buyer-7'],
  commands: [
    ['HMGET', '{s}:sale', 's', 'h:hold-7', 'i:tee'],
    ['TIME'],
    ['HSET', '{s}:sale', 'h:hold-7', 'H|17|buyer-7|1', 'i:tee', 'c|9|2|0'],
    ['RPUSH', '{s}:expiry', 'hold-7|17'],
  ],
  answer: 'RESERVED|17',
};

describe('the floor under a new hold', () => {
  it('grows by one piece from script to script, and the last does all that the script was seen to do', () => {
    const scripts = floorScripts(seen);
    expect(scripts.map(({ adds }) => adds)).toEqual([
      '2 keys and 5 arguments handed over',
      'HMGET of 3 fields',
      'the sale’s record taken apart',
      'the item’s record taken apart',
      'TIME',
      'HSET of 2 fields',
      'RPUSH',
      'the answer, a text of 11 characters',
    ]);
    expect(scripts[0]).toMatchObject({ lua: 'return 1', reply: ':1\r\n' });
    const bodies = scripts.slice(0, -1).map(({ lua }) => lua.replace(/return 1$/, ''));
    for (const [index, body] of bodies.entries()) expect(scripts[index + 1]?.lua.startsWith(body)).toBe(true);
    expect(scripts.at(-1)?.reply).toBe('RESERVED|17');
  });

  it('takes keys and ids from the call, and takes apart the records that were read', () => {
    const lines = floorScripts(seen).at(-1)?.lua.split('\n');
    expect(lines?.filter((line) => !line.startsWith('if'))).toEqual([
      `local found = redis.call("HMGET", KEYS[1], "s", "h:" .. ARGV[1], "i:tee")`,
      `local s0, s1, s2, s3, s4, s5 = string.match(found[1], "^(%a+)|(%d+)|(%d+)|(%d+)|(%d+)|(%d+)|")`,
      `local i0, i1, i2 = string.match(found[3], "^c|(%d+)|(%d+)|(%d+)")`,
      `redis.call("TIME")`,
      `redis.call("HSET", KEYS[1], "h:" .. ARGV[1], "H|17|" .. ARGV[2] .. "|1", "i:tee", "c|9|2|0")`,
      `redis.call("RPUSH", KEYS[2], ARGV[1] .. "|17")`,
      `return "RESERVED|17"`,
    ]);
  });

  it('is not made up where the script does something that it does not know', () => {
    expect(() => floorScripts({ ...seen, commands: [['ZADD', '{s}:expiry', '1', 'hold-7']] })).toThrow('sends ZADD');
    expect(() => floorScripts({ ...seen, commands: [['HMGET', '{s}:sale', 'i:tee']] })).toThrow('no field');
  });
});

describe('the table', () => {
  const counted = (what: string, instructions: number, faults: readonly string[] = []): Counted => ({ what, instructions, faults });
  const calls = [counted(names.empty, 100), counted(names.bare, 200), counted(names.newHold, 800)];
  const floor = [counted('keys', 150), counted('HMGET', 450)];
  const growth = [{ smallest: counted('10 units', 400), largest: counted('1,000 units', 410) }];

  it('says what each piece adds, and that the pieces are the floor together', () => {
    const report = reportOf({ calls, floor, growth });
    expect(report.pieces.map(({ instructions }) => instructions)).toEqual([100, 50, 300]);
    expect([report.floor, report.newHold, report.aboveFloor].map(({ timesBare }) => timesBare)).toEqual([2.25, 4, 1.75]);
    const lines = reportText(report).split('\n');
    expect(lines.map((line) => line.trim().split(/ {2,}/))).toContainEqual(['+ HMGET', '300', '1.50']);
    expect(summaryLine(report)).toContain('its floor 450 instructions (2.25 × bare)');
  });

  it('says by how much a hold takes more in a larger sale', () => {
    const report = reportOf({ calls, floor, growth });
    expect(
      reportText(report)
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/)),
    ).toContainEqual(['of 1,000 units', '410', '2.05']);
    expect(summaryLine(report)).toContain('from 10 units to 1,000 units 2.5%');
  });

  it('shows what was answered otherwise than it should be', () => {
    const report = reportOf({ calls, floor: [counted('keys', 150, ['keys: no']), counted('HMGET', 450, ['HMGET: no'])], growth });
    expect(report.faults).toEqual(['keys: no', 'HMGET: no']);
    expect(reportText(report)).toContain('WRONG: HMGET: no');
    expect(summaryLine(report)).toContain('2 FAULTS');
  });

  it('is not made without what the others stand beside', () => {
    expect(() => reportOf({ calls: calls.slice(0, 1), floor, growth })).toThrow('was not counted');
  });
});

describe('the command line', () => {
  it('takes what it says', () => {
    expect(readOptions([])).toEqual({ calls: 400, rounds: 3, json: undefined });
    expect(readOptions(['--calls', '20', '--rounds', '1', '--json', 'file'])).toEqual({ calls: 20, rounds: 1, json: 'file' });
    expect(readOptions(['-h'])).toBeUndefined();
  });

  it.each([['--calls', '501'], ['--calls', '19'], ['--rounds', '0'], ['--what']])('refuses %s %s with a sentence', (...args) => {
    expect(() => readOptions(args.filter((arg) => arg !== undefined))).toThrow(/--/);
  });
});
