import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { closeServer, listenLocally } from '../../lib/local/aws-json.ts';

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

/** A port that is free, as the one after it is; outside the range from which systems hand out ports of their own accord. */
export async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const servers = [createServer(), createServer()];
    try {
      for (const [at, server] of servers.entries()) await listenLocally(server, port + at);
      return port;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    } finally {
      for (const server of servers) if (server.listening) await closeServer(server);
    }
  }
}
