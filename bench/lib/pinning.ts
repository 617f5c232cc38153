import { spawnSync } from 'node:child_process';

/** The cores that a process may use, as `taskset` writes them (`0-1,3`), or undefined where that can't be told. */
function coresOf(pid: number): string | undefined {
  const { stdout, status } = spawnSync('taskset', ['-cp', String(pid)], { encoding: 'utf8' });
  return status === 0 ? /list: ([\d,-]+)/.exec(stdout)?.[1] : undefined;
}

/** All threads of a process. */
const pin = (pid: number, cores: string): boolean => spawnSync('taskset', ['-acp', cores, String(pid)], { encoding: 'utf8' }).status === 0;

/** Exported for its test. */
export const listed = (cores: string): number[] =>
  cores.split(',').flatMap((piece) => {
    const [first = 0, last = first] = piece.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });

/** Those processes to the first core that this one may use, this one to the others. -> takes the latter back; undefined where it can't be done. */
export function pinApart(...pids: readonly number[]): (() => void) | undefined {
  const before = coresOf(process.pid);
  const [first, ...others] = before === undefined ? [] : listed(before);
  if (before === undefined || first === undefined || others.length === 0) return undefined;
  if (!pids.every((pid) => pin(pid, String(first)))) return undefined;
  pin(process.pid, others.join(','));
  return () => void pin(process.pid, before);
}
