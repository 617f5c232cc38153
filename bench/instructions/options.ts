import { parseArgs } from 'node:util';
import { BadOption, numberOf } from '../../test/support/command-line.ts';

export interface InstructionsOptions {
  /** Counted of each kind; as many before them are not. */
  readonly calls: number;
  readonly rounds: number;
  readonly json: string | undefined;
}

const [callsLeast, callsOtherwise, callsMost] = [20, 400, 500];
const roundsOtherwise = 3;

export const helpText = `npm run instructions -- [options]

What the stock's scripts cost inside Redis, in instructions of the processor that valgrind's callgrind counts: a busy machine changes nothing about them,
as it does about the times of npm run bench. Counted is all that the server executes for a call, from the request's first byte to the answer's last, but neither what
the kernel does for it nor how long it waits for memory. Another processor or another build of Redis counts otherwise: the ratios are what can be compared.
It needs valgrind and a native Redis, and takes some six minutes.

  --calls N     of each kind, ${callsLeast} to ${callsMost}   (${callsOtherwise})
  --rounds N    how often each is counted, 1 to 9; the lowest is taken, which no timer of the server fell into   (${roundsOtherwise})
  --json FILE   writes all figures there too
  -h, --help    this text

Exit code: 0 done, 1 a call was answered otherwise than it should be, 2 it could not run (the message says why).`;

/** Undefined when only help is asked for. Throws `BadOption`. */
export function readOptions(args: readonly string[]): InstructionsOptions | undefined {
  const { help, calls, rounds, json } = parsed(args);
  if (help) return undefined;
  return {
    calls: calls === undefined ? callsOtherwise : numberOf('calls', calls, callsLeast, callsMost),
    rounds: rounds === undefined ? roundsOtherwise : numberOf('rounds', rounds, 1, 9),
    json,
  };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    const options = { calls: text, rounds: text, json: text, help: { type: 'boolean', short: 'h' } } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    throw new BadOption(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
