import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../shared/clock.ts';
import { measure } from '../shared/metrics.ts';
import { type OutboxKey, pollShardNames } from '../shared/outbox.ts';
import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';
import { type Bus, type DispatchRecord, dispatch, type Undelivered } from './dispatch.ts';
import { busEntriesOf } from './outbox.ts';
import type { Failed, Unpublished, UnpublishedRows } from './unpublished.ports.ts';

export interface PollPorts {
  readonly rows: Pick<UnpublishedRows, 'due' | 'published' | 'failed'>;
  readonly bus: Bus;
  readonly clock: Clock;
}

export interface PollReport {
  readonly published: number;
  /** Rows that are tried again later. */
  readonly failed: number;
  readonly setAside: number;
  /** The bus did not answer. Nothing is counted against the rows, and the round ends early. */
  readonly isBusAway: boolean;
}

/** So often a row is refused before it is set aside; with the waits between them, over five minutes. */
export const attemptsMax = 10;
const rowsPerPage = 50;
const pagesPerRoundMax = 20;
const shardsAtOnce = 8;
const updatesAtOnce = 8;
const waitMsMax = 60_000;

/** How long a row waits after so many refusals: 1 s, 2 s, 4 s, … at most a minute, so that others go before it. */
export const waitMsAfter = (attempts: number): number => Math.min(1_000 * 2 ** (attempts - 1), waitMsMax);

/** What becomes of a row that was refused once more. */
export function decideRefused({ attempts }: Pick<Unpublished, 'attempts'>, why: string, nowMs: number): Failed {
  const tried = attempts + 1;
  return { why, attempts: tried, againAtMs: tried >= attemptsMax ? 'never' : nowMs + waitMsAfter(tried) };
}

const nothing: PollReport = { published: 0, failed: 0, setAside: 0, isBusAway: false };
const sum = (one: PollReport, other: PollReport): PollReport => ({
  published: one.published + other.published,
  failed: one.failed + other.failed,
  setAside: one.setAside + other.setAside,
  isBusAway: one.isBusAway || other.isBusAway,
});

/**
 * One round over all partitions: publishes every row whose time has come, and only then takes it out of the index. Whoever dies in between
 * publishes again, and two pollers at once publish some rows twice: every consumer may hear an event any number of times.
 */
export async function pollOnce(ports: PollPorts): Promise<PollReport> {
  const reports = await inParallel(pollShardNames, shardsAtOnce, (shard) => pollShard(shard, ports));
  return reports.reduce(sum, nothing);
}

async function pollShard(shard: string, ports: PollPorts): Promise<PollReport> {
  let report = nothing;
  for (let page = 0; page < pagesPerRoundMax; page++) {
    const rows = await ports.rows.due(shard, ports.clock.nowMs(), rowsPerPage);
    if (rows.length === 0) break;
    report = sum(report, await publish(rows, ports));
    if (report.isBusAway || rows.length < rowsPerPage) break;
  }
  return report;
}

async function publish(rows: readonly Unpublished[], ports: PollPorts): Promise<PollReport> {
  // A call is refused as a whole for one bad entry: what was refused before goes alone, and ruins no other row's attempt.
  const fresh = rows.filter(({ attempts }) => attempts === 0);
  const tried = rows.filter(({ attempts }) => attempts > 0);
  const reports = [await publishTogether(fresh, ports)];
  for (const row of tried) {
    if (reports.some(({ isBusAway }) => isBusAway)) break;
    reports.push(await publishTogether([row], ports));
  }
  return reports.reduce(sum, nothing);
}

const idOf = ({ subject, version }: OutboxKey) => `${subject}#${version}`;

async function publishTogether(rows: readonly Unpublished[], { rows: repository, bus, clock }: PollPorts): Promise<PollReport> {
  const undelivered = new Map<string, Undelivered>();
  const records = rows.flatMap((row): DispatchRecord[] => {
    try {
      return [{ recordId: idOf(row), entries: busEntriesOf(row.item) }];
    } catch (error) {
      undelivered.set(idOf(row), { recordId: idOf(row), why: `it cannot be read: ${String(error)}`, isBusAway: false });
      return [];
    }
  });
  for (const each of await dispatch(records, bus)) undelivered.set(each.recordId, each);

  const lagsMs: number[] = [];
  let [failed, setAside] = [0, 0];
  await inParallel(rows, updatesAtOnce, async (row) => {
    const outcome = undelivered.get(idOf(row));
    if (!outcome) {
      await repository.published(row);
      lagsMs.push(Math.max(0, clock.nowMs() - row.atMs));
    } else if (!outcome.isBusAway) {
      const decision = decideRefused(row, outcome.why, clock.nowMs());
      await repository.failed(row, decision);
      failed++;
      if (decision.againAtMs !== 'never') return;
      setAside++;
      log.error('an outbox row is set aside', { row: idOf(row), attempts: decision.attempts, why: decision.why });
    }
  });
  measure('OutboxLag', 'poller', lagsMs, { clock });
  if (failed > 0) measure('OutboxFailures', 'poller', failed, { clock });
  if (setAside > 0) measure('OutboxSetAside', 'poller', setAside, { clock });
  const isBusAway = [...undelivered.values()].some((each) => each.isBusAway);
  return { published: lagsMs.length, failed: failed - setAside, setAside, isBusAway };
}

export interface PollPace {
  /** How long this run may go on. */
  readonly remainingMs: () => number;
  /** Whether to end as soon as nothing is due: nobody writes rows for the poller, or somebody waits for the answer. */
  readonly untilIdle: boolean;
}

const busyPauseMs = 200;
const idlePauseMs = 500;
const awayPauseMs = 5_000;
const failedPauseMs = 1_000;

/**
 * Round after round until the time is up, or nothing is left to do where that is enough. An event waits a second or less. Throws what the
 * last round met when it failed.
 */
export async function poll(ports: PollPorts, { remainingMs, untilIdle }: PollPace): Promise<PollReport> {
  let total = nothing;
  for (;;) {
    let failure: { readonly cause: unknown } | undefined;
    const round = await pollOnce(ports).catch((cause: unknown) => {
      failure = { cause };
      return nothing;
    });
    total = { ...sum(total, round), isBusAway: round.isBusAway };
    const isIdle = round.published === 0;
    const pauseMs = failure ? failedPauseMs : round.isBusAway ? awayPauseMs : isIdle ? idlePauseMs : busyPauseMs;
    const isOver = (untilIdle && isIdle) || remainingMs() <= pauseMs;
    if (isOver && failure) throw failure.cause;
    if (isOver) return total;
    // What a round did not get to is there in the next one, a second later and not with the next run.
    if (failure) log.warn('a round of polling failed', { error: failure.cause });
    await pause(pauseMs);
  }
}
