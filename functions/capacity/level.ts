import { isOn, type Level, neededLevel, nothingWarm } from './capacity.model.ts';
import type { LevelPorts } from './capacity.ports.ts';

/** What was asked for did not stay as it was asked: somebody else sets the same parts. */
export class CapacityUnsettled extends Error {
  override readonly name = 'CapacityUnsettled';
}

const roundsMax = 5;

/**
 * Brings the parts to the level that all sales need now, whatever called for it: it looks at the sales and at the parts, and not at who calls, so
 * calls may be lost, doubled, late or out of order. Whoever has changed something looks again before it ends, so of several at once the one
 * that wrote last has looked after writing, and it is right. Throws what a part threw twice, after the others were brought along (once may be
 * the doing of another run that was ahead), and `CapacityUnsettled`.
 */
export async function bringToLevel(ports: LevelPorts): Promise<Level> {
  let hasFailed = false;
  for (let round = 0; round < roundsMax; round++) {
    const level = await levelNow(ports);
    const brought = await Promise.allSettled([bringEnvironments(level.concurrency, ports), bringTables(level.writeUnits, ports)]);
    const failure = brought.find((outcome) => outcome.status === 'rejected');
    if (failure && hasFailed) throw failure.reason;
    hasFailed = failure !== undefined;
    if (brought.every((outcome) => outcome.status === 'fulfilled' && outcome.value === 'as-needed')) return level;
  }
  throw new CapacityUnsettled(`the level was not reached in ${roundsMax} rounds`);
}

async function levelNow({ sales, wants, clock }: LevelPorts): Promise<Level> {
  // What was raised before it was turned off is taken down all the same.
  if (!isOn(wants)) return nothingWarm;
  const nowMs = clock.nowMs();
  return neededLevel(await sales.liveSales(nowMs), wants, nowMs);
}

type Brought = 'as-needed' | 'changed';

async function bringEnvironments(needed: number, { environments }: LevelPorts): Promise<Brought> {
  if ((await environments.asked()) === needed) return 'as-needed';
  await environments.ask(needed);
  return 'changed';
}

/** Only upwards: a table keeps what it has, and nothing is paid for keeping it. One that is rising is for a later run. */
async function bringTables(needed: number, { tables }: LevelPorts): Promise<Brought> {
  if (needed === 0) return 'as-needed';
  const low = (await tables.all()).flatMap(({ table, parts, isRising }) => {
    const lower = parts.filter(({ writeUnits }) => writeUnits < needed);
    return lower.length > 0 && !isRising ? [{ table, lower }] : [];
  });
  const raised = await Promise.allSettled(low.map(({ table, lower }) => tables.raise(table, lower, needed)));
  const failure = raised.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
  return raised.some((outcome) => outcome.status === 'fulfilled' && outcome.value === 'asked') ? 'changed' : 'as-needed';
}
