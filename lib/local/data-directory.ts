import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { CannotStart } from './child.ts';
import { birthOf } from './processes.ts';

/** One JSON file that outlives a restart. */
export interface Kept {
  /** Undefined when there is none yet, or nothing that can be read. */
  read(): Promise<unknown>;
  /** Resolves once the new content will be found, whole, whatever happens next. One at a time. */
  write(content: unknown): Promise<void>;
}

/** For a runtime that keeps nothing. */
export const nothingKept: Kept = { read: async () => undefined, write: async () => {} };

/** Where everything is that must outlive a restart; one runtime at a time has it. */
export interface DataDirectory {
  readonly path: string;
  /** The path of a part's own file or directory in it. */
  readonly at: (name: string) => string;
  readonly kept: (name: string) => Kept;
  /** Notes a process that works on what lies here: should this one be killed, the next start waits for its end. */
  noteProcess(pid: number): Promise<void>;
  /** Lets the next runtime have it. */
  release(): void;
}

/** How long a runtime that is just ending may hold the directory still. */
const lockMsMax = 1_000;
/** How long the processes of a runtime that was killed may take to be gone. */
const leftoversMsMax = 5_000;
const againMs = 25;
const sqliteBusy = 5;

const Processes = z.array(z.object({ pid: z.int(), birth: z.string() })).catch([]);
type Processes = z.output<typeof Processes>;

/** Makes the directory with those above it. (Node's own way of doing so never ends below `/proc`, where nothing can be made.) */
async function makeDirectory(path: string): Promise<void> {
  try {
    // Only its owner may look: secrets lie in it.
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path || existsSync(dirname(path))) throw error;
    await makeDirectory(dirname(path));
    await makeDirectory(path);
  }
}

/**
 * Takes the directory, which is made when it is missing. Throws `CannotStart` when another runtime has it, when it can't be written, and
 * when a process of a runtime that was killed does not end.
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const kept = (name: string): Kept => keptAt(join(path, name));
  const processes = kept('processes.json');
  await makeDirectory(path).catch((cause: unknown) => {
    throw cannotUse(path, cause);
  });
  const release = await lock(path);
  try {
    await endOf(Processes.parse(await processes.read()), path);
    await processes.write([]).catch((cause: unknown) => {
      throw cannotUse(path, cause);
    });
  } catch (error) {
    release();
    throw error;
  }
  const noted: Processes = [];
  let noting = Promise.resolve();
  return {
    path,
    at: (name) => join(path, name),
    kept,
    noteProcess(pid) {
      const birth = birthOf(pid);
      if (birth !== undefined) noted.push({ pid, birth });
      // Two that start at once are written one after the other.
      noting = noting.then(() => processes.write(noted));
      return noting;
    },
    release,
  };
}

/** A lock that the operating system takes back however its holder ends: what a SIGKILL leaves behind is no lock. */
async function lock(path: string): Promise<() => void> {
  const deadline = performance.now() + lockMsMax;
  for (;;) {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(join(path, 'lock'), { timeout: 0 });
      database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
      const held = database;
      return () => held.close();
    } catch (error) {
      database?.close();
      const isHeld = error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
      if (!isHeld) throw cannotUse(path, error);
      if (performance.now() > deadline)
        throw new CannotStart(`DATA_DIR ${path} is in use by another runtime: stop that one, or give another directory.`);
      await pause(againMs);
    }
  }
}

/** The processes that a killed runtime had started are killed by their wardens; until then they may still write. */
async function endOf(processes: Processes, path: string): Promise<void> {
  const deadline = performance.now() + leftoversMsMax;
  const alive = () => processes.filter(({ pid, birth }) => birthOf(pid) === birth);
  while (alive().length > 0) {
    if (performance.now() > deadline) {
      const pids = alive().map(({ pid }) => pid);
      throw new CannotStart(`DATA_DIR ${path} is still in use by what a killed runtime left behind: end the process ${pids.join(', ')}.`);
    }
    await pause(againMs);
  }
}

function keptAt(path: string): Kept {
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch(unlessMissing);
      return text === undefined ? undefined : parsed(text);
    },
    async write(content) {
      const draft = `${path}.new`;
      const file = await open(draft, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify(content));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    },
  };
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function cannotUse(path: string, cause: unknown): CannotStart {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CannotStart(`DATA_DIR ${path} can't be written (${why}): give a directory that can.`, { cause });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
