import { ClientRequest } from 'node:http';
import { pathToFileURL } from 'node:url';
import type { Answer, Call, ContainerData } from './container.messages.ts';

type Handler = (event: unknown, context: object) => unknown;

/**
 * Loads a bundle once, as a cold start does. What it returns answers calls, each once, by `post`. Throws what loading threw, and when there is
 * no such handler.
 */
export async function openContainer(data: ContainerData, post: (answer: Answer) => void): Promise<(call: Call) => void> {
  const { bundle, exportName } = data;
  if (process.env.NODE_OPTIONS?.includes('--enable-source-maps')) process.setSourceMapsEnabled(true);
  if (data.blankTransactionTokens) blankTokens();
  const module = (await import(pathToFileURL(bundle).href)) as Record<string, unknown>;
  const handler = module[exportName];
  if (typeof handler !== 'function') throw new Error(`${bundle} exports no function ${exportName}`);
  post({ kind: 'ready' });
  return (call) => void serve(handler as Handler, data, call).then(post);
}

async function serve(handler: Handler, data: ContainerData, { id, event, remainingMs }: Call): Promise<Answer> {
  const endsMs = performance.now() + remainingMs;
  const context = {
    functionName: data.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: data.functionArn,
    memoryLimitInMB: String(data.memoryMegabytes),
    awsRequestId: id,
    logGroupName: `/aws/lambda/${data.functionName}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: false,
    // Whole, as Lambda gives it.
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(endsMs - performance.now())),
  };
  try {
    const result = await handler(JSON.parse(event), context);
    return { kind: 'result', id, result: JSON.stringify(result ?? null) };
  } catch (error) {
    return { kind: 'failure', id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
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
