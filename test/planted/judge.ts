import type { Verdicts } from './catch.ts';

/** Whether a bug was caught, or in words why it can't be called so. */
export type Judgement = { outcome: 'caught'; by: string } | { outcome: 'missed' | 'unfit'; why: string };

/**
 * What a mistake of the patch itself looks like: a file that does not parse, a name that is not there, a script or a request that the server does not
 * understand, or a server that did not start. It fails every test and says nothing of any.
 */
const mistakes =
  /SyntaxError|ReferenceError|Cannot find (module|package)|Failed to (load|resolve)|rror compiling script|nonexistent global variable|attempt to (call|index|compare|concatenate|perform arithmetic)|ValidationException|BAD_CALL|CannotStart|ECONNREFUSED|EADDRINUSE|ENOSPC|(Test|Hook) timed out/;

const wordsMax = 300;
const shortened = (text: string) => text.trim().split('\n').slice(0, 4).join(' ').slice(0, wordsMax);

/** The catcher must pass on the tree as it is: otherwise what it says of a bug is nothing. -> why it is of no use, or undefined */
export function unfitness({ passed, failed, broken }: Verdicts, name: string): string | undefined {
  if (broken !== undefined) return `without the bug: ${shortened(broken)}`;
  const [bad] = failed.filter((each) => each.name.includes(name));
  if (bad) return `it fails without the bug as well: ${shortened(bad.message)}`;
  return passed.some((each) => each.includes(name)) ? undefined : 'there is no such test';
}

/** Caught is a bug whose catcher fails, and not for a mistake of the patch. */
export function judged({ passed, failed, broken }: Verdicts, name: string): Judgement {
  const bad = failed.filter((each) => each.name.includes(name));
  const [real] = bad.filter(({ message }) => !mistakes.test(message));
  if (real) return { outcome: 'caught', by: real.name };
  const [mistaken] = bad;
  if (mistaken) return { outcome: 'unfit', why: `it fails by a mistake of the patch: ${shortened(mistaken.message)}` };
  if (broken !== undefined) return { outcome: 'unfit', why: shortened(broken) };
  const [other] = failed;
  if (other) return { outcome: 'missed', why: `something else fails: ${other.name}: ${shortened(other.message)}` };
  return { outcome: 'missed', why: passed.some((each) => each.includes(name)) ? 'its test passes' : 'its test did not run' };
}
