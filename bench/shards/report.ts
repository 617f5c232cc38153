import type { BarPanel, Row, SectionResult } from '../lib/section.ts';
import { ratioOf, summaryOf } from '../lib/statistics.ts';
import { faultsOf, type Verdict } from '../mechanisms/check.ts';
import type { Crowded, Sizes } from '../mechanisms/load.ts';
import type { BenchCluster } from './cluster.ts';
import type { Fall } from './placement.ts';
import type { Observed, Work } from './watch.ts';

export interface Plan {
  readonly name: string;
  readonly shards: number;
  /** How many shards the masters have, in whichever order. */
  readonly loads: readonly number[];
}

export type Sold = Observed & { readonly crowded: Crowded };
export type MeasuredPlan = Plan & { readonly rounds: readonly Sold[] };

export interface MeasuredVerbs {
  readonly name: string;
  readonly rounds: readonly Sold[];
  /** Of the client, for a call that is answered at once, round by round. */
  readonly aloneMicros: readonly number[];
  /** Once more, with the clients overheard. */
  readonly counted: Sold;
}

export interface Measurements {
  /** The first plan of each is what its others are compared with. */
  readonly groups: readonly { readonly sizes: Sizes; readonly plans: readonly MeasuredPlan[] }[];
  /** The first is what the others are compared with. */
  readonly one: readonly MeasuredVerbs[];
  readonly falls: readonly Fall[];
  readonly cluster: Pick<BenchCluster, 'version' | 'isPinned'>;
}

interface Figure {
  readonly figure: string;
  readonly unit: string;
  /** A ratio to the first of the group stands beside it. */
  readonly isCompared?: true;
  of(sold: Sold, sizes: Sizes): number;
}

const sumOf = (work: readonly Work[], of: (one: Work) => number): number => work.reduce((sum, one) => sum + of(one), 0);
const mostOf = (work: readonly Work[], of: (one: Work) => number): number => Math.max(...work.map(of));
const cpu = ({ cpuMicros }: Work): number => cpuMicros;
const calls = ({ scripts }: Work): number => scripts;

const busiestCpu: Figure = {
  ...{ figure: 'busiest master CPU', unit: 'µs', isCompared: true },
  of: ({ work }, { attempts }) => mostOf(work, cpu) / attempts,
};
const clientCpu: Figure = { figure: 'client CPU', unit: 'µs', isCompared: true, of: ({ crowded }) => crowded.clientMicros };
const allCpu: Figure = { figure: 'server CPU', unit: 'µs', isCompared: true, of: ({ work }, { attempts }) => sumOf(work, cpu) / attempts };
const asked: readonly Figure[] = [
  { figure: 'reserves', unit: '', of: ({ sent }, { attempts }) => sent.reserves / attempts },
  { figure: 'glances', unit: '', of: ({ sent }, { attempts }) => sent.glances / attempts },
];
const verdicts: readonly (readonly [figure: string, key: keyof Verdict])[] = [
  ['sold', 'sold'],
  ['left over', 'left'],
  ['oversold', 'oversold'],
  ['sold twice', 'duplicates'],
  ['wrongly refused', 'wrongRefusals'],
];
const verdictFigures = verdicts.map(([figure, key]): Figure => ({ figure, unit: '', of: ({ crowded }) => crowded.verdict[key] }));

const loadFigures: readonly Figure[] = [
  busiestCpu,
  { figure: 'its calls of scripts', unit: '', isCompared: true, of: ({ work }, { attempts }) => mostOf(work, calls) / attempts },
  { ...allCpu, figure: 'CPU of all' },
  clientCpu,
];
const movesFigures: readonly Figure[] = [
  ...asked,
  { figure: 'looked elsewhere', unit: '', of: ({ elsewhere }) => elsewhere },
  { figure: 'visits', unit: '', of: ({ sent }) => sent.visits },
  { figure: 'moving scripts', unit: '', of: ({ sent }) => sent.moving },
  { figure: 'runs moved', unit: '', of: ({ sent }) => sent.runs.size },
  { figure: 'units moved', unit: '', of: ({ sent }) => [...sent.runs.values()].reduce((sum, units) => sum + units, 0) },
  { figure: 'told to try again', unit: '', of: ({ sentAway }) => sentAway },
  ...verdictFigures,
  { figure: 'seconds', unit: '', of: ({ crowded }, { attempts }) => attempts / crowded.attemptsPerSecond },
];

export function report(measurements: Measurements): SectionResult {
  const { groups, one, falls } = measurements;
  const loads = groups.flatMap(({ sizes, plans }) => rowsOf(`Load, ${crowdText(sizes)}`, plans, loadFigures, sizes));
  const moves = groups.flatMap(({ sizes, plans }) => rowsOf(`Shards, ${crowdText(sizes)}`, plans, movesFigures, sizes));
  return {
    rows: [...loads, ...moves, ...oneRows(measurements), ...falls.flatMap(fallRows)],
    notes: notesOf(measurements),
    faults: [
      ...groups.flatMap(({ sizes, plans }) => plans.flatMap(({ name, rounds }) => rounds.flatMap((sold) => wrongIn(name, sold, sizes)))),
      ...one.flatMap(({ name, rounds, counted }) => [...rounds, counted].flatMap((sold) => wrongIn(name, sold, groups[0]?.sizes))),
    ],
    panels: panelsOf(measurements),
  };
}

const count = (of: number): string => of.toLocaleString('en-US');
const crowdText = ({ attempts, stock }: Sizes): string => `${count(attempts)} attempts for ${count(stock)} units`;

type Named = { readonly name: string; readonly rounds: readonly Sold[] };

function rowsOf(group: string, all: readonly Named[], figures: readonly Figure[], sizes: Sizes): Row[] {
  return figures.flatMap(({ figure, unit, isCompared, of }) =>
    rowsBy({ group, figure, unit, isCompared: isCompared === true }, all, ({ rounds }) => rounds.map((sold) => of(sold, sizes))),
  );
}

/** One figure of all. */
function rowsBy<Of extends { readonly name: string }>(
  { isCompared, ...row }: Pick<Row, 'group' | 'figure' | 'unit'> & { readonly isCompared: boolean },
  all: readonly Of[],
  valuesOf: (one: Of) => readonly number[],
): Row[] {
  const [base] = all;
  return all.map((one) => {
    const { median, spread } = summaryOf(valuesOf(one));
    const measured: Row = { ...row, what: one.name, value: median, spread };
    if (!isCompared || !base) return measured;
    const ratio = ratioOf(valuesOf(one), valuesOf(base));
    return { ...measured, ratioTo: { what: base.name, value: ratio.median, spread: ratio.spread } };
  });
}

/** What a sale of one shard pays for that others may have several. */
function oneRows({ one, groups }: Measurements): Row[] {
  const sizes = groups[0]?.sizes;
  if (!sizes) return [];
  const group = `One shard, one server, ${crowdText(sizes)}`;
  const measured = rowsOf(group, one, [clientCpu, allCpu, ...verdictFigures], sizes);
  const counted = one.flatMap(({ name, counted: sold }) =>
    asked.map(({ figure, unit, of }): Row => ({ group, what: name, figure, value: of(sold, sizes), unit })),
  );
  const alone = rowsBy({ group, figure: 'verb alone', unit: 'µs', isCompared: true }, one, ({ aloneMicros }) => aloneMicros);
  return [...alone, ...measured, ...counted];
}

function fallRows({ shards, evenPercent, busiestPercent }: Fall): Row[] {
  const row = (figure: string, value: number): Row => {
    return { group: 'Where shards fall whose sale’s id nobody chose', what: `${shards} shards`, figure, value, unit: '%' };
  };
  return [row('ids with the fewest on the busiest master', evenPercent), row('shards on the busiest, on average', busiestPercent)];
}

/** In words. More was asked for than there was, one unit at a time: the last one is sold too. */
function wrongIn(name: string, { crowded: { verdict } }: Sold, sizes?: Sizes): string[] {
  const isWrong = faultsOf(verdict) > 0 || verdict.left > 0;
  return isWrong ? [`${name}${sizes ? `, ${crowdText(sizes)}` : ''}: ${JSON.stringify(verdict)}`] : [];
}

function panelsOf({ groups }: Measurements): BarPanel[] {
  return groups.slice(0, 1).map(({ sizes, plans }) => ({
    kind: 'bars',
    title: `A sale on 3 masters: CPU of the busiest, ${crowdText(sizes)}`,
    unit: 'µs an attempt',
    better: 'lower',
    bars: plans.map(({ name, rounds }) => {
      const { median, spread } = summaryOf(rounds.map((sold) => busiestCpu.of(sold, sizes)));
      return { label: name, value: median, spread, ours: true };
    }),
  }));
}

function notesOf({ groups, cluster: { version, isPinned } }: Measurements): string[] {
  const [sizes] = groups.map((group) => group.sizes);
  return [
    `${version}, a cluster of 3 masters without persistence and replicas, ${isPinned ? 'all on one core, the clients on the others' : 'sharing the cores with the clients'}: ` +
      'measured is what each master has to do, not how much they sell a second, for which each would need a core.',
    `By the client that ships, ${sizes?.lanes ?? 0} buyers at a time, each as a container of its own. Every fifth attempt repeats an earlier one’s key. Orders are in DynamoDB, nothing of them is here: ` +
      'judged by the holds of all shards.',
    'Per attempt: CPU (user and system time of a server’s process), its calls of scripts (INFO commandstats), reserves and glances (asked of the client). Busiest: the master that has most of it. The others are whole counts.',
    'Several shards have their units in pools, from which a unit costs Redis more than the next number of a sale of one (script-level: a new hold of a returned unit). With one shard two masters are idle.',
    'Looked elsewhere: attempts that found their home dry and visited the other shards, in vain when all was sold. A container does so every half second at most while all are dry, and asks each home’s script once a second, ' +
      'so what that costs an attempt depends on how many come to a container in that time (here they share all attempts in the seconds that are shown).',
    'A run that is on its way is completed by all who meet it: moving scripts are more than the four that a run takes. Each completion also asks for the node of a key, and that node for its replicas.',
    'A shard is on the master that has the slot of its hash tag. An operator who wants them even tries sale ids (CLUSTER KEYSLOT), as was done here, or moves slots; more shards than masters even it out by and by.',
    'One shard: the same sale by both sets of verbs, on a single server, and by the first once more: so far apart are two that are the same; reserves and glances are counted in a run of their own. Verb alone: CPU of the client for a reserve that somebody answers at once in Redis’ place. ' +
      'Nothing else differs between the two sets.',
  ];
}
