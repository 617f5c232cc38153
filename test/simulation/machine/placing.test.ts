import { describe, expect, it } from 'vitest';
import { bundleHandlers, type IoCall, type Machine, startMachine, startRedisServer, type Verdict } from './machine.ts';
import { openLaunch, placing, statusOf } from './requests.ts';

const shared = { bundles: bundleHandlers(), redis: startRedisServer() };
const pass: Verdict = { do: 'pass' };

/** A sale that the real API has made, for as long as the test runs. */
async function inLaunch(main: (machine: Machine) => Promise<void>): Promise<void> {
  const machine = await startMachine({ seed: 5, ...shared });
  await machine.run(async () => {
    await openLaunch(machine, 200);
    await main(machine);
  });
  await machine.stop();
}

/** An order placed in a fresh container, and the calls that this came to. */
async function place(machine: Machine, who: string, judge: (call: IoCall) => Verdict = () => pass) {
  const calls: IoCall[] = [];
  machine.onIo((call) => {
    calls.push(call);
    return judge(call);
  });
  const answer = statusOf(await machine.invoke('orders/place', placing(who, 'key', 2), { container: 'fresh' }));
  machine.onIo(() => pass);
  return { answer, calls };
}

const at =
  (index: number, verdict: Verdict) =>
  (call: IoCall): Verdict =>
    call.index === index ? verdict : pass;

const ordersOf = ({ database }: Machine, who: string) => database.items('orders').filter(({ buyerId }) => buyerId === who);

/** What an order is made of, once Redis knows the scripts. */
const usual = ['GetSecretValue', 'Get', 'stock.reserve', 'TransactWrite', 'stock.acknowledge'];
const committing = usual.indexOf('TransactWrite');

describe('an order', () => {
  it('is placed by the real functions: answered 201, with its rows in the database and its hold in Redis', async () => {
    await inLaunch(async (machine) => {
      const { answer, calls } = await place(machine, 'ada');
      expect(answer).toBe(201);
      expect(ordersOf(machine, 'ada')).toMatchObject([{ status: 'RESERVED' }]);
      expect(machine.database.items('units')).toHaveLength(2);
      expect(machine.redis.command('HLEN', '{launch}:sale')).toBeGreaterThan(1);
      // A Redis that does not know a script is sent its text.
      const texts = calls.filter(({ input }) => Array.isArray(input) && input[0] === 'EVAL').map(({ operation }) => operation);
      expect(texts).toEqual(['stock.reserve', 'stock.acknowledge']);
      expect((await place(machine, 'bob')).calls.map(({ operation }) => operation)).toEqual(usual);
    });
  });

  it('is there or not when its container dies before or after any call, and is placed once when its buyer asks again', async () => {
    await inLaunch(async (machine) => {
      await place(machine, 'first');
      for (const [index, operation] of usual.entries()) {
        for (const verdict of ['dieBefore', 'dieAfter'] as const) {
          const who = `${verdict}-${index}`;
          const { answer, calls } = await place(machine, who, at(index, { do: verdict }));
          expect([answer, calls.at(-1)?.operation]).toEqual(['died', operation]);
          const isDone = verdict === 'dieBefore' ? committing < index : committing <= index;
          expect(ordersOf(machine, who), who).toHaveLength(isDone ? 1 : 0);
          expect((await place(machine, who)).answer, who).toBe(201);
          expect(ordersOf(machine, who), who).toHaveLength(1);
        }
      }
    });
  });

  it('is placed all the same when any reply is lost, any call fails, or its container freezes', async () => {
    const verdicts = [
      { do: 'loseReply', error: 'reset' },
      { do: 'fail', error: 'reset' },
      { do: 'freeze', ms: 1_000 },
    ] as const;
    await inLaunch(async (machine) => {
      await place(machine, 'first');
      for (const index of usual.keys()) {
        for (const verdict of verdicts) {
          const who = `${verdict.do}-${index}`;
          const startMs = machine.nowMs();
          expect((await place(machine, who, at(index, verdict))).answer, who).toBe(201);
          expect(ordersOf(machine, who), who).toHaveLength(1);
          if (verdict.do === 'freeze') expect(machine.nowMs() - startMs).toBeGreaterThan(1_000);
        }
      }
    });
  });

  it('is attempted again by the SDK, and each attempt is a call of its own', async () => {
    await inLaunch(async (machine) => {
      const throttled = ({ operation, attempt }: IoCall): Verdict =>
        operation === 'TransactWrite' && attempt < 2 ? { do: 'fail', error: 'throttled' } : pass;
      const { answer, calls } = await place(machine, 'ada', throttled);
      expect(answer).toBe(201);
      expect(calls.filter(({ operation }) => operation === 'TransactWrite').map(({ attempt }) => attempt)).toEqual([0, 1, 2]);
    });
  });

  it('is refused while Redis is not to be reached or empty, and an empty one is asked to be rebuilt', async () => {
    await inLaunch(async (machine) => {
      machine.redis.down();
      expect((await place(machine, 'ada')).answer).toBe(503);
      machine.redis.up();
      expect((await place(machine, 'ada')).answer).toBe(201);
      machine.redis.restart();
      expect((await place(machine, 'bob')).answer).toBe(503);
      const asked = machine.queues.urls.flatMap((url) => machine.queues.messages(url).map(({ body }) => body));
      expect(asked).toEqual(['{"saleId":"launch"}']);
    });
  });
});
