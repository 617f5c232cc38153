import type { Bug } from '../bug.ts';

const glance = 'functions/stock/glance.ts';
const test = 'scripts/stock.glance';

/** Refusing a crowd without the script. */
export const glanceBugs: readonly Bug[] = [
  {
    name: 'sold-out-whoever-has-won',
    harm: 'Who bought the last unit and asks again is told that it is sold out, and pays for an order that was never shown.',
    edits: [{ file: glance, search: ' || hold !== null || slots !== null', replace: '' }],
    caughtBy: { test, name: 'keeps nobody from the order that was won: the same request is a replay' },
  },
  {
    name: 'sold-out-whatever-was-changed-since',
    harm: 'A buyer at a sale that was put off to tomorrow goes away, since it is said to be sold out.',
    edits: [{ file: glance, search: 'terms !== refusal.terms || ', replace: '' }],
    caughtBy: { test, name: 'is refused in other words at once when it is paused, closed or rescheduled' },
  },
  {
    name: 'sold-out-without-an-end',
    harm: 'Long after a sale has ended it is still said to be sold out.',
    edits: [{ file: glance, search: ' || ageMs >= withinMs', replace: '' }],
    caughtBy: { test, name: 'is refused without the script to whoever asks after the script has said so, for a second' },
  },
  {
    name: 'sold-out-by-a-redis-that-is-behind',
    harm: 'Somebody whose order a failover made Redis forget is refused for good.',
    edits: [{ file: glance, search: ' || behind !== null', replace: '' }],
    caughtBy: { test, name: 'tells whoever was caught behind: the caller looks for the order first' },
  },
  {
    name: 'sold-out-by-what-was-read-last-time',
    harm: 'Units that came back are refused to everybody.',
    edits: [{ file: glance, search: 'Math.max(0, total - next + 1) + free', replace: 'Math.max(0, total - next + 1)' }],
    caughtBy: { test, name: 'is sold again at once when a unit comes back' },
  },
  {
    name: 'sold-out-because-it-was-a-moment-ago',
    harm: 'As long as a crowd asks, units that came back are refused to everybody.',
    edits: [{ file: glance, search: ' && last.item === item', replace: '' }],
    caughtBy: { test, name: 'is sold again at once when a unit comes back' },
  },
];
