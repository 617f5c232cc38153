import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { routes } from '../../functions/api/routes.ts';
import { schema } from '../../functions/graphql/schema.model.ts';
import { inParallel } from '../../functions/shared/parallel.ts';
import type { Answer, Outgoing } from '../../lib/client/connection.ts';
import { type Authorisations, authorisationsOf, type Caller, callers, known, scopeless, strangers } from '../authorisation/callers.ts';
import { type Case, type Cell, type FieldCase, fields, table } from '../authorisation/table.ts';
import { buyersOwn, freshName, standing, type World, worldOf } from '../authorisation/world.ts';
import { granted, openShop, refused } from '../support/acceptance.ts';
import type { GraphqlBody } from '../support/graphql.ts';

const shop = await openShop();
afterAll(() => shop.close());

let base: Omit<World, 'fresh'>;
let authorisations: Authorisations;
beforeAll(async () => {
  if (!shop.isLocal) return;
  base = await worldOf(shop, inject('webhookSecrets'));
  authorisations = await authorisationsOf(shop, base.buyer, base.other);
});

const send = <Body = unknown>(caller: Caller, { headers, ...request }: Outgoing): Promise<Answer<Body>> => {
  const authorization = authorisations[caller];
  return shop.client.raw<Body>({ ...request, headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) } });
};

const isOneOf = <Word extends string>(words: readonly Word[], word: string): word is Word => (words as readonly string[]).includes(word);

function cellOf({ strangers: anybody, buyer, otherBuyer, operator }: Case, caller: Caller): Cell {
  if (isOneOf(strangers, caller)) return anybody ?? 'UNAUTHENTICATED';
  if (isOneOf(scopeless, caller)) return anybody ?? 'FORBIDDEN';
  return { buyer, 'other buyer': otherBuyer, operator }[caller];
}

/** Tells what stands behind a request that was let through, in the name of somebody whose own it is not. */
function expectNothingOf({ buyer, fulfilled, waiting }: World, text: string): void {
  for (const secret of [buyer.userId, fulfilled.orderId, waiting.orderId]) expect(text).not.toContain(secret);
}

/** Every case of the table, with the name that its requests give to what they make. */
const casesOf = () =>
  Object.entries(table).flatMap(([operationId, cases]) => {
    const status = routes.find((route) => route.operationId === operationId)?.status ?? 0;
    return cases.map((each) => {
      const world = { ...base, fresh: freshName() };
      return {
        ...each,
        label: `${operationId} ${each.what ?? ''}`,
        status,
        world,
        send: (caller: Caller) => send(caller, each.request(world)),
      };
    });
  });
type Tried = ReturnType<typeof casesOf>[number];

/** One cell of the matrix; a failure says which. */
async function tryCell(tried: Tried, caller: Caller): Promise<Answer<unknown>> {
  const cell = cellOf(tried, caller);
  try {
    const answer = await tried.send(caller);
    if (cell === 'granted') granted(answer, tried.status);
    else refused(answer, cell);
    return answer;
  } catch (error) {
    if (error instanceof Error) error.message = `${tried.label} by ${caller}: ${error.message}`;
    throw error;
  }
}

describe.runIf(shop.isLocal)('who may call what', () => {
  it('is said of every route there is, and of none besides', () => {
    expect(Object.keys(table).sort()).toEqual(routes.map(({ operationId }) => operationId).sort());
  });

  it.each(routes.map(({ operationId, access }) => [operationId, access]))(
    'is said of %s (%s) as its route says it',
    (operationId, access) => {
      for (const { strangers: anybody, buyer, otherBuyer, operator } of table[operationId] ?? []) {
        expect(anybody !== undefined, 'open to everyone').toBe(access === 'public');
        if (access === 'operate') expect([buyer, otherBuyer]).toEqual(['FORBIDDEN', 'FORBIDDEN']);
        if (access === 'buy') expect(operator).toBe('FORBIDDEN');
      }
    },
  );

  it('is kept to at every route, for everyone, and nothing of a refused call happens', { timeout: 120_000 }, async () => {
    const world = { ...base, fresh: freshName() };
    const cases = casesOf();
    const cells = cases.flatMap((tried) => callers.map((caller) => ({ tried, caller, cell: cellOf(tried, caller) })));
    const freshNames = cases.map(({ world: { fresh } }) => fresh);

    const before = await standing(world, freshNames);
    const isRefused = cells.filter(({ cell }) => cell !== 'granted');
    await inParallel(isRefused, 8, ({ tried, caller }) => tryCell(tried, caller));
    expect(await standing(world, freshNames), 'nothing of a refused call has happened').toEqual(before);

    const isGranted = cells.filter(({ cell }) => cell === 'granted');
    const isOwners = ({ caller }: { caller: Caller }) => caller === 'buyer' || caller === 'operator';
    const own = await buyersOwn(world);
    for (const { tried, caller } of isGranted.filter((each) => !isOwners(each))) {
      const { text } = await tryCell(tried, caller);
      if (tried.strangers === undefined) expectNothingOf(world, text);
    }
    expect(await buyersOwn(world), 'what is the buyer’s own').toEqual(own);
    for (const { tried, caller } of isGranted.filter(isOwners)) await tryCell(tried, caller);

    expect(isRefused.length + isGranted.length).toBe(Object.values(table).flat().length * callers.length);
    await shop.cleanAudit(base.sale);
    await shop.cleanAudit(base.doomed);
  });
});

describe.runIf(shop.isLocal)('who may ask for what in GraphQL', () => {
  it('is said of every field there is, and of none besides', () => {
    const named = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
    );
    expect(Object.keys(fields).sort()).toEqual(named.sort());
  });

  it('is kept to at every field, for everyone, and nothing of a refused call happens', { timeout: 120_000 }, async () => {
    const own = await worldOf(shop, []);
    const world: World = { ...own, fresh: freshName() };
    authorisations = await authorisationsOf(shop, own.buyer, own.other);
    const ask = (caller: Caller, { document }: FieldCase) =>
      send<GraphqlBody>(caller, {
        ...{ method: 'POST', path: '/v1/graphql', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ query: document(world) }),
      });
    const cells = Object.entries(fields).flatMap(([name, field]) =>
      known.map((caller) => {
        const cell: Cell = { buyer: field.buyer, 'other buyer': field.otherBuyer, operator: field.operator }[caller];
        return { name, field, caller, cell };
      }),
    );

    const before = await standing(world);
    await inParallel(Object.values(fields), 4, async (field) => {
      for (const caller of strangers) refused(await ask(caller, field), 'UNAUTHENTICATED');
      for (const caller of scopeless) refused(await ask(caller, field), 'FORBIDDEN');
    });
    for (const { name, field, caller, cell } of cells.filter(({ cell }) => cell !== 'granted')) {
      const { data, errors } = granted(await ask(caller, field));
      expect(errors, `${name} by ${caller}`).toMatchObject([{ extensions: { code: cell } }]);
      expect(Object.values(data ?? {}), `${name} by ${caller}: nothing beside the refusal`).toEqual([null]);
    }
    expect(await standing(world), 'nothing of a refused call has happened').toEqual(before);

    const isGranted = cells.filter(({ cell }) => cell === 'granted');
    const isOthers = ({ caller }: { caller: Caller }) => caller === 'other buyer';
    const buyers = await buyersOwn(world);
    for (const { name, field, caller } of [...isGranted.filter(isOthers), ...isGranted.filter((each) => !isOthers(each))]) {
      const answer = await ask(caller, field);
      expect(granted(answer).errors, `${name} by ${caller}`).toBeUndefined();
      if (caller !== 'other buyer') continue;
      expectNothingOf(world, answer.text);
      expect(await buyersOwn(world), 'what is the buyer’s own').toEqual(buyers);
    }
  });
});
