import type { BenchContext } from './section.ts';

/**
 * Measures each candidate once a round, in another order each round, so that what changes on the machine meanwhile meets all of them alike.
 * -> by candidate, one result a round.
 */
export async function interleave<Candidate, Result>(
  context: Pick<BenchContext, 'rounds' | 'random' | 'signal' | 'log'>,
  candidates: readonly Candidate[],
  measure: (candidate: Candidate, round: number) => Promise<Result>,
): Promise<Map<Candidate, Result[]>> {
  const results = new Map<Candidate, Result[]>(candidates.map((candidate) => [candidate, []]));
  for (let round = 0; round < context.rounds; round++) {
    context.log(`round ${round + 1} of ${context.rounds}, ${candidates.length} measurements`);
    for (const candidate of context.random.fork(`round ${round}`).shuffle(candidates)) {
      context.signal.throwIfAborted();
      results.get(candidate)?.push(await measure(candidate, round));
    }
  }
  return results;
}
