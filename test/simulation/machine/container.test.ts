import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Bundles,
  bundleHandlers,
  type InvokeOptions,
  type Machine,
  type MachineOptions,
  NotSimulated,
  Stuck,
  startMachine,
  startRedisServer,
} from './machine.ts';

// Small functions of the tests' own show what a container gives to the code in it.
const functions = {
  'probe/count': 'let count = 0; export const handler = async () => ++count;',
  'probe/reach': "import { connect } from 'node:net'; export const handler = async () => connect(80);",
  'probe/fetch': "export const handler = () => fetch('http://127.0.0.1/');",
  'probe/told': 'export const handler = async (event: unknown) => globalThis.fetch(String(event));',
  'probe/clock': `
    import { randomUUID } from 'node:crypto';
    import { setTimeout as pause } from 'node:timers/promises';
    export const handler = async (_: unknown, context: { getRemainingTimeInMillis(): number }) => {
      const startMs = Date.now(), left = context.getRemainingTimeInMillis(), upMs = performance.now();
      await pause(1_000);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const [at, isDate] = [new Date().toISOString(), new Date(5) instanceof Date];
      const signal = AbortSignal.timeout(250);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      const tookMs = Date.now() - startMs, left2 = context.getRemainingTimeInMillis();
      return { at, isDate, tookMs, upMs: Math.round(performance.now() - upMs), left, left2, reason: signal.reason.name, drawn: [Math.random(), randomUUID()] };
    };`,
  'probe/slow':
    "import { setTimeout as pause } from 'node:timers/promises'; export const handler = async (ms: number) => pause(ms, 'done');",
  'probe/later': `
    import { setTimeout as pause } from 'node:timers/promises';
    let rang = 0;
    export const handler = async () => { void pause(1_000).then(() => { rang += 1; }); await pause(10); return rang; };`,
  'probe/says': "export const handler = async () => { console.log('to whom it may concern'); throw new TypeError('no'); };",
} as const;

let root = '';
let bundles: Bundles;
const redis = startRedisServer();
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'probes-'));
  for (const [name, code] of Object.entries(functions)) {
    const file = join(root, 'functions', `${name}.handler.ts`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  }
  bundles = bundleHandlers(root);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function within<T>(main: (machine: Machine) => Promise<T>, options: Partial<MachineOptions> = {}): Promise<T> {
  const machine = await startMachine({ seed: 1, bundles, redis, ...options });
  let given: { readonly value: T } | undefined;
  try {
    await machine.run(async () => {
      given = { value: await main(machine) };
    });
  } finally {
    await machine.stop();
  }
  if (!given) throw new Error('the machine came to no end');
  return given.value;
}

const ask = (name: keyof typeof functions, event: unknown = null, options: InvokeOptions = {}) =>
  within((machine) => machine.invoke(name, event, options));

describe('a container', () => {
  it('has module state of its own, and keeps it from one invocation to the next', async () => {
    const results = await within(async (machine) => {
      const one = async (container: 'any' | 'fresh') => (await machine.invoke('probe/count', null, { container })) as { result?: unknown };
      return [await one('any'), await one('any'), await one('fresh')].map(({ result }) => result);
    });
    expect(results).toEqual([1, 2, 1]);
  });

  it('serves one invocation at a time: a second at the same time gets a container of its own', async () => {
    const both = await within((machine) => Promise.all([machine.invoke('probe/later', null), machine.invoke('probe/later', null)]));
    expect(both).toEqual([
      { outcome: 'returned', result: 0 },
      { outcome: 'returned', result: 0 },
    ]);
  });

  it('cannot reach out: a module or a global that would is refused, and ends the run', async () => {
    for (const name of ['probe/reach', 'probe/fetch', 'probe/told'] as const) await expect(ask(name)).rejects.toThrow(NotSimulated);
  });

  it('lives in virtual time, with its randomness from the seed', async () => {
    const startMs = Date.UTC(2026, 5, 1);
    const run = () => within((machine) => machine.invoke('probe/clock', null, { timeoutMs: 10_000, skewMs: 3_600_000 }), { startMs });
    const ended = await run();
    expect(ended).toMatchObject({
      result: { isDate: true, tookMs: 1_750, upMs: 1_750, left: 10_000, left2: 8_250, reason: 'TimeoutError' },
    });
    expect(ended).toMatchObject({ result: { at: expect.stringMatching(/^2026-06-01T01:00:01/) } });
    expect(await run()).toEqual(ended);
  });

  it('is gone when its time is over, and the next invocation begins anew', async () => {
    const [late, next] = await within(async (machine) => {
      const startMs = machine.nowMs();
      const ended = await machine.invoke('probe/slow', 60_000, { timeoutMs: 5_000 });
      expect(machine.nowMs() - startMs).toBeLessThan(5_500);
      return [ended, await machine.invoke('probe/slow', 10)];
    });
    expect([late, next]).toEqual([{ outcome: 'timed-out' }, { outcome: 'returned', result: 'done' }]);
  });

  it('is frozen while nothing runs in it: what it left behind goes on with the next invocation', async () => {
    const rang = await within(async (machine) => {
      const one = async () => ((await machine.invoke('probe/later', null)) as { result?: unknown }).result;
      const first = await one();
      await machine.sleep(60_000);
      return [first, await one()];
    });
    expect(rang).toEqual([0, 1]);
  });

  it('writes to the trace, and what it throws is the answer', async () => {
    await within(async (machine) => {
      const ended = await machine.invoke('probe/says', null);
      expect(ended).toMatchObject({ outcome: 'threw', error: { message: 'no' } });
      const stack = ended.outcome === 'threw' && ended.error instanceof Error ? (ended.error.stack ?? '') : '';
      expect(bundles.readable(stack)).toContain('functions/probe/says.handler.ts:1');
      expect(machine.trace.logs).toMatchObject([{ functionName: 'probe/says', text: 'to whom it may concern' }]);
    });
  });
});

describe('a run', () => {
  it('says when nothing is left to happen', async () => {
    await expect(within(() => new Promise(() => {}))).rejects.toThrow(Stuck);
  });

  it('passes on what its main throws', async () => {
    await expect(within(() => Promise.reject(new RangeError('mine')))).rejects.toThrow(RangeError);
  });
});
