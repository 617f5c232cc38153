import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import * as z from 'zod';
import { closeServer, type JsonServer, listenLocally, readBody } from './aws-json.ts';

/** What a new table on demand can take at once: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html */
const fresh: Throughput = { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 4_000 };

interface Throughput {
  readonly ReadUnitsPerSecond: number;
  readonly WriteUnitsPerSecond: number;
}

const Wished = z.strictObject({ ReadUnitsPerSecond: z.int().positive().optional(), WriteUnitsPerSecond: z.int().positive().optional() });
const Update = z.strictObject({
  TableName: z.string(),
  WarmThroughput: Wished.optional(),
  GlobalSecondaryIndexUpdates: z
    .array(z.strictObject({ Update: z.strictObject({ IndexName: z.string(), WarmThroughput: Wished }) }))
    .default([]),
});

interface Description {
  readonly TableName: string;
  readonly GlobalSecondaryIndexes?: readonly { readonly IndexName: string }[];
}

/** In front of a DynamoDB server that does not know warm throughput: it notes what is asked for and shows it, and hands on everything else. */
export interface WarmThroughputs extends JsonServer {
  /** By table, or by table and index with a slash between them: those that were raised. */
  readonly raised: ReadonlyMap<string, number>;
}

/** A refusal in DynamoDB's words. */
class Refused extends Error {}

export async function startWarmThroughputs(databaseUrl: string, onLog: (line: string) => void): Promise<WarmThroughputs> {
  const known = new Map<string, Throughput>();
  const partOf = (table: string, index?: string) => (index === undefined ? table : `${table}/${index}`);
  const of = (part: string) => known.get(part) ?? fresh;

  function raise(part: string, wished: z.infer<typeof Wished>): void {
    const [was, is] = [of(part), { ...of(part), ...wished } as Throughput];
    // As DynamoDB refuses it: what was raised never comes down.
    if (is.WriteUnitsPerSecond < was.WriteUnitsPerSecond || is.ReadUnitsPerSecond < was.ReadUnitsPerSecond)
      throw new Refused(
        'Requested WarmThroughput for table is lower than current WarmThroughput, decreasing WarmThroughput is not supported',
      );
    known.set(part, is);
    onLog(`warm throughput of ${part} is ${is.WriteUnitsPerSecond} write units a second now`);
  }

  const shown = <Table extends Description>(table: Table) => ({
    ...table,
    WarmThroughput: { ...of(table.TableName), Status: 'ACTIVE' },
    ...(table.GlobalSecondaryIndexes && {
      GlobalSecondaryIndexes: table.GlobalSecondaryIndexes.map((index) => ({
        ...index,
        WarmThroughput: { ...of(partOf(table.TableName, index.IndexName)), Status: 'ACTIVE' },
      })),
    }),
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(incoming);
    const operation = String(incoming.headers['x-amz-target']).split('.').at(-1);
    const isWarming = operation === 'UpdateTable';
    // The server is asked in either case: whether the table is there is its to say.
    const asked = isWarming ? JSON.stringify({ TableName: (JSON.parse(body) as Description).TableName }) : body;
    const headers = isWarming ? { ...incoming.headers, 'x-amz-target': 'DynamoDB_20120810.DescribeTable' } : incoming.headers;
    const { status, text } = await post(databaseUrl, headers, asked);
    const reply = (code: number, content: string) =>
      response.writeHead(code, { 'content-type': 'application/x-amz-json-1.0' }).end(content);
    if (status !== 200 || (operation !== 'DescribeTable' && !isWarming)) return void reply(status, text);
    const { Table } = JSON.parse(text) as { Table: Description };
    if (!isWarming) return void reply(200, JSON.stringify({ Table: shown(Table) }));
    try {
      const wished = Update.parse(JSON.parse(body));
      if (wished.WarmThroughput) raise(wished.TableName, wished.WarmThroughput);
      for (const { Update: index } of wished.GlobalSecondaryIndexUpdates)
        raise(partOf(wished.TableName, index.IndexName), index.WarmThroughput);
      reply(200, JSON.stringify({ TableDescription: shown(Table) }));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      reply(400, JSON.stringify({ __type: 'com.amazon.coral.validate#ValidationException', message }));
    }
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.keepAliveTimeout = 60_000;
  const url = await listenLocally(server);
  return {
    url,
    stop: () => closeServer(server),
    get raised() {
      return new Map([...known].map(([part, { WriteUnitsPerSecond }]) => [part, WriteUnitsPerSecond]));
    },
  };
}

const answerBytesMax = 64 * 1024 * 1024;

function post(url: string, { host: _h, connection: _c, ...headers }: IncomingMessage['headers'], body: string) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (response) => {
      readBody(response, answerBytesMax).then((text) => resolve({ status: response.statusCode ?? 500, text }), reject);
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
