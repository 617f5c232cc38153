import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from '../../lib/client/bounded.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** The browser of this machine, or undefined where there is none. */
export function findBrowser(): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A message of the DevTools protocol, an answer (with an id) or an event (with a method). */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly [name: string]: unknown };
  readonly result?: { readonly [name: string]: unknown };
  readonly error?: { readonly message: string };
}

export interface Page {
  /** Goes there, and waits until the page and its scripts are loaded. */
  open(url: string): Promise<void>;
  /** The value of an expression in the page, once its promise is kept. Rejects with what it throws. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** The value of an expression as soon as it is there and not false; rejects with `what` after a while. */
  soon<Value>(what: string, expression: string): Promise<Value>;
  /** A PNG of the whole page. */
  screenshot(): Promise<Buffer>;
  /** Addresses that the page has asked for, and what the browser complained of. */
  readonly requested: readonly string[];
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** Opens a blank page in a headless browser of its own, spoken to by the DevTools protocol over a WebSocket. */
export async function openPage(browser: string): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'stampede-browser-'));
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--window-size=1280,1400'];
  const child = spawn(browser, [...flags, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const close = async () => {
    if (child.exitCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    // Its helpers end a moment after it and write until then.
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  try {
    return { ...(await speakTo(await addressOf(child))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function addressOf(child: ChildProcess): Promise<URL> {
  if (!child.stderr) throw new Error('the browser has no stderr');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    const [, address] = /^DevTools listening on (ws:\S+)/.exec(line) ?? [];
    if (address !== undefined) return new URL(address);
    lines.push(line);
  }
  throw new Error(`the browser ended:\n${lines.join('\n')}`);
}

async function speakTo(browser: URL): Promise<Omit<Page, 'close'>> {
  const targets = (await (await fetch(`http://${browser.host}/json/list`)).json()) as { type: string; webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? browser);
  await once(socket, 'open');

  const waiting = new Map<number, PromiseWithResolvers<NonNullable<Message['result']>>>();
  const requested: string[] = [];
  const complaints: string[] = [];
  let lastId = 0;
  let loaded = Promise.withResolvers<void>();
  const send = (method: string, params: object = {}) => {
    const answer = Promise.withResolvers<NonNullable<Message['result']>>();
    waiting.set(++lastId, answer);
    socket.send(JSON.stringify({ id: lastId, method, params }));
    return answer.promise;
  };
  socket.addEventListener('message', ({ data }) => {
    const { id, method, params, result, error } = JSON.parse(String(data)) as Message;
    const answer = waiting.get(id ?? 0);
    waiting.delete(id ?? 0);
    if (error) answer?.reject(new Error(error.message));
    else answer?.resolve(result ?? {});
    if (method === 'Page.loadEventFired') loaded.resolve();
    if (method === 'Network.requestWillBeSent') requested.push((params as { request: { url: string } }).request.url);
    if (method === 'Log.entryAdded') complaints.push((params as { entry: { text: string } }).entry.text);
    if (method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params));
  });
  for (const domain of ['Network', 'Log', 'Runtime', 'Page']) await send(`${domain}.enable`);

  async function evaluate<Value>(expression: string): Promise<Value> {
    const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: Value }).value;
  }
  return {
    requested,
    complaints,
    async open(url) {
      loaded = Promise.withResolvers<void>();
      await send('Page.navigate', { url });
      await loaded.promise;
    },
    evaluate,
    soon: <Value>(what: string, expression: string) =>
      until(what, async () => (await evaluate<Value | undefined>(expression)) || undefined),
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', { captureBeyondViewport: true });
      return Buffer.from(String(data), 'base64');
    },
  };
}
