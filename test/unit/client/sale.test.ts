import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Flaw, openMarket } from './market.ts';

const runMsMax = 240_000;

const saleTool = fileURLToPath(new URL('../../../bin/sale.ts', import.meta.url));

/** Runs `npm run sale` as a process. The bound is for one that hangs: all of them run at once, on a machine that has other work. */
async function runSale(...args: string[]) {
  const child = spawn(process.execPath, [saleTool, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: runMsMax });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const code = await new Promise<number | null>((ended) => child.on('close', ended));
  return { code, output, errors };
}

async function runAgainst(flaw: Flaw, ...args: string[]) {
  const market = await openMarket(flaw);
  try {
    return await runSale('--url', market.url, '--buyers', '30', '--units', '10', ...args);
  } finally {
    await market.close();
  }
}

describe.concurrent('npm run sale', { timeout: runMsMax + 30_000 }, () => {
  it('ends with 0 when every guarantee was kept, and says so', async () => {
    const { code, output } = await runAgainst('none');
    expect(output).toMatch(/ORDERED +10\b/);
    expect(output).toMatch(/SOLD_OUT +20\b/);
    expect(output).toContain('VERDICT: clean. 10 of 10 units sold, 20 buyers refused');
    expect(code).toBe(0);
  });

  it('sells seats with --seats: who finds them taken takes others, and none is sold twice', async () => {
    // 30 blind picks meet all of 25 seats once in more runs than will ever be: somebody has to take another one.
    const { code, output } = await runAgainst('none', '--seats', '--units', '25');
    expect(output).toMatch(/ORDERED +25\b/);
    expect(output).toMatch(/SEAT_TAKEN +5\b/);
    expect(output).toMatch(/[1-9]\d* times other seats picked/);
    expect(output).toContain('VERDICT: clean. 25 of 25 units sold, 5 buyers refused');
    expect(code).toBe(0);
  });

  it('ends with 0 when a retry made a failure good, and counts the failure', async () => {
    const { code, output } = await runAgainst('fails every third time');
    expect(output).toMatch(/[1-9]\d* answers of 5xx or none at all, [1-9]\d* retries/);
    expect(code).toBe(0);
  });

  it.each([
    ['sells a unit twice', 'no unit is sold twice', []],
    ['forgets an order', 'every order that a buyer was told about exists', ['--wait', '1']],
    ['never fulfils', 'every order has ended', ['--wait', '1']],
    ['fails always', 'every buyer got an outcome', ['--buyers', '3']],
    ['sells a unit twice', 'no unit is sold twice', ['--seats']],
    ['refuses free seats', 'no seat is refused that nobody has', ['--seats']],
  ] as const)('ends with 1 when the service %s', async (flaw, guarantee, args) => {
    const { code, output } = await runAgainst(flaw, ...args);
    expect(output).toContain('VERDICT: BROKEN');
    expect(output).toContain(`  ${guarantee}: `);
    expect(code).toBe(1);
  });

  it('ends with 2 and a sentence when it was called wrongly, or nothing answers', async () => {
    expect(await runSale('--buyers', 'many')).toMatchObject({ code: 2, errors: expect.stringContaining('--buyers takes a whole number') });
    // A port that was free a moment ago.
    const placeholder = createServer();
    await new Promise<void>((listening) => placeholder.listen(0, '127.0.0.1', listening));
    const { port } = placeholder.address() as { port: number };
    await new Promise((closed) => placeholder.close(closed));
    const unreachable = await runSale('--url', `http://127.0.0.1:${port}`);
    expect(unreachable).toMatchObject({ code: 2, errors: expect.stringContaining('npm start') });
  });

  it('explains itself', async () => {
    const { code, output } = await runSale('--help');
    for (const option of ['--url', '--buyers', '--units', '--quantity', '--seats', '--concurrency', '--operator-token'])
      expect(output).toContain(option);
    expect(code).toBe(0);
  });
});
