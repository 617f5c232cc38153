import type { TestOutcome } from './run-file.ts';

/** What the runner asks the driver to do, and what comes back. They share a process, on two threads. */
export type Ask =
  | { readonly ask: 'dry-run'; readonly files: readonly string[] }
  | {
      readonly ask: 'mutant';
      readonly id: string;
      /** Tests by file, or all tests of these files. */
      readonly tests: readonly { readonly file: string; readonly only?: readonly string[] }[];
      /** Whether what it mutates runs when modules are loaded: they are loaded with it on. */
      readonly atLoading: boolean;
      readonly hitLimit?: number | undefined;
    }
  | { readonly ask: 'stop' };

export interface Coverage {
  readonly static: Record<string, number>;
  readonly perTest: Record<string, Record<string, number>>;
}

export type Answer =
  | { readonly answer: 'ready' }
  | { readonly answer: 'dry-run'; readonly outcomes: readonly TestOutcome[]; readonly coverage: Coverage }
  | {
      readonly answer: 'mutant';
      /** The test that has noticed. */
      readonly failed?: TestOutcome | undefined;
      readonly testsRun: number;
      readonly hitLimitReached: boolean;
      /** Tests failed that fail without the mutant too: an earlier one has left something behind. */
      readonly isSpoilt: boolean;
    }
  | { readonly answer: 'broken'; readonly message: string };

export const channelVariable = 'MUTATION_CHANNEL';
