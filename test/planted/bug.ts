import type { Invariant } from '../simulation/findings.ts';

/** One place of a patch: a text that stands in the file exactly once, and what takes its place. */
export interface Edit {
  /** From the project's directory. */
  readonly file: string;
  readonly search: string;
  readonly replace: string;
}

/** A test, by its file (`faults/place` is test/faults/place.test.ts) and a piece of its full name that no other test of the file has. */
export interface ByTest {
  readonly test: string;
  readonly name: string;
}

/** The simulation, by its first seeds: one of them must break the invariant of this name. */
export interface BySimulation {
  readonly seeds: number;
  readonly breaks: Invariant;
}

export type Catcher = ByTest | BySimulation;

/** A fault that a good engineer might really make, as a patch of the source, and who must notice it. */
export interface Bug {
  readonly name: string;
  /** What goes wrong, and for whom. */
  readonly harm: string;
  readonly edits: readonly Edit[];
  readonly caughtBy: Catcher;
}

/** The source is no longer what the patch was made for: the patch has to be made anew, or the fault is no longer possible. */
export class PatchDoesNotApply extends Error {
  override readonly name = 'PatchDoesNotApply';
}

/** The text with the edit made. Throws `PatchDoesNotApply` unless what it looks for is there exactly once. */
export function applied(text: string, { file, search, replace }: Edit): string {
  const pieces = text.split(search);
  if (search === '' || pieces.length !== 2)
    throw new PatchDoesNotApply(`${file} has ${pieces.length - 1} times what is looked for:\n${search}`);
  if (search === replace) throw new PatchDoesNotApply(`${file}: the patch changes nothing`);
  return pieces.join(replace);
}

/** The files that a bug changes, as they are with it. `read` gives a file as it is without. */
export function planted(bug: Bug, read: (file: string) => string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const edit of bug.edits) texts.set(edit.file, applied(texts.get(edit.file) ?? read(edit.file), edit));
  return texts;
}
