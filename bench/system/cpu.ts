import { readdirSync, readFileSync } from 'node:fs';

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has ended meanwhile, or this is no Linux.
    return undefined;
  }
};

const entriesOf = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

/** What all threads of a process have run so far, in microseconds, by the scheduler's account; undefined where there is none. */
export function cpuMicrosOf(pid: number): number | undefined {
  const ofThreads = entriesOf(`/proc/${pid}/task`).map((thread) => textOf(`/proc/${pid}/task/${thread}/schedstat`));
  const nanos = ofThreads.flatMap((text) => (text === undefined ? [] : [Number(text.split(' ', 1)[0])]));
  return nanos.length === 0 ? undefined : nanos.reduce((sum, each) => sum + each, 0) / 1_000;
}

/** The children of a process that run a program of this name; none where that can't be told. */
function childrenOf(parent: number, program: string): number[] {
  const isOne = (pid: string) => {
    // `pid (program) state parent …`
    const [, name, parentPid] = /^\d+ \((.*)\) \S (\d+) /.exec(textOf(`/proc/${pid}/stat`) ?? '') ?? [];
    return name === program && Number(parentPid) === parent;
  };
  return entriesOf('/proc')
    .filter((entry) => /^\d+$/.test(entry) && isOne(entry))
    .map(Number);
}

/** The DynamoDB servers that a process has started. */
export const databasesOf = (parent: number): number[] => childrenOf(parent, 'dynoxide');
