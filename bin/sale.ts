import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client } from '../lib/client/client.ts';
import { Connection, NoAnswer } from '../lib/client/connection.ts';
import { type Crowd, type CrowdPlan, EndpointRefused, gather, type Rush, rush, type Settlement, settle } from '../lib/client/crowd.ts';
import { helpText, readOptions, type SaleOptions, UsageError } from '../lib/client/options.ts';
import { showProgress } from '../lib/client/progress.ts';
import { summaryOf, verdictLines } from '../lib/client/report.ts';
import { type Callers, givenCallers, localCallers, NoToken } from '../lib/client/tokens.ts';
import { isClean, unitsSold, verdictOf } from '../lib/client/verdict.ts';

const exit = { clean: 0, broken: 1, notRun: 2 } as const;

async function callersOf(client: Client, options: SaleOptions): Promise<Callers> {
  if (options.operatorToken === undefined || options.buyerTokens === undefined)
    return localCallers(client, `buyer-${randomUUID().slice(0, 8)}`);
  const lines = await readFile(options.buyerTokens, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`--buyer-tokens: ${options.buyerTokens} can't be read.`, { cause });
  });
  return givenCallers(options.operatorToken, lines.split(/\s+/).filter(Boolean));
}

async function sell(client: Client, options: SaleOptions): Promise<number> {
  const { buyers, units, seats: seated, quantity, strategy, concurrency } = options;
  const plan: CrowdPlan = { buyers, units, seated, quantity, strategy, concurrency, priceMinor: 4_999, currency: 'EUR' };
  const health = await client.health();
  if (!health.ok) throw new EndpointRefused(`GET /v1/health answered ${health.status}: ${health.text.slice(0, 200)}`);
  const progress = showProgress();
  try {
    const crowd = await gather(client, await callersOf(client, options), plan, Date.now(), progress);
    const run = await rush(client, crowd, progress);
    const settlement = await settle(crowd, run.purchases, options.waitSeconds * 1_000, progress).catch((error: unknown) => {
      // People have bought: from here on, a service that can't say what became of them has failed.
      if (error instanceof EndpointRefused || error instanceof NoAnswer) return error;
      throw error;
    });
    progress.end();
    if (settlement instanceof Error) {
      console.log(`VERDICT: BROKEN. What became of the orders could not be read: ${settlement.message}`);
      return exit.broken;
    }
    return judge(crowd, run, settlement);
  } finally {
    progress.end();
  }
}

function judge(crowd: Crowd, run: Rush, { orders, audit, quiet }: Settlement): number {
  const { units, quantity, priceMinor } = crowd.plan;
  console.log(summaryOf({ saleId: crowd.saleId, rush: run, audit, orders, quiet }));
  const findings = verdictOf({ sku: crowd.sku, units, seats: crowd.seats, quantity, priceMinor, purchases: run.purchases, orders, audit });
  const refused = run.purchases.filter(({ order }) => !order).length;
  console.log(`\n${verdictLines(findings, { sold: unitsSold(orders), units, refused })}`);
  return isClean(findings) ? exit.clean : exit.broken;
}

/** Why there was no run, as a sentence that says what to do; undefined for what nobody foresaw. */
function adviceFor(error: unknown, url: string): string | undefined {
  if (error instanceof UsageError) return `${error.message}\nnpm run sale -- --help shows every option.`;
  if (error instanceof NoAnswer)
    return `Nothing answers at ${url}: start the embedded runtime with npm start, or name another endpoint with --url.\n(${error.message})`;
  if (error instanceof NoToken) return `${error.message}\nGive --operator-token and --buyer-tokens; --help says how.`;
  if (error instanceof EndpointRefused) return `${url} would not go along: ${error.message}`;
  return undefined;
}

async function main(): Promise<number> {
  let url = '';
  let connection: Connection | undefined;
  try {
    const options = readOptions(process.argv.slice(2), process.env);
    if (options === 'help') {
      console.log(helpText);
      return exit.clean;
    }
    url = options.url;
    connection = new Connection(url, { connections: options.concurrency, timeoutMs: 30_000 });
    return await sell(new Client(connection), options);
  } catch (error) {
    const advice = adviceFor(error, url);
    console.error(advice ?? error);
    return exit.notRun;
  } finally {
    await connection?.close();
  }
}

process.exitCode = await main();
