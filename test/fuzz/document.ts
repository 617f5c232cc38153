import type { Resolve, Schema } from './json-schema.ts';

/** One operation of the published document, as whoever only has the document knows it. */
export interface Operation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  /** The scopes of which one is needed; none where no token is. */
  readonly scopes: readonly string[];
  readonly isKeyed: boolean;
  readonly query: readonly Parameter[];
  readonly params: readonly Parameter[];
  readonly body: Schema | undefined;
  readonly status: number;
  /** By media type; undefined where the answer has no body. */
  readonly answer: { readonly mediaType: string; readonly schema: Schema } | undefined;
  /** The codes that each status of a refusal may have. */
  readonly refusals: Readonly<Record<string, readonly string[]>>;
}

export interface Parameter {
  readonly name: string;
  readonly schema: Schema;
  readonly required: boolean;
}

export interface Document {
  readonly operations: readonly Operation[];
  readonly resolve: Resolve;
  readonly problem: Schema;
}

interface RawParameter {
  readonly in: string;
  readonly name: string;
  readonly schema: Schema;
  readonly required?: boolean;
}
type Content = Readonly<Record<string, { readonly schema: Schema; readonly examples?: Readonly<Record<string, unknown>> }>>;
interface RawOperation {
  readonly operationId: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly RawParameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}
export interface RawDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

function operationOf(method: string, path: string, raw: RawOperation): Operation {
  const parametersIn = (place: string) =>
    (raw.parameters ?? []).filter((each) => each.in === place).map(({ name, schema, required = false }) => ({ name, schema, required }));
  const [status = '', success] = Object.entries(raw.responses).find(([code]) => code.startsWith('2')) ?? [];
  const [mediaType, answer] = Object.entries(success?.content ?? {})[0] ?? [];
  const refusals = Object.entries(raw.responses).filter(([code]) => Number(code) >= 400);
  return {
    ...{ operationId: raw.operationId, method: method.toUpperCase(), path, status: Number(status) },
    scopes: (raw.security ?? []).flatMap((each) => Object.values(each).flat()),
    isKeyed: parametersIn('header').some(({ name }) => name.toLowerCase() === 'idempotency-key'),
    query: parametersIn('query'),
    params: parametersIn('path'),
    body: raw.requestBody?.content['application/json']?.schema,
    answer: mediaType === undefined || !answer ? undefined : { mediaType, schema: answer.schema },
    refusals: Object.fromEntries(
      refusals.map(([code, { content }]) => [code, Object.keys(content?.['application/problem+json']?.examples ?? {})]),
    ),
  };
}

/** The operations of `GET /v1/openapi.json`. The files of the page at /docs are no operation of it, and are asked for all the same. */
export function readDocument({ paths, components }: RawDocument): Document {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationOf(method, path, operation)),
  );
  const resolve: Resolve = (reference) => {
    const schema = components.schemas[reference.replace('#/components/schemas/', '')];
    if (!schema) throw new Error(`the document has no ${reference}`);
    return schema;
  };
  return { operations, resolve, problem: resolve('#/components/schemas/Problem') };
}

/** Every bound that the document names: what lies beside it is where mistakes are. */
export function boundsOf({ components }: RawDocument): number[] {
  const found = new Set<number>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, each] of Object.entries(value)) {
      if (/^(exclusiveM|m)(in|ax)(imum|Length|Items)$/.test(name) && typeof each === 'number') found.add(each);
      else visit(each);
    }
  };
  visit(components.schemas);
  return [...found].sort((one, other) => one - other);
}
