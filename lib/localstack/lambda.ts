import { Agent, type IncomingMessage, request } from 'node:http';
import { credentials } from '../local/aws-json.ts';
import { type HostedFunction, InvocationFailed, Overloaded } from '../local/containers.ts';
import { region } from '../local/intrinsics.ts';

/** The emulator has no function of that name: it was not deployed there, or has forgotten it. */
export class NotDeployed extends Error {
  override readonly name = 'NotDeployed';
}

export interface Lambda {
  /** The function of that name, whether or not it is there: its first invocation tells. */
  function(name: string): Pick<HostedFunction, 'invoke' | 'name'>;
  close(): void;
}

/** A first invocation may have to wait for a container, and that for its image. */
const callMsMax = 120_000;
/** What Lambda itself allows. */
const answerBytesMax = 6 * 1024 * 1024;
const connectionsMax = 200;

/** An emulator finds region and account in these and checks nothing else. */
const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/20000101/${region}/lambda/aws4_request, SignedHeaders=host, Signature=0`;

/** Lambda's Invoke API at an emulator's endpoint, called without waiting in line for anything but connections. */
export function lambdaAt(endpoint: string): Lambda {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });

  async function invoke(name: string, event: unknown): Promise<unknown> {
    const { status, headers, body } = await post(`${endpoint}/2015-03-31/functions/${encodeURIComponent(name)}/invocations`, event);
    if (status === 404) throw new NotDeployed(`${endpoint} has no function ${name}: npm run localstack:deploy brings it there`);
    if (status === 429) throw new Overloaded(`${endpoint} has no room for ${name}`);
    // The function's own failure comes with 200 and this header, its words in the body.
    const failed = headers['x-amz-function-error'] !== undefined;
    if (status !== 200 || failed) throw new InvocationFailed(`${name} failed: ${body.slice(0, 1_000)}`);
    return body === '' ? null : JSON.parse(body);
  }

  const post = (url: string, event: unknown) =>
    new Promise<{ status: number; headers: IncomingMessage['headers']; body: string }>((resolve, reject) => {
      const payload = JSON.stringify(event);
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload), authorization };
      const outgoing = request(url, { method: 'POST', agent, headers, timeout: callMsMax }, (response) => {
        read(response).then((body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }), reject);
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error(`an invocation took over ${callMsMax} ms`)));
      outgoing.once('error', reject);
      outgoing.end(payload);
    });

  return {
    function: (name) => ({ name, invoke: (event) => invoke(name, event) }),
    close: () => agent.destroy(),
  };
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new InvocationFailed(`an answer has over ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
