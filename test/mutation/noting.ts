import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MutantResult } from '@stryker-mutator/api/core';
import type { Reporter } from '@stryker-mutator/api/report';

/** Where the results of a group are noted one by one, while it is under way. */
export const notesFile = (group = process.env.MUTATION_GROUP ?? ''): string => `.stampede/mutation.${group}.jsonl`;

/** Notes each result as it comes: whoever stops a run knows what came of it until then. */
export class NotingReporter implements Reporter {
  readonly #file = notesFile();

  constructor() {
    mkdirSync(dirname(this.#file), { recursive: true });
    rmSync(this.#file, { force: true });
  }

  onMutantTested({ fileName, location, mutatorName, replacement, status, static: atLoading }: Readonly<MutantResult>): void {
    const { start, end } = location;
    appendFileSync(this.#file, `${JSON.stringify({ fileName, start, end, mutatorName, replacement, status, atLoading })}\n`);
  }
}
