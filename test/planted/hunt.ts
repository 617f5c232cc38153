import type { Bug, Catcher } from './bug.ts';
import { expectBuilds } from './build.ts';
import { type Bounds, runSimulation, runTests, type Verdicts } from './catch.ts';
import type { Copy } from './copy.ts';
import { type Judgement, judged, unfitness } from './judge.ts';

/** A bug, and what became of it. */
export interface Result {
  readonly bug: Bug;
  readonly judgement: Judgement;
  readonly tookMs: number;
}

/** Bugs that are caught by the same file of tests, or by as many seeds: what catches them is tried together on the tree as it is. */
export function groupsOf(bugs: readonly Bug[]): Bug[][] {
  const place = ({ caughtBy }: Bug) => ('test' in caughtBy ? caughtBy.test : `${caughtBy.seeds} seeds`);
  return [...Map.groupBy(bugs, place).values()].toSorted((a, b) => b.length - a.length);
}

const nameOf = (catcher: Catcher): string => ('test' in catcher ? catcher.name : catcher.breaks);

/** Runs what catches these bugs, which is all in one place. */
function run(copy: Copy, bugs: readonly Bug[], bounds: Bounds): Promise<Verdicts> {
  const [first] = bugs;
  if (!first) throw new Error('a group has a bug at least');
  const { caughtBy } = first;
  if (!('test' in caughtBy)) return runSimulation(copy.directory, caughtBy.seeds, bounds);
  return runTests(
    copy.directory,
    caughtBy.test,
    bugs.map((bug) => nameOf(bug.caughtBy)),
    bounds,
  );
}

/**
 * Plants the bugs of a group one after the other, each caught or not. Before the first one, what is to catch them must pass on the copy as it is.
 * Throws nothing for one bug's sake: a patch that does not apply, or does not parse, is told like one that nobody noticed.
 */
export async function* hunt(copy: Copy, bugs: readonly Bug[], bounds: Bounds): AsyncGenerator<Result> {
  const clean = await run(copy, bugs, bounds);
  for (const bug of bugs) {
    if (bounds.signal?.aborted) return;
    const startMs = performance.now();
    const judgement = await judge(copy, bug, clean, bounds);
    if (bounds.signal?.aborted) return;
    yield { bug, judgement, tookMs: performance.now() - startMs };
  }
}

async function judge(copy: Copy, bug: Bug, clean: Verdicts, bounds: Bounds): Promise<Judgement> {
  const isSimulated = !('test' in bug.caughtBy);
  // A simulation that breaks nothing passes under whatever name its finding would have.
  const unfit = isSimulated ? simulationUnfitness(clean) : unfitness(clean, nameOf(bug.caughtBy));
  if (unfit !== undefined) return { outcome: 'unfit', why: unfit };
  try {
    return await copy.with(bug, async (texts) => {
      await expectBuilds(texts);
      return judged(await run(copy, [bug], bounds), nameOf(bug.caughtBy));
    });
  } catch (error) {
    return { outcome: 'unfit', why: error instanceof Error ? error.message : String(error) };
  }
}

const simulationUnfitness = ({ failed, broken }: Verdicts): string | undefined => broken ?? failed[0]?.message;
