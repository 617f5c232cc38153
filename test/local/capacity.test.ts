import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atExpression } from '../../functions/capacity/sale-schedules.ts';
import { until } from '../../lib/client/bounded.ts';
import { type Runtime, startRuntime } from '../../lib/local/index.ts';
import { type Synthesised, synthesised } from '../stack/synthesised.ts';

// The whole path as it deploys: an operator's request, the outbox, the bus, the queue, the plan, schedules that fire, the level.

let stacks: Synthesised;
let runtime: Runtime;
let directory: string;
let operator: string;
const parameters = { PrewarmConcurrency: '3', PrewarmWriteUnits: '9000', PrewarmLeadMinutes: '10', PrewarmGraceMinutes: '0' };
const minuteMs = 60_000;
const log: string[] = [];

const start = () =>
  startRuntime({
    port: 0,
    cdkOut: stacks.directory,
    parameters,
    dataDirectory: directory,
    onLog: (source, line) => void (source === 'runtime' && log.push(line)),
  });

async function call(method: string, path: string, body?: object): Promise<void> {
  const answer = await fetch(`${runtime.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  expect(answer.ok, `${method} ${path}: ${await answer.text()}`).toBe(true);
}

async function signIn(): Promise<void> {
  const answer = await fetch(`${runtime.url}/local/token`, {
    method: 'POST',
    body: JSON.stringify({ sub: 'olga', scope: 'sale:operate' }),
  });
  operator = ((await answer.json()) as { access_token: string }).access_token;
}

beforeAll(async () => {
  stacks = synthesised();
  directory = await mkdtemp(join(tmpdir(), 'stampede-test-'));
  runtime = await start();
  await signIn();
  await call('POST', '/v1/products', { sku: 'tee', name: 'Tee', priceMinor: 100, currency: 'EUR' });
});
afterAll(async () => {
  await runtime?.stop();
  stacks?.remove();
  if (directory) rmSync(directory, { recursive: true, force: true });
});

const iso = (ms: number) => new Date(ms).toISOString();
const sell = (saleId: string, opensAtMs: number, closesAtMs: number) =>
  call('POST', '/v1/sales', {
    saleId,
    name: saleId,
    opensAt: iso(opensAtMs),
    closesAt: iso(closesAtMs),
    items: [{ sku: 'tee', units: 10 }],
  });
/** Environments that are ready, all in all. */
const ready = () => [...runtime.capacity().provisioned.values()].reduce((sum, count) => sum + count, 0);
const schedulesOf = (saleId: string) =>
  Object.fromEntries(
    runtime
      .capacity()
      .schedules.filter(({ Description }) => Description?.endsWith(` ${saleId}`))
      .map(({ Description = '', ScheduleExpression }) => [Description.split(' ')[0], ScheduleExpression]),
  );
const eventually = (what: string, isSo: () => boolean) => until(what, async () => isSo() || undefined, { everyMs: 50 });

/** Ends the sale's window so soon that it can be waited for, and late enough for a schedule to stand: on a busy machine that takes longer. */
async function endsBySchedule(first: string): Promise<void> {
  for (const [attempt, seconds] of [3, 10, 30].entries()) {
    const saleId = attempt === 0 ? first : `${first}-${attempt}`;
    if (attempt > 0) await sell(saleId, Date.now() + 1_000, Date.now() + 60 * minuteMs);
    await eventually('it is ready', () => ready() === 3);
    const closesAtMs = Date.now() + seconds * 1_000;
    await call('PATCH', `/v1/sales/${saleId}`, { closesAt: iso(closesAtMs) });
    await until('its end has come', async () => ready() === 0 || undefined, { everyMs: 50, withinMs: 60_000 });
    expect(Date.now()).toBeGreaterThanOrEqual(closesAtMs);
    await eventually('nothing is left of its schedules', () => Object.keys(schedulesOf(saleId)).length === 0);
    if (log.includes(`the schedule cool ${saleId} is due`)) return;
  }
  throw new Error('no schedule was there in time');
}

describe('a runtime that is asked for capacity', () => {
  it('has a sale’s capacity ready by its window: schedules with the sale, environments and tables before it opens, none after it', {
    timeout: 180_000,
  }, async () => {
    const nowMs = Date.now();
    const opensAtMs = Math.ceil(nowMs / 1_000) * 1_000 + 3 * 86_400_000;
    await sell('far', opensAtMs, opensAtMs + 60 * minuteMs);
    await eventually('its schedules stand', () => Object.keys(schedulesOf('far')).length === 3);
    expect(schedulesOf('far')).toEqual({
      tables: atExpression(opensAtMs - 86_400_000),
      warm: atExpression(opensAtMs - 10 * minuteMs),
      cool: atExpression(opensAtMs + 60 * minuteMs),
    });
    expect([ready(), runtime.capacity().writeUnits.size]).toEqual([0, 0]);

    // Its lead has begun when it is made, and then it ends soon.
    await sell('near', Date.now() + 2_000, Date.now() + 60 * minuteMs);
    await eventually('environments and tables are ready', () => ready() === 3 && runtime.capacity().writeUnits.size === 6);
    expect(new Set(runtime.capacity().writeUnits.values())).toEqual(new Set([9_000]));
    await endsBySchedule('near');
    // What a table has been given stays.
    expect(new Set(runtime.capacity().writeUnits.values())).toEqual(new Set([9_000]));
  });

  it('follows a window that moves and a sale that is called off', async () => {
    const opensAtMs = Math.ceil(Date.now() / 1_000) * 1_000 + 5 * minuteMs;
    await call('PATCH', '/v1/sales/far', { opensAt: iso(opensAtMs), closesAt: iso(opensAtMs + 60 * minuteMs) });
    await eventually('it has begun to want', () => ready() === 3);
    expect(schedulesOf('far')).toEqual({ cool: atExpression(opensAtMs + 60 * minuteMs) });
    await call('POST', '/v1/sales/far/cancel', { reason: 'rain' });
    await eventually('it wants nothing any more', () => ready() === 0 && Object.keys(schedulesOf('far')).length === 0);
  });

  it('has schedules and level again after a restart', { timeout: 180_000 }, async () => {
    const opensAtMs = Date.now() + 5 * minuteMs;
    await sell('kept', opensAtMs, opensAtMs + 60 * minuteMs);
    await eventually('it is ready', () => ready() === 3 && Object.keys(schedulesOf('kept')).length === 1);
    const before = schedulesOf('kept');
    await runtime.stop();
    runtime = await start();
    expect(schedulesOf('kept')).toEqual(before);
    await eventually('it is ready again', () => ready() === 3);
  });
});
