import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { becomesReady, CannotStart, type Child, freePort, startChild } from '../../lib/local/child.ts';
import { findProgram } from '../../lib/local/redis.ts';
import type { CalledRedis } from '../script-level/calls.ts';

/** A Redis whose instructions are counted. */
export interface CountedRedis extends CalledRedis {
  /** `redis-server 7.0.15, valgrind-3.19.0` */
  readonly version: string;
  /** What the server executes while `work` is done, in instructions. */
  count(work: () => Promise<void>): Promise<number>;
  stop(): Promise<void>;
}

const readyMsMax = 60_000;
const controlMsMax = 30_000;
const attemptsMax = 3;
const run = promisify(execFile);

/**
 * A native Redis under callgrind, alone on a free port of 127.0.0.1, that keeps nothing and does as little by itself as it can be told to. Throws
 * `CannotStart` where valgrind or Redis is missing.
 */
export async function startCountedRedis(): Promise<CountedRedis> {
  const valgrind = versionOfValgrind();
  const program = findProgram();
  if (!program) throw new CannotStart('Instructions are counted in a native Redis: put redis-server or valkey-server on the PATH.');
  const directory = await mkdtemp(join(tmpdir(), 'stampede-'));
  try {
    // The name that it is called by decides what the program is (see findProgram), and valgrind calls it by the name of the file.
    const command = join(directory, program.name);
    await symlink(placeOf(program.command), command);
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const server = await tryToStart({ command, directory, kind: program.name, valgrind });
      if (server) return server;
    }
    throw new CannotStart(`No Redis came up under valgrind in ${attemptsMax} attempts of ${readyMsMax / 1_000} s.`);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

function versionOfValgrind(): string {
  // The second comes with the first: by it the counting is told when to begin and to end.
  const [valgrind, control] = ['valgrind', 'vgdb'].map((command) => spawnSync(command, ['--version'], { encoding: 'utf8' }));
  if (valgrind?.status !== 0 || control?.error)
    throw new CannotStart('Instructions are counted by valgrind: put it on the PATH (on Debian and Ubuntu `apt-get install valgrind`).');
  return valgrind.stdout.trim();
}

function placeOf(command: string): string {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, command))
    .find(existsSync);
  if (!found) throw new CannotStart(`${command} is not on the PATH.`);
  return found;
}

interface Place {
  readonly command: string;
  readonly directory: string;
  readonly kind: string;
  readonly valgrind: string;
}

/** Undefined when it does not come up: the port was free when we asked, and another process may have taken it since. */
async function tryToStart({ command, directory, kind, valgrind }: Place): Promise<CountedRedis | undefined> {
  const port = await freePort();
  const counts = join(directory, 'counts');
  // Here and not where valgrind puts them otherwise: they go with the directory, also when it is killed.
  const pipes = `--vgdb-prefix=${join(directory, 'vgdb')}`;
  const args = ['--tool=callgrind', '--instr-atstart=no', `--callgrind-out-file=${counts}`, pipes, command, ...serverArguments(port)];
  const child = await startChild({ command: 'valgrind', args, scratch: [directory] });
  const url = `redis://127.0.0.1:${port}`;
  const admin = new Redis(url, { disableClientInfo: true, maxRetriesPerRequest: 0, retryStrategy: () => 50 });
  admin.on('error', () => {});
  const isOurs = async () => (await admin.info('server').catch(() => '')).includes(`process_id:${child.pid}\r\n`);
  if (!(await becomesReady(isOurs, child.ended, readyMsMax))) {
    admin.disconnect();
    await child.stop();
    return undefined;
  }
  const [, release] = /^(?:valkey|redis)_version:(.*?)\r?$/m.exec(await admin.info('server')) ?? [];
  return {
    ...{ url, port, admin, version: `${kind} ${release}, ${valgrind}`, count: counter(child, pipes, counts) },
    async stop() {
      admin.disconnect();
      await child.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const serverArguments = (port: number): string[] => {
  const options = {
    ...{ bind: '127.0.0.1', port: String(port), save: '', appendonly: 'no', dir: '/', 'maxmemory-policy': 'noeviction' },
    // What it does by its own clock would be counted with the calls.
    ...{ hz: '1', 'dynamic-hz': 'no', activerehashing: 'no' },
  };
  return Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]);
};

function counter(child: Child, pipes: string, counts: string): CountedRedis['count'] {
  let dumps = 0;
  const tell = (words: string) => run('vgdb', [`--pid=${child.pid}`, pipes, ...words.split(' ')], { timeout: controlMsMax });
  return async (work) => {
    // What comes before is not counted at all, which takes a tenth of the time.
    await tell('instrumentation on');
    await tell('zero');
    await work();
    await tell('dump');
    await tell('instrumentation off');
    const file = `${counts}.${++dumps}`;
    const counted = totalIn(await readFile(file, 'utf8'));
    await rm(file);
    return counted;
  };
}

/** The instructions that a file of callgrind has altogether. (Format: https://valgrind.org/docs/manual/cl-format.html) Throws where there are none. */
export function totalIn(text: string): number {
  const [, events] = /^events: (.*)$/m.exec(text) ?? [];
  const [, totals] = /^totals: (.*)$/m.exec(text) ?? [];
  const at = events?.split(' ').indexOf('Ir') ?? -1;
  const total = totals?.split(' ')[at];
  if (at === -1 || !total) throw new Error('callgrind counted no instructions');
  return Number(total);
}
