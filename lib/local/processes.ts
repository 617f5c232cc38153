import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/**
 * When a process began, in the system's own words, so that its id can be told from the same id given to another process later. Undefined
 * when there is no such process, or nothing but its entry is left of it.
 */
export function birthOf(pid: number): string | undefined {
  return existsSync('/proc/self/stat') ? birthByProc(pid) : birthByPs(pid);
}

/** Of `/proc/<pid>/stat`, counted from the state, which is the third field: the 22nd is when the process started. */
const startField = 19;

function birthByProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name stands in brackets and may hold anything, brackets too.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : rest[startField - 1];
  } catch {
    return undefined;
  }
}

function birthByPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const [, state, birth] = /^(\S+) +(.+)$/m.exec(stdout?.trim() ?? '') ?? [];
  return state === undefined || state.startsWith('Z') ? undefined : birth;
}
