import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { matchesGlob, relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { type GroupName, groups, type MutationGroup } from './groups.ts';
import type { MutationOptions } from './options.ts';
import type { Mutant } from './report.ts';

const scratch = '.stampede';

/** The sources of a group, by their paths in the project. */
export const sourcesOf = ({ sources }: MutationGroup): string[] => globSync([...sources]).toSorted();

/** Tries every mutant of a group's sources. */
export async function mutate(name: GroupName, { files, again, concurrency }: Omit<MutationOptions, 'groups' | 'json'>): Promise<Mutant[]> {
  const sources = sourcesOf(groups[name]).filter((path) => files.length === 0 || files.some((glob) => matchesGlob(path, glob)));
  if (sources.length === 0) return [];
  mkdirSync(scratch, { recursive: true });
  // Its processes are started with this environment.
  process.env.MUTATION_GROUP = name;
  const results = await new Stryker({
    mutate: sources,
    concurrency,
    incremental: true,
    incrementalFile: `${scratch}/mutation.${name}.json`,
    force: !again,
  }).runMutationTest();
  return results.map(({ fileName, location: { start, end }, mutatorName, replacement, status }) => {
    const file = relative(process.cwd(), fileName);
    return {
      group: name,
      file,
      line: start.line,
      mutator: mutatorName,
      original: between(file, start, end),
      replacement: replacement ?? '',
      status,
    };
  });
}

interface Place {
  readonly line: number;
  readonly column: number;
}

const texts = new Map<string, string[]>();

/** The text of a file from one place to another; lines and columns count from 1. */
function between(file: string, start: Place, end: Place): string {
  const lines = texts.get(file) ?? readFileSync(file, 'utf8').split('\n');
  texts.set(file, lines);
  const found = lines.slice(start.line - 1, end.line);
  const last = found.length - 1;
  return found.map((line, index) => line.slice(index === 0 ? start.column - 1 : 0, index === last ? end.column - 1 : undefined)).join('\n');
}
