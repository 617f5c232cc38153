import { isUtf8 } from 'node:buffer';
import type { Operation } from './document.ts';
import { faultOf, type Resolve, type Schema } from './json-schema.ts';
import type { Caller } from './scene.ts';
import type { WireRequest } from './wire.ts';

/** A request to an operation, and what is known of it before it is sent. */
export interface Draft {
  /** Undefined when its path or method leads to none for certain. */
  readonly operation: Operation | undefined;
  /** What it was before its path or form was made odd: it may be that all the same. */
  readonly meant: Operation;
  readonly caller: Caller;
  readonly wire: WireRequest;
  /** The values of the path's parameters, as they are before they are encoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** A webhook whose signature is none. */
  readonly isForged?: boolean;
  /** Its form is so odd that the connection may end with it. */
  readonly isOdd?: boolean;
}

const bodyBytesMax = { buyer: 8 * 1_024, operator: 1_024 * 1_024 };
const idempotencyKey = /^[\x21-\x7e]{1,255}$/;

const header = ({ headers }: WireRequest, wanted: string): string | undefined => {
  const values = headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value.trim());
  return values.length === 0 ? undefined : values.join(', ');
};

/** What is looked at one by one is no reason to refuse the whole. */
const wholeSchema = ({ operationId, body }: Operation, resolve: Resolve): Schema | undefined => {
  if (operationId !== 'importProducts' || !body) return body;
  const schema = body.$ref === undefined ? body : resolve(body.$ref);
  const { items, ...others } = schema.properties ?? {};
  const { items: _, ...list } = items ?? {};
  return { ...schema, properties: { ...others, items: list } };
};

function bodyFault(operation: Operation, wire: WireRequest, resolve: Resolve): string | undefined {
  const { body = Buffer.alloc(0) } = wire;
  const isOperators = operation.scopes.length > 0 && operation.scopes.every((scope) => scope === 'sale:operate');
  if (body.length > (isOperators ? bodyBytesMax.operator : bodyBytesMax.buyer)) return 'the body is too large';
  const schema = wholeSchema(operation, resolve);
  if (!schema) return undefined;
  if (body.length === 0) return 'there is no body';
  if ((header(wire, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() !== 'application/json') return 'the media type';
  if (!isUtf8(body)) return 'the body is not UTF-8';
  try {
    return faultOf(schema, JSON.parse(body.toString('utf8')), resolve, 'body');
  } catch (error) {
    if (error instanceof SyntaxError) return 'the body is not JSON';
    throw error;
  }
}

function queryFault({ query: parameters }: Operation, query: Draft['query'], resolve: Resolve): string | undefined {
  const unknown = query.find(([name]) => !parameters.some((each) => each.name === name));
  if (unknown) return `the query has ${unknown[0]} besides`;
  for (const { name, schema, required } of parameters) {
    const values = query.filter(([each]) => each === name).map(([, value]) => value);
    if (values.length === 0) {
      if (required) return `the query lacks ${name}`;
      continue;
    }
    const value = values.join(',');
    const fault = faultOf(schema, schema.type === 'integer' ? Number(value) : value, resolve, `query.${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Why this request has to be refused by all that the document says, whatever there is behind it; undefined when it may succeed. */
export function reasonToRefuse({ operation, caller, wire, params, query, isForged }: Draft, resolve: Resolve): string | undefined {
  if (!operation) return undefined;
  const { scopes, isKeyed } = operation;
  if (scopes.length > 0 && !scopes.some((scope) => caller.scopes.includes(scope))) return `called by ${caller.name}`;
  if (isForged) return 'the signature is none';
  if (isKeyed && !idempotencyKey.test(header(wire, 'idempotency-key') ?? '')) return 'the Idempotency-Key';
  for (const { name, schema } of operation.params) {
    const fault = faultOf(schema, params[name], resolve, `path.${name}`);
    if (fault !== undefined) return fault;
  }
  return bodyFault(operation, wire, resolve) ?? queryFault(operation, query, resolve);
}
