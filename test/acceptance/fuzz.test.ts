import { randomInt } from 'node:crypto';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { Connection } from '../../lib/client/connection.ts';
import { boundsOf, type RawDocument, readDocument } from '../fuzz/document.ts';
import { fuzz, usualWeights } from '../fuzz/fuzz.ts';
import { differences, emptyLedger } from '../fuzz/ledger.ts';
import { setScene, watchedState } from '../fuzz/scene.ts';
import { curlOf } from '../fuzz/wire.ts';

const baseUrl = inject('baseUrl');
const webhookSecrets = inject('webhookSecrets');
const connection = new Connection(baseUrl, { connections: 8, timeoutMs: 40_000 });
afterAll(() => connection.close());

const requests = 1_500;
const msMax = 9_000;
/** Events take their time on a machine that is busy with other tests; nobody waits longer than for what is still on its way. */
const quietMsMax = 300_000;

/** What asks or moves things of the whole endpoint is left to the long form: others test theirs at this moment. */
const weights = { ...usualWeights, reconcile: 0, redriveDeadLetters: 0, listDeadLetters: 0, importProducts: 0.1, readDocsAsset: 0 };

describe.skipIf(webhookSecrets.length === 0 || !inject('behind'))('whatever is sent', () => {
  it.each([
    ['a fixed seed', 20_251_127],
    ['a fresh seed', randomInt(1, 2 ** 31)],
  ])('is answered as the document says, and what is refused changes nothing (%s, %i)', { timeout: 900_000 }, async (_, seed) => {
    const answer = await connection.send<RawDocument>({ method: 'GET', path: '/v1/openapi.json' });
    const raw = answer.body as RawDocument;
    const scene = await setScene({ connection, webhookSecrets, buyers: 3, sales: 2 });
    const [document, ledger] = [readDocument(raw), emptyLedger()];
    const before = await watchedState(scene);
    const { hostname: host, port } = new URL(baseUrl);
    const endpoint = { host, port: Number(port) };
    const endMs = Date.now() + msMax;
    const result = await fuzz({
      ...{ endpoint, document, bounds: boundsOf(raw), scene, ledger, weights, seed, requests, endMs },
      lanes: 6,
    });
    console.info(`${result.sent} requests, seed ${seed}`);
    const faults = result.faults.map(({ operationId, kind, detail, draft }) => ({
      operationId,
      kind,
      detail,
      curl: curlOf(draft.wire, baseUrl),
    }));
    expect(faults).toEqual([]);
    expect(await watchedState(scene), 'what got only requests that had to be refused').toEqual(before);
    expect(await differences(scene, ledger, quietMsMax)).toEqual([]);
    expect(result.sent).toBeGreaterThan(50);
  });
});
