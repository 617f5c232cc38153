/** What a run of spin's verifier came to. `limited`: it says nothing, for it stopped at a bound. */
export interface Exploration {
  readonly outcome: 'complete' | 'error' | 'limited';
  readonly errors: number;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** The assertion that failed, or the bound that it stopped at. */
  readonly detail: string;
}

const limits = [
  /max search depth too small/,
  /out of memory/,
  /reached -DMEMLIM bound/,
  /VECTORSZ is too small/,
  /hash-?compact|bitstate/i,
  /aborting/,
];

/**
 * Reads what `pan` printed. Complete is only a search that says that it was a full one, that went through without a bound in its way, and that ended with
 * its figures; whatever was cut short is not, however few errors it counts.
 */
export function readExploration(output: string): Exploration {
  const figure = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  const figures = {
    errors: figure(/errors: (\d+)/),
    states: figure(/^\s*([\d.e+]+) states, stored/m),
    transitions: figure(/^\s*([\d.e+]+) transitions/m),
    depth: figure(/depth reached (\d+)/),
  };
  const violated = /^pan:\s*\d+: (.*)$/m.exec(output)?.[1];
  if (figures.errors > 0 || /assertion violated/.test(violated ?? '')) {
    return { ...figures, outcome: 'error', errors: Math.max(1, figures.errors), detail: violated ?? 'an error' };
  }
  const limit = limits.map((pattern) => pattern.exec(output)?.[0]).find((found) => found !== undefined);
  const isFull = /^Full statespace search/m.test(output) && /errors: 0/.test(output) && figures.states > 0;
  const isWhole = isFull && !/Warning: Search not completed/.test(output) && limit === undefined;
  return { ...figures, outcome: isWhole ? 'complete' : 'limited', detail: isWhole ? '' : (limit ?? 'the search was not completed') };
}

/** The rules of a model: names that its source defines as 1 and explains, each of which can be left out. */
export const rulesOf = (source: string): { readonly name: string; readonly says: string }[] =>
  [...source.matchAll(/^#define (\w+) 1\s+\/\* rule: (.*?) \*\/$/gm)].map(([, name = '', says = '']) => ({ name, says }));
