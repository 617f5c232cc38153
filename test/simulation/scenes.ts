import { add, type Draft, moment, placeOf, restockOf, strike } from './draft.ts';
import type { Deed } from './plan.ts';

/** The sweeper comes within a minute, and then units and tombstones are where they belong. */
const sweptMs = 70_000;

/** Holds that nobody made an order of, and a sweeper that does not come to their end at its first attempts. */
export function lostHolds(draft: Draft): void {
  const atMs = 200 + draft.random.next() * 800;
  for (let index = 0; index < 3; index++) add(draft, atMs + index * 50, placeOf(draft, { racers: 1, attemptsMax: 1 }));
  strike(draft, 'die-after-script', atMs - 1, atMs + 700, 1, 3);
  strike(draft, 'release-lost', atMs + draft.holdMs, atMs + draft.holdMs + 3 * sweptMs, 0.7, 4);
}

const keysAgainMax = 6;

/** After Redis has forgotten, keys that were sent before come again, by and by, while it is brought back. */
export function keysAfterLoss(draft: Draft, fromMs: number): void {
  const { random, actions } = draft;
  const before = actions.filter((action) => action.do === 'place' && action.atMs < fromMs);
  for (const { id } of random.shuffle(before).slice(0, keysAgainMax))
    add(draft, fromMs + 300 + random.next() * 90_000, { do: 'again', of: id });
}

/** Rows of the fault table that take several things in the right order, and would hardly ever meet by themselves. */
export const scenes: readonly ((draft: Draft) => void)[] = [
  function crashThenTombstoneThenAgain(draft) {
    // Before the others come, so that there are units to be held.
    const atMs = 200 + draft.random.next() * 800;
    const of = add(draft, atMs, placeOf(draft, { racers: 1, attemptsMax: 1 }));
    strike(draft, 'die-after-script', atMs - 1, atMs + 700, 1, 1);
    // Twice the time: a fault may have kept the first sweep from it.
    add(draft, atMs + draft.holdMs + 2 * sweptMs, { do: 'again', of });
  },
  function cancelledThenAgain(draft) {
    const atMs = moment(draft);
    const of = add(draft, atMs, placeOf(draft, { method: 'external', racers: 1 }));
    add(draft, atMs + 2_000, { do: 'cancel', of, by: 'buyer' });
    add(draft, atMs + 2_000 + draft.random.next() * 20_000, { do: 'again', of });
  },
  function lateMoney(draft) {
    const atMs = moment(draft);
    const of = add(draft, atMs, placeOf(draft, { method: 'external', racers: 1 }));
    add(draft, atMs + draft.holdMs + draft.random.next() * 2 * sweptMs, { do: 'pay', of, kind: 'right' });
    add(draft, atMs + draft.holdMs + sweptMs, { do: 'pay', of, kind: 'right' });
  },
  function wrongThenRightThenRefund(draft) {
    const atMs = moment(draft);
    const of = add(draft, atMs, placeOf(draft, { method: 'external', racers: 1 }));
    add(draft, atMs + draft.holdMs * 0.3, { do: 'pay', of, kind: 'wrong-amount' });
    add(draft, atMs + draft.holdMs * 0.6, { do: 'pay', of, kind: 'right' });
    add(draft, atMs + draft.holdMs + 10_000, { do: 'refund', of, returnUnits: draft.random.chance(0.5) });
  },
  function twoRebuilders(draft) {
    const atMs = moment(draft);
    strike(draft, 'redis-empty', atMs, atMs + 500, 1, 1);
    strike(draft, 'rebuild-slow', atMs, atMs + 60_000, 0.4, 4);
    add(draft, atMs + 600, placeOf(draft));
    add(draft, atMs + 700 + draft.random.next() * 2_000, { do: 'ask-rebuild' });
    add(draft, atMs + 1_000 + draft.random.next() * 4_000, { do: 'ask-rebuild' });
    add(draft, atMs + 1_000 + draft.random.next() * 4_000, draft.random.chance(0.5) ? restockOf(draft) : { do: 'pause', forMs: 8_000 });
    for (let index = 0; index < 4; index++) add(draft, atMs + 500 + draft.random.next() * 6_000, placeOf(draft));
  },
  function restockAnswerLost(draft) {
    const atMs = moment(draft);
    add(draft, atMs, { ...restockOf(draft), twice: true } as Deed);
    strike(draft, 'restock-reply-lost', atMs - 1, atMs + 10_000, 0.6, 2);
    for (let index = 0; index < 3; index++) add(draft, atMs + draft.random.next() * 8_000, placeOf(draft));
  },
  function pauseInTheRush(draft) {
    const atMs = moment(draft);
    add(draft, atMs, { do: 'pause', forMs: draft.random.between(2, 30) * 1_000 });
    for (let index = 0; index < 6; index++) add(draft, atMs - 20 + draft.random.next() * 60, placeOf(draft));
  },
  function paysAsItExpires(draft) {
    const atMs = moment(draft);
    for (let index = 0; index < 4; index++) {
      const of = add(draft, atMs + index * 50, placeOf(draft, { method: 'external', racers: 1 }));
      add(draft, atMs + draft.holdMs + 1_100 + draft.random.next() * 200, { do: 'pay', of, kind: 'right' });
    }
    // Sweepers that come as the money does.
    for (let index = 0; index < 3; index++) add(draft, atMs + draft.holdMs + 1_150 + draft.random.next() * 150, { do: 'sweep' });
  },
  function allAtOneOrder(draft) {
    const { random } = draft;
    for (let order = 0; order < 3; order++) {
      const atMs = moment(draft);
      const of = add(draft, atMs, placeOf(draft, { method: random.pick(['external', 'balance'] as const), racers: 1, attemptsMax: 4 }));
      const metMs = atMs + random.pick([400, 900, 2_000, draft.holdMs + 1_000]);
      const meet = () => metMs + random.next() * 60;
      add(draft, meet(), { do: 'pay', of, kind: 'right' });
      add(draft, meet(), { do: 'pay', of, kind: 'twice' });
      add(draft, meet(), { do: 'cancel', of, by: 'buyer' });
      add(draft, meet(), { do: 'cancel', of, by: 'operator' });
      add(draft, meet(), { do: 'refund', of, returnUnits: true });
      add(draft, meet(), { do: 'sweep' });
    }
  },
  function reconciledInTheRush(draft) {
    const atMs = moment(draft);
    strike(draft, 'redis-behind', atMs - 3_000, atMs, 1, 1);
    add(draft, atMs + 11_000, { do: 'reconcile' });
    for (let index = 0; index < 8; index++) add(draft, atMs + 11_000 + draft.random.next() * 1_500, placeOf(draft));
  },
];
