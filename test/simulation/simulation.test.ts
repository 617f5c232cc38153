import { beforeAll, describe, expect, it } from 'vitest';
import { planOf } from './plan.ts';
import { type Kit, makeKit, type Outcome, runPlan } from './run.ts';
import { shrink } from './shrink.ts';
import { addOutcome, commandOf, missingRows, noTotals, storyOf, summaryOf } from './story.ts';

/** Together they met every row of the fault table when they were chosen. Any new call to the outside makes other histories of them. */
const fixedSeeds = [312, 309, 81, 107, 120, 28];
/** What those do not meet any more, these do. */
const moreSeeds = Array.from({ length: 40 }, (_, index) => index + 1);
const freshSeeds = 4;
const minutes = 4;
/** A run takes a second or so; a machine that is busy with other tests takes its time. */
const timeoutMs = 240_000;

let kit: Kit;
beforeAll(() => {
  kit = makeKit();
});

/** Tells a broken run as a story, with the command that runs it again. */
const expectUnbroken = (outcome: Outcome) => {
  if (outcome.findings.length > 0) console.error(`${storyOf(outcome)}\nAgain: ${commandOf(outcome.plan)}`);
  expect(outcome.findings, `seed ${outcome.plan.seed}`).toEqual([]);
};

describe('the simulation', () => {
  it(
    'keeps every invariant through every row of the fault table',
    async () => {
      let totals = noTotals;
      for (const seed of [...fixedSeeds, ...moreSeeds]) {
        if (moreSeeds.includes(seed) && missingRows(totals).length === 0) break;
        const outcome = await runPlan(planOf(seed, { minutes }), kit);
        totals = addOutcome(totals, outcome);
        expectUnbroken(outcome);
      }
      console.info(summaryOf(totals));
      expect(missingRows(totals)).toEqual([]);
      expect(totals.runsMoved, 'units moved between the shards of a sale').toBeGreaterThan(0);
      expect(totals.ledgerDifferenceMinor).toBe(0);
    },
    timeoutMs,
  );

  it(
    'keeps every invariant under seeds that nobody has seen before',
    async () => {
      const seeds = Array.from({ length: freshSeeds }, () => Math.floor(Math.random() * 2 ** 31));
      console.info(`fresh seeds: ${seeds.join(', ')}`);
      for (const seed of seeds) expectUnbroken(await runPlan(planOf(seed, { minutes }), kit));
    },
    timeoutMs,
  );

  it(
    'takes the same steps when a seed is run again, whatever ran before it',
    async () => {
      const [first = 1, second = 2] = fixedSeeds;
      const once = await runPlan(planOf(first, { minutes }), kit);
      const other = await runPlan(planOf(second, { minutes }), kit);
      const again = await runPlan(planOf(first, { minutes }), kit);
      expect(again.hash).toBe(once.hash);
      expect(again.told).toEqual(once.told);
      expect(other.hash).not.toBe(once.hash);
    },
    timeoutMs,
  );

  it('leaves of a broken run only what breaks it', async () => {
    const plan = planOf(1014, { minutes });
    const outcome = (broken: Outcome['plan']): Outcome => ({ ...noOutcome, plan: broken, findings: findingsOf(broken) });
    const culprits = [plan.actions[3]?.id, plan.faults[1]?.id];
    const findingsOf = ({ actions, faults }: Outcome['plan']): Outcome['findings'] =>
      culprits.every((id) => [...actions, ...faults].some((part) => part.id === id))
        ? [{ invariant: '5 money is conserved', what: 'it is gone' }]
        : [];
    const small = await shrink(outcome(plan), async (tried) => outcome(tried), { triesMax: 500, msMax: 60_000, nowMs: () => 0 });
    expect([...small.plan.actions, ...small.plan.faults].map(({ id }) => id)).toEqual(culprits);
    expect(storyOf(small)).toContain('BROKEN  5 money is conserved: it is gone');
  });
});

const noOutcome: Omit<Outcome, 'plan' | 'findings'> = {
  ...{ hash: '', told: [], steps: 0, looks: 0, simulatedMs: 0, requests: 0, orders: 0, unitsSold: 0, stock: 0, ledgerDifferenceMinor: 0 },
  ...{ runsMoved: 0, rows: [], trace: [], logs: [] },
};
