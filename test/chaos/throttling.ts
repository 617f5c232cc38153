import type { Random } from '../simulation/random.ts';
import type { Inspector } from './proxy.ts';

const apiPrefix = 'com.amazonaws.dynamodb.v20120810#';
const headerEnd = Buffer.from('\r\n\r\n');
const headerBytesMax = 64 * 1024;

/** How DynamoDB throttles, to be switched on and off while a proxy runs. */
export interface Throttling {
  /** How likely a call is to be refused; 0: none is. */
  share: number;
  /** Calls refused so far. */
  refused: number;
}

interface HttpRequest {
  readonly operation: string;
  readonly head: string;
  readonly body: string;
}

/**
 * Looks at the calls of one connection to DynamoDB and refuses some, in the forms that throttling has there: an exception, a transaction
 * cancelled for it, or a batch of which nothing was done. Besides, it takes the token out of transactions, as the embedded runtime does
 * before the server that comes along: their resends are then refused by their conditions alone.
 */
export function throttlingInspector(throttling: Throttling, random: Random): Inspector {
  let pending = Buffer.alloc(0);
  let isOpaque = false;
  return {
    inspect(chunk) {
      if (isOpaque) return { forward: [chunk], answers: [] };
      pending = Buffer.concat([pending, chunk]);
      const forward: Buffer[] = [];
      const answers: Buffer[] = [];
      for (let length = requestBytes(pending); length !== undefined; length = requestBytes(pending)) {
        if (length === 'unknown') {
          isOpaque = true;
          forward.push(pending);
          pending = Buffer.alloc(0);
          break;
        }
        const request = parsed(pending.subarray(0, length));
        pending = pending.subarray(length);
        if (throttling.share > 0 && random.chance(throttling.share)) {
          throttling.refused++;
          answers.push(refusalOf(request, random));
        } else forward.push(Buffer.from(request.head + withoutToken(request), 'latin1'));
      }
      return { forward, answers };
    },
  };
}

/** Bytes of the first request; undefined until it is all there, `unknown` for a form that the SDK does not send. */
function requestBytes(pending: Buffer): number | 'unknown' | undefined {
  const at = pending.indexOf(headerEnd);
  if (at < 0) return pending.length > headerBytesMax ? 'unknown' : undefined;
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(pending.toString('latin1', 0, at)) ?? [];
  if (length === undefined) return 'unknown';
  const total = at + headerEnd.length + Number(length);
  return pending.length >= total ? total : undefined;
}

/** Bytes as characters, one for one, so that nothing changes that is not meant to. */
function parsed(bytes: Buffer): HttpRequest {
  const text = bytes.toString('latin1');
  const at = text.indexOf('\r\n\r\n') + headerEnd.length;
  const head = text.slice(0, at);
  const [, operation = ''] = /\r\nx-amz-target: *[\w]+\.(\w+)/i.exec(head) ?? [];
  return { operation, head, body: text.slice(at) };
}

/** As many spaces as characters: the length has been announced already. A quote inside an item is escaped, so this matches the member alone. */
const withoutToken = ({ operation, body }: HttpRequest): string =>
  operation === 'TransactWriteItems'
    ? body.replace(/"ClientRequestToken":"[^"\\]*",|,"ClientRequestToken":"[^"\\]*"/, (member) => ' '.repeat(member.length))
    : body;

function refusalOf({ operation, body }: HttpRequest, random: Random): Buffer {
  const input = JSON.parse(Buffer.from(body, 'latin1').toString('utf8')) as Record<string, unknown>;
  if (operation === 'BatchGetItem' && random.chance(0.5)) return answerOf(200, { Responses: {}, UnprocessedKeys: input.RequestItems });
  if (operation === 'BatchWriteItem' && random.chance(0.5)) return answerOf(200, { UnprocessedItems: input.RequestItems });
  if (operation === 'TransactWriteItems' && random.chance(0.5)) {
    const items = Array.isArray(input.TransactItems) ? input.TransactItems : [];
    const throttled = random.int(Math.max(1, items.length));
    const reason = { Code: 'ThrottlingError', Message: 'Throughput exceeds the current capacity of your table.' };
    return answerOf(400, {
      __type: `${apiPrefix}TransactionCanceledException`,
      Message: 'Transaction cancelled, please refer cancellation reasons for specific reasons [ThrottlingError]',
      CancellationReasons: items.map((_, index) => (index === throttled ? reason : { Code: 'None' })),
    });
  }
  const name = random.chance(0.5) ? 'ProvisionedThroughputExceededException' : 'ThrottlingException';
  return answerOf(400, { __type: `${apiPrefix}${name}`, message: 'Throughput exceeds the current capacity of your table or index.' });
}

function answerOf(status: number, body: object): Buffer {
  const text = JSON.stringify(body);
  const reason = status === 200 ? 'OK' : 'Bad Request';
  const head = [`HTTP/1.1 ${status} ${reason}`, 'content-type: application/x-amz-json-1.0', `content-length: ${Buffer.byteLength(text)}`];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`);
}
