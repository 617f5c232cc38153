import { execFileSync } from 'node:child_process';

/** The processes that a process has started itself, and that have not ended. */
export const childrenOf = (pid: number | undefined): number[] =>
  execFileSync('ps', ['-eo', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([child, parent, state]) => parent === String(pid) && !state?.startsWith('Z') && child !== undefined)
    .map(([child]) => Number(child));

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
