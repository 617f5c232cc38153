import { readFile, writeFile } from 'node:fs/promises';
import { BadOption } from '../../test/support/command-line.ts';
import { attemptCosts, orderCosts, readyCosts } from './costs.ts';
import { BlockMissing, withBlocks } from './document.ts';
import { type Inputs, readInputs, writeCounted } from './measured.ts';
import { type Load, needsOf } from './model.ts';
import { helpText, readOptions } from './options.ts';
import { blocksOf } from './report.ts';
import { wallsOf } from './walls.ts';

const exit = { done: 0, notRun: 2 } as const;
const document = new URL('../../docs/scale.md', import.meta.url);
const say = (text: string) => void process.stdout.write(`${text}\n`);

export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (!options) {
      say(helpText);
      return exit.done;
    }
    const inputs = options.writes ? await bringUpToDate(options.load) : await readInputs();
    print(inputs, options.load);
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(asJson(inputs, options.load), undefined, 2)}\n`);
    return exit.done;
  } catch (error) {
    const isForItsUser = error instanceof BadOption || error instanceof BlockMissing;
    process.stderr.write(`${isForItsUser ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    return exit.notRun;
  }
}

/** What is asked for last stands last: the answer. */
function print(inputs: Inputs, load: Load): void {
  const { walls, layers, tables, consumers, attempts, orders, ready, summary } = blocksOf(inputs, load);
  const parts = {
    Walls: walls,
    Layers: layers,
    Tables: tables,
    Consumers: consumers,
    'A million attempts': attempts,
    'A million orders': orders,
  };
  for (const [heading, block] of Object.entries({ ...parts, 'Standing ready': ready, Summary: summary }))
    say(`## ${heading}\n\n${block}\n`);
}

/** Counts what the code says, and writes it where it is kept. */
async function bringUpToDate(load: Load): Promise<Inputs> {
  // Only here: it loads the CDK.
  const { countAll } = await import('./counts.ts');
  const inputs = await writeCounted(await countAll());
  await writeFile(document, withBlocks(await readFile(document, 'utf8'), blocksOf(inputs, load)));
  return inputs;
}

const asJson = (inputs: Inputs, load: Load) => ({
  load,
  walls: wallsOf(inputs, load),
  needs: needsOf(inputs, load),
  dollars: { perMillionAttempts: attemptCosts(inputs), perMillionOrders: orderCosts(inputs, load), ready: readyCosts(inputs, load) },
});
