import { createHmac, randomUUID } from 'node:crypto';
import type { Document, Operation } from './document.ts';
import { graphqlDocument } from './graphql.ts';
import type { Random } from './random.ts';
import { type Draft, reasonToRefuse } from './reasons.ts';
import type { Caller, Part, Scene } from './scene.ts';
import { type Sketch, sensible } from './sense.ts';
import { mangled, spoiled } from './spoil.ts';
import { valueFor, type Wells, word } from './values.ts';

export interface Maker {
  readonly document: Document;
  readonly bounds: readonly number[];
  readonly scene: Scene;
  readonly random: Random;
  /** How often each operation is asked; 1 where nothing is said. */
  readonly weights: Readonly<Record<string, number>>;
  /** Cursors that lists have given out, by operation. */
  readonly cursors: Map<string, string[]>;
  /** Requests with a key that were sent, to be sent again. */
  readonly sent: Draft[];
}

export const manners = {
  valid: 34,
  'spoiled body': 26,
  'spoiled form': 14,
  stranger: 8,
  'odd path': 6,
  'odd wire': 4,
  repeat: 4,
  'odd query': 4,
} as const;
type Manner = keyof typeof manners;
type Headers = Sketch['headers'];

const json: readonly [string, string] = ['content-type', 'application/json'];

function wellsOf({ scene, random }: Maker, part: Part): Wells {
  const sale = random.pick(part.sales);
  const known: Readonly<Record<string, () => unknown>> = {
    saleId: () => sale.saleId,
    sku: () => random.pick([...sale.counted, sale.hall?.sku ?? '']),
    orderId: () => part.orders[random.int(part.orders.length)]?.orderId,
    userId: () => random.pick(part.userIds),
    buyerId: () => random.pick(part.userIds),
    code: () => part.codes[random.int(part.codes.length)],
    asset: () => scene.assets[random.int(scene.assets.length)],
    queue: () => random.pick(['payment', 'fulfilment', 'rebuilds', 'outbox']),
    currency: () => 'EUR',
  };
  return (name) => (Object.hasOwn(known, name) && random.chance(0.95) ? known[name]?.() : undefined);
}

const callersFor = (scopes: readonly string[], { operators, strangers }: Scene, part: Part): { fit: Caller[]; unfit: Caller[] } => {
  const isFit = (caller: Caller) => scopes.length === 0 || scopes.some((scope) => caller.scopes.includes(scope));
  const all = [...part.buyers, ...operators.filter((each) => part.buyers.length > 2 || !each.scopes.includes('sale:buy')), ...strangers];
  return { fit: all.filter(isFit), unfit: all.filter((caller) => !isFit(caller)) };
};

function sketch(maker: Maker, operation: Operation, part: Part, isStranger: boolean): Sketch {
  const { document, random, scene, cursors } = maker;
  const wells = wellsOf(maker, part);
  const { fit, unfit } = callersFor(operation.scopes, scene, part);
  const caller = random.pick(isStranger && unfit.length > 0 ? unfit : fit);
  const drawn = (name: string, schema: Parameters<typeof valueFor>[0]) => String(valueFor(schema, random, document.resolve, wells, name));
  const params = Object.fromEntries(operation.params.map(({ name, schema }) => [name, drawn(name, schema)]));
  const query = operation.query.flatMap(({ name, schema, required }): [string, string][] => {
    if (!required && !random.chance(0.3)) return [];
    const given = cursors.get(operation.operationId) ?? [];
    if (name === 'cursor') return given.length === 0 ? [] : [[name, random.pick(given)]];
    return [[name, drawn(name, schema)]];
  });
  const keyed: Headers = operation.isKeyed ? [['idempotency-key', randomUUID()]] : [];
  const headers: Headers = [...keyed, ...(operation.body ? [[...json] as [string, string]] : [])];
  const plain = operation.body ? valueFor(operation.body, random, document.resolve, wells) : undefined;
  const value = operation.operationId === 'graphql' ? graphqlDocument(random, part) : plain;
  const drawnSketch = { operationId: operation.operationId, caller, params, query, headers, value };
  return random.chance(0.93) ? sensible(drawnSketch, part, scene, random) : drawnSketch;
}

const oddTexts = [
  '',
  '%00',
  '..',
  '.',
  '%2F',
  '%2e%2e%2f',
  '%',
  '%ff',
  '%E0%A4%A',
  'a b',
  'é',
  '\u202e',
  'x'.repeat(65),
  'x'.repeat(3_000),
  '__proto__',
  'null',
  '{}',
  '*',
  '-0',
  ';',
  '%0d%0aset-cookie:%20a',
];

/** A path that leads somewhere else, or nowhere. */
function oddPath(path: string, random: Random): string {
  const parts = path.split('/');
  const at = 1 + random.int(parts.length - 1);
  const odd = random.pick(oddTexts).replace(/[^\x21-\x7e]/g, (each) => encodeURIComponent(each));
  return random.pick<() => string>([
    () => parts.with(at, odd).join('/'),
    () => `${path}/`,
    () => `/${path}`,
    () => `${path}/${odd}`,
    () => path.replace('/v1/', '/V1/'),
    () => path.replace('/v1/', '/v1//'),
    () => path.replace('/v1/', '/v1/../v1/'),
    () => `http://127.0.0.1${path}`,
    () => parts.with(at, `${parts[at]}%00`).join('/'),
    () => parts.with(at, `${parts[at]};a=1`).join('/'),
  ])();
}

const encodedQuery = (query: readonly (readonly [string, string])[]) =>
  query.map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`).join('&');

function oddQuery(query: [string, string][], bounds: readonly number[], random: Random): [string, string][] {
  const [first] = query;
  const bound = String(random.pick(bounds));
  return random.pick<() => [string, string][]>([
    () => [...query, [random.pick(['colour', '__proto__', 'constructor', '', 'limit[]', 'Limit']), 'x']],
    () =>
      first
        ? [...query, first]
        : [
            ['limit', '1'],
            ['limit', '2'],
          ],
    () => [
      ...query.filter(([name]) => name !== 'limit'),
      ['limit', random.pick(['0', '101', '-1', '1e1', '٣', '', ' 5', '0x5', '007', bound])],
    ],
    () => [['cursor', random.pick([word(random, 40), '', 'W10', 'bnVsbA', '%', 'x'.repeat(600), 'WyJvcmRlcnMiLCJ4Il0'])]],
    () =>
      query.map(([name, value], index) =>
        index === 0 ? [name, `${value}${random.pick(['\u0000', ' ', '~', 'A', '\ud800', ','])}`] : [name, value],
      ),
    () => query.slice(1),
  ])();
}

function oddHeaders(headers: Headers, random: Random): Headers {
  const without = (name: string) => headers.filter(([each]) => each !== name);
  const key = (value: string): Headers => [...without('idempotency-key'), ['idempotency-key', value]];
  const type = (value: string): Headers => [...without('content-type'), ['content-type', value]];
  return random.pick<() => Headers>([
    () => without('idempotency-key'),
    () =>
      key(
        random.pick([
          '',
          ' ',
          'two words',
          'k'.repeat(256),
          'k'.repeat(255),
          'schl\u00fcssel',
          '\u007f',
          '__proto__',
          'a|b',
          '{}',
          '#',
          "'",
        ]),
      ),
    () => [...headers, ['idempotency-key', randomUUID()]],
    () => without('content-type'),
    () =>
      type(
        random.pick([
          'text/plain',
          'application/json; charset=utf-16',
          'APPLICATION/JSON',
          'application/json;',
          'application/problem+json',
          'x',
          '',
          'multipart/form-data; boundary=x',
          'application/octet-stream',
          'application/json, application/json',
        ]),
      ),
    () => [...headers, ['accept', random.pick(['text/html', '*/*;q=0', 'x'])]],
    () => [...headers, ['x-odd', 'x'.repeat(random.pick([10, 4_000]))]],
    () => [...headers, ['origin', random.pick(['null', 'https://evil.example', 'https://shop.example'])]],
    () => [...headers, ['if-none-match', random.pick(['*', 'W/"x"', '"'])]],
    () => [...headers, ['x-forwarded-for', '127.0.0.1'], ['x-http-method-override', 'DELETE'], ['cookie', 'a=b; __proto__=c']],
    () => [...headers, ['x-amzn-oidc-identity', 'operator'], ['x-user-id', 'operator']],
  ])();
}

/** What node's own parser gets to see before anything of ours does. */
function oddWire(draft: Draft, random: Random): Draft {
  const { wire } = draft;
  const change = random.pick<() => Partial<Draft['wire']>>([
    () => ({
      method: random.pick(['HEAD', 'OPTIONS', 'PURGE', 'TRACE', 'PROPFIND', 'get', 'FOO', 'DELETE', 'PUT', 'PATCH', 'POST', 'GET']),
    }),
    () => ({ headers: [...wire.headers, ['transfer-encoding', 'chunked']], body: Buffer.from('5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n') }),
    () => ({ headers: [...wire.headers, ['transfer-encoding', 'chunked']], body: Buffer.from('zz\r\n{}') }),
    () => ({ headers: [...wire.headers, ['content-length', random.pick(['-1', 'x', '1e3', '99999999999999999999'])]] }),
    () => ({ headers: [...wire.headers, ['content-length', '5'], ['transfer-encoding', 'chunked']] }),
    () => ({ headers: [...wire.headers, ['x-huge', 'x'.repeat(20_000)]] }),
    () => ({ headers: [...wire.headers, ...Array.from({ length: 300 }, (_, index): [string, string] => [`x-${index}`, 'x'])] }),
    () => ({ headers: [...wire.headers, ['x-odd\u0000', 'a']] }),
    () => ({ headers: [...wire.headers, ['x-odd', 'a\u0000b']] }),
    () => ({ headers: [...wire.headers, ['expect', random.pick(['100-continue', 'x'])]] }),
    () => ({ headers: [...wire.headers, ['upgrade', 'websocket'], ['connection', 'upgrade']] }),
    () => ({ headers: [...wire.headers, ['host', random.pick(['', 'evil.example', 'a b'])]] }),
    () => ({ target: random.pick(['*', '', ' ', 'x', `${wire.target}#a`, `${wire.target}\u00ff`, `/${'x'.repeat(20_000)}`]) }),
  ])();
  const changed = { ...wire, ...change };
  const isHead = changed.method === 'HEAD';
  return { ...draft, operation: undefined, isOdd: true, wire: isHead ? { ...changed, body: undefined, headers: [] } : changed };
}

function bytesFor(value: unknown, manner: Manner, { random, bounds }: Maker): Buffer | undefined {
  if (value === undefined) return undefined;
  const times = 1 + random.int(2);
  const changed = manner === 'spoiled body' ? Array.from({ length: times }).reduce((now) => spoiled(now, random, bounds), value) : value;
  const text = JSON.stringify(changed) ?? 'null';
  return manner === 'spoiled form' && random.chance(0.5) ? mangled(text, random) : Buffer.from(text, 'utf8');
}

function draftOf(maker: Maker, operation: Operation, part: Part, manner: Manner): Draft {
  const { random, bounds, scene } = maker;
  const { caller, params, query, headers, value } = sketch(maker, operation, part, manner === 'stranger');
  const spoiledParams = manner === 'spoiled body' && operation.body === undefined && random.chance(0.7);
  const name = Object.keys(params)[0];
  if (spoiledParams && name !== undefined) params[name] = `${params[name]}${random.pick(['x', '\u0000', '/', '%', '|', ' ', 'é', '\n'])}`;
  const body = bytesFor(value, manner, maker);
  const isWebhook = operation.operationId === 'takePaymentWebhook';
  const isForged = isWebhook && random.chance(0.3);
  const signed = isWebhook ? signatureOf(body ?? Buffer.alloc(0), scene.webhookSecrets, isForged, random) : [];
  const pairs = manner === 'odd query' ? oddQuery(query, bounds, random) : query;
  const filled = operation.path.replace(/\{(\w+)\}/g, (_, each: string) => encodeURIComponent((params[each] ?? '').toWellFormed()));
  const path = manner === 'odd path' ? oddPath(filled, random) : filled;
  const given = manner === 'spoiled form' ? oddHeaders([...headers, ...signed], random) : [...headers, ...signed];
  const authorisation: Headers = caller.authorization === undefined ? [] : [['authorization', caller.authorization]];
  const draft: Draft = {
    ...{ operation: manner === 'odd path' ? undefined : operation, meant: operation, caller, params, query: pairs, isForged },
    wire: {
      method: operation.method,
      target: pairs.length === 0 ? path : `${path}?${encodedQuery(pairs)}`,
      headers: [...authorisation, ...given],
      body,
    },
  };
  return manner === 'odd wire' ? oddWire(draft, random) : draft;
}

/** What a webhook bears that says these very bytes, also such as are no text; or something that only looks like it. */
function signatureOf(body: Buffer, secrets: readonly string[], isForged: boolean, random: Random): Headers {
  const isStale = isForged && random.chance(0.3);
  const id = `msg_${randomUUID()}`;
  const timestamp = String(Math.floor(Date.now() / 1_000) - (isStale ? 3_600 : 0));
  const secret = Buffer.from((secrets[0] ?? '').replace(/^whsec_/, ''), 'base64');
  const signature = `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  if (!isForged || isStale) return Object.entries(headers);
  const { 'webhook-signature': _, ...unsigned } = headers;
  const other = `v1,${Buffer.alloc(32, random.int(256)).toString('base64')}`;
  const words = [other, '', 'v1,', 'v1', 'v2,x', ', , ,', 'v1,%%%', `v1a${signature.slice(2)}`];
  return Object.entries(
    random.pick<Record<string, string>>([
      unsigned,
      { ...headers, 'webhook-signature': random.pick(words) },
      { ...headers, 'webhook-timestamp': random.pick(['NaN', '', '-1', '1e9', '0']) },
      { ...headers, 'webhook-id': `${id}x` },
    ]),
  );
}

const mayChange = ({ method }: Operation): boolean => method !== 'GET';

/** Draws the next request. */
export function nextDraft(maker: Maker): Draft {
  const { document, random, scene, weights, sent } = maker;
  const manner = random.weighted(manners);
  if (manner === 'repeat' && sent.length > 0) return repeated(random.pick(sent), random);
  const operationId = random.weighted(
    Object.fromEntries(document.operations.map((each) => [each.operationId, weights[each.operationId] ?? 1])),
  );
  const operation = document.operations.find((each) => each.operationId === operationId);
  if (!operation) throw new Error(`no operation ${operationId}`);
  const isAimed = manner !== 'odd path' && manner !== 'odd wire' && manner !== 'repeat' && random.chance(0.35);
  if (isAimed) {
    const draft = draftOf(maker, operation, scene.watched, manner);
    // The watched part gets only what can change nothing.
    if (!mayChange(operation) || reasonToRefuse(draft, document.resolve) !== undefined) return draft;
  }
  return draftOf(maker, operation, scene.play, manner === 'repeat' ? 'valid' : manner);
}

/** A request with a key again: as it was, or with another payload. */
function repeated(draft: Draft, random: Random): Draft {
  const text = draft.wire.body?.toString('utf8') ?? '';
  if (random.chance(0.6)) return draft;
  const body = Buffer.from(
    text.replace(/(?<=:)\d+/, (digits) => String(Number(digits) + 1)),
    'utf8',
  );
  return { ...draft, wire: { ...draft.wire, body } };
}
