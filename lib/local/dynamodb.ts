import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { becomesReady, CannotStart, freePort, startChild, watched } from './child.ts';
import type { DataDirectory } from './data-directory.ts';

export interface Database {
  readonly endpoint: string;
  /** Whether this is the server that came along, whose known edges are to be worked around, or one that was given. */
  readonly bundled: boolean;
  stop(): Promise<void>;
}

export interface DatabaseOptions {
  readonly endpoint?: string | undefined;
  /** Where to keep the file; it is in memory and gone at the end without. */
  readonly keeps?: DataDirectory | undefined;
  /** Directories of the caller's that go with this process, should it be killed. */
  readonly scratch?: readonly string[];
  readonly onLine?: (line: string) => void;
}

const fileName = 'dynamodb.sqlite';
const attemptsMax = 5;
const readyMsMax = 10_000;
const askMsMax = 3_000;

/**
 * A DynamoDB server: the one at `endpoint`, or one of our own on a free port of 127.0.0.1, with its file in memory (`/dev/shm` where there is one)
 * unless it is kept. A write is in that file before it is answered: a process that is killed loses nothing.
 * Throws `CannotStart` when the given one does not answer, and when there is no binary for this platform.
 */
export async function startDatabase({ endpoint, keeps, scratch = [], onLine = () => {} }: DatabaseOptions = {}): Promise<Database> {
  if (endpoint !== undefined) {
    if (!(await answers(endpoint)))
      throw new CannotStart(`No DynamoDB server answers at ${endpoint}: start one there, or leave DYNAMODB_ENDPOINT out.`);
    return { endpoint, bundled: false, stop: async () => {} };
  }
  const command = findBinary();
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const database = await startBundled(command, { keeps, scratch, onLine });
    if (database) return database;
  }
  throw new CannotStart(`No DynamoDB server came up in ${attemptsMax} attempts.`);
}

function findBinary(): string {
  const name = `@dynoxide/${process.platform}-${process.arch}`;
  try {
    return createRequire(import.meta.url).resolve(`${name}/dynoxide`);
  } catch (cause) {
    const advice = 'Start a DynamoDB server (DynamoDB Local, say) and give its address in DYNAMODB_ENDPOINT.';
    throw new CannotStart(`No DynamoDB server comes along for this platform (${name} is not installed). ${advice}`, { cause });
  }
}

type BundledOptions = Required<Pick<DatabaseOptions, 'keeps' | 'scratch' | 'onLine'>>;

async function startBundled(command: string, { keeps, scratch, onLine }: BundledOptions): Promise<Database | undefined> {
  const passing = keeps ? [] : [await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'stampede-'))];
  const file = keeps?.at(fileName) ?? join(passing[0] ?? '', fileName);
  const port = await freePort();
  const child = await startChild({ command, args: ['--port', String(port), '--db-path', file], scratch: [...passing, ...scratch] });
  await keeps?.noteProcess(child.pid);
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await child.stop();
    for (const directory of passing) await rm(directory, { recursive: true, force: true });
  };
  if (!(await becomesReady(() => answers(endpoint), child.ended, readyMsMax))) {
    await stop();
    return undefined;
  }
  indexStreamRecords(file);
  const stopChild = watched(child, 'The DynamoDB server', onLine);
  return {
    endpoint,
    bundled: true,
    async stop() {
      await stopChild();
      await stop();
    },
  };
}

async function answers(endpoint: string): Promise<boolean> {
  const response = await fetch(endpoint, { ...listTables, signal: AbortSignal.timeout(askMsMax) }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}

const listTables: RequestInit = {
  method: 'POST',
  headers: {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'DynamoDB_20120810.ListTables',
    authorization: 'AWS4-HMAC-SHA256 Credential=local/20000101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    'x-amz-date': '20000101T000000Z',
  },
  body: '{}',
};

/**
 * The server looks for a stream's latest record with each write, by a number that it keeps as text and without an index: by 15,000 records
 * a write takes four times as long. With this index it does not.
 */
function indexStreamRecords(file: string): void {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  try {
    database.exec('CREATE INDEX IF NOT EXISTS stream_order ON _stream_records (table_name, CAST(sequence_number AS INTEGER))');
  } finally {
    database.close();
  }
}
