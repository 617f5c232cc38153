import { ClientRequest } from 'node:http';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, Call, ContainerData } from './container.messages.ts';

/** One Lambda container: loads a bundle once, as a cold start does, and answers calls. */
const { bundle, exportName, functionName, functionArn, memoryMegabytes, blankTransactionTokens } = workerData as ContainerData;

if (parentPort === null) throw new Error('a container runs as a worker');
const port = parentPort;

if (process.env.NODE_OPTIONS?.includes('--enable-source-maps')) process.setSourceMapsEnabled(true);
if (blankTransactionTokens) blankTokens();

type Handler = (event: unknown, context: object) => unknown;
const module = (await import(pathToFileURL(bundle).href)) as Record<string, unknown>;
const handler = module[exportName];
if (typeof handler !== 'function') throw new Error(`${bundle} exports no function ${exportName}`);

port.on('message', (call: Call) => void serve(call));
port.postMessage({ kind: 'ready' } satisfies Answer);

async function serve({ id, event, deadlineMs }: Call): Promise<void> {
  const context = {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: String(memoryMegabytes),
    awsRequestId: id,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
  try {
    const result = await (handler as Handler)(JSON.parse(event), context);
    port.postMessage({ kind: 'result', id, result: JSON.stringify(result ?? null) } satisfies Answer);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    port.postMessage({ kind: 'failure', id, error: text } satisfies Answer);
  }
}

/**
 * The bundled DynamoDB server keeps each transaction's token for ten minutes and looks at all of them with each new one: by 16,000 of them a
 * transaction costs it four times as much. A token makes the SDK's own resend of a committed transaction harmless, and without one the
 * resend is refused by its conditions, which every caller must be ready for anyway. So tokens are blanked here, and sent to any other server.
 */
function blankTokens(): void {
  const end = ClientRequest.prototype.end as (this: ClientRequest, ...rest: unknown[]) => ClientRequest;
  ClientRequest.prototype.end = function (this: ClientRequest, ...[body, ...rest]: unknown[]) {
    const isTransaction = this.getHeader('x-amz-target') === 'DynamoDB_20120810.TransactWriteItems';
    return end.call(this, isTransaction ? withoutToken(body) : body, ...rest);
  };
}

function withoutToken(body: unknown): unknown {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return body;
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  // As many spaces as characters: the length has been announced already. A quote inside an item is escaped, so this matches the member alone.
  return text.replace(/"ClientRequestToken":"[^"\\]*",|,"ClientRequestToken":"[^"\\]*"/, (member) => ' '.repeat(member.length));
}
