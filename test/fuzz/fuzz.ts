import { pause } from '../../lib/client/bounded.ts';
import type { Document } from './document.ts';
import { type Fault, isForNow, judge } from './judge.ts';
import { type Ledger, note } from './ledger.ts';
import { randomFrom } from './random.ts';
import type { Draft } from './reasons.ts';
import { type Maker, nextDraft } from './requests.ts';
import { makeSale, type Scene } from './scene.ts';
import { shrunk } from './shrink.ts';
import { type Endpoint, NoWireAnswer, Wire, type WireAnswer } from './wire.ts';

export interface FuzzPlan {
  readonly endpoint: Endpoint;
  readonly document: Document;
  readonly bounds: readonly number[];
  readonly scene: Scene;
  readonly ledger: Ledger;
  readonly seed: number;
  readonly requests: number;
  /** Requests under way at once. */
  readonly lanes: number;
  /** No further request is begun after this moment. */
  readonly endMs: number;
  readonly weights: Readonly<Record<string, number>>;
  readonly onProgress?: (sent: number) => void;
}

export interface FoundFault extends Fault {
  readonly operationId: string;
  readonly count: number;
  /** The smallest request found that shows it. */
  readonly draft: Draft;
  readonly requestId: string | undefined;
}

export interface FuzzResult {
  readonly sent: number;
  /** By operation, how often each status was answered; `(none)` for requests that lead to no operation for certain. */
  readonly statuses: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly faults: readonly FoundFault[];
  /** Refusals for now that were none any more when the same request was sent again. */
  readonly forNow: number;
  /** Connections that ended without an answer, where the request's form allows that. */
  readonly cutOff: number;
  readonly slowestMs: number;
}

/** How seldom operations are asked that take long or serve much. A run of them all would be a run of nothing else. */
export const usualWeights: Readonly<Record<string, number>> = {
  ...{ placeOrder: 2.5, graphql: 2.5, setCartItem: 1.5, takePaymentWebhook: 1.5 },
  ...{ createSale: 0.4, importProducts: 0.4, auditSale: 0.4, cancelSale: 0.12, readOpenApi: 0.15, readDocs: 0.2, readDocsAsset: 0.03 },
  // A look at dead letters waits for a second in each queue, a reconciliation for some between its looks.
  ...{ reconcile: 0.03, listDeadLetters: 0.03, redriveDeadLetters: 0.05, listReconciliations: 0.3 },
};

const retriesMax = 6;
const faultKindsMax = 20;
const sentMax = 200;

class Run {
  readonly plan: FuzzPlan;
  readonly statuses = new Map<string, Map<number, number>>();
  readonly faults = new Map<string, FoundFault>();
  readonly cursors = new Map<string, string[]>();
  readonly sent: Draft[] = [];
  begun = 0;
  forNow = 0;
  cutOff = 0;
  slowestMs = 0;

  constructor(plan: FuzzPlan) {
    this.plan = plan;
  }

  makerOf(lane: number): Maker {
    const { document, bounds, scene, seed, weights } = this.plan;
    return { document, bounds, scene, weights, random: randomFrom(seed * 1_000 + lane), cursors: this.cursors, sent: this.sent };
  }

  async lane(index: number): Promise<void> {
    const { plan } = this;
    const maker = this.makerOf(index);
    const wire = new Wire(plan.endpoint);
    try {
      while (this.begun < plan.requests && Date.now() < plan.endMs && this.faults.size < faultKindsMax) {
        this.begun++;
        if (this.begun % 1_000 === 0) plan.onProgress?.(this.begun);
        await this.tryOne(wire, nextDraft(maker));
      }
    } finally {
      wire.close();
    }
  }

  async tryOne(wire: Wire, draft: Draft): Promise<void> {
    const { scene, ledger } = this.plan;
    const startMs = performance.now();
    const { answer, fault } = await this.exchanged(wire, draft);
    if (!fault) this.slowestMs = Math.max(this.slowestMs, performance.now() - startMs);
    if (answer) this.count(draft, answer);
    if (fault) return this.report(draft, fault, answer);
    if (!answer) return;
    note(scene, ledger, draft, answer);
    this.learn(draft, answer);
    if (draft.operation?.isKeyed) this.remember(draft);
    await this.replaceEnded(draft, answer);
  }

  /** Sends it, and again what was refused for now: such a refusal is none of the request, as long as it ends. */
  async exchanged(wire: Wire, draft: Draft): Promise<{ answer: WireAnswer | undefined; fault: Fault | undefined }> {
    const { endpoint, document } = this.plan;
    const own = draft.isOdd === true ? new Wire(endpoint) : wire;
    try {
      for (let attempt = 0; ; attempt++) {
        const answer = await own.exchange(draft.wire);
        const fault = judge(answer, draft, document);
        const isOver = !isForNow(answer) && !fault?.kind.includes(' 503 ');
        if (isOver || attempt === retriesMax) return { answer, fault };
        this.forNow++;
        await pause(100 * 2 ** attempt);
      }
    } catch (error) {
      if (!(error instanceof NoWireAnswer)) throw error;
      if (draft.isOdd) {
        this.cutOff++;
        return { answer: undefined, fault: undefined };
      }
      this.plan.ledger.unanswered++;
      return { answer: undefined, fault: { kind: 'no answer', detail: error.message } };
    } finally {
      if (own !== wire) own.close();
    }
  }

  count({ operation }: Draft, { status }: WireAnswer): void {
    const name = operation?.operationId ?? '(none)';
    const counts = this.statuses.get(name) ?? new Map<number, number>();
    counts.set(status, (counts.get(status) ?? 0) + 1);
    this.statuses.set(name, counts);
  }

  async report(draft: Draft, fault: Fault, answer: WireAnswer | undefined): Promise<void> {
    const operationId = draft.operation?.operationId ?? '(none)';
    const name = `${operationId}: ${fault.kind}`;
    const known = this.faults.get(name);
    if (known) return void this.faults.set(name, { ...known, count: known.count + 1 });
    const found = { ...fault, operationId, count: 1, draft, requestId: answer?.headers['x-request-id'] };
    this.faults.set(name, found);
    const wire = new Wire(this.plan.endpoint);
    const smallest = await shrunk(draft, async (candidate) => {
      const again = await this.exchanged(wire, candidate);
      // What a smaller one does on its way is done as well.
      if (again.answer) note(this.plan.scene, this.plan.ledger, candidate, again.answer);
      return again.fault?.kind === fault.kind;
    });
    wire.close();
    const { count } = this.faults.get(name) ?? found;
    this.faults.set(name, { ...found, count, draft: smallest });
  }

  remember(draft: Draft): void {
    this.sent.push(draft);
    if (this.sent.length > sentMax) this.sent.splice(0, sentMax / 2);
  }

  learn({ operation }: Draft, { status, text }: WireAnswer): void {
    if (!operation || status !== 200 || !operation.query.some(({ name }) => name === 'cursor')) return;
    const { nextCursor } = JSON.parse(text) as { nextCursor: string | null };
    if (nextCursor === null) return;
    const known = this.cursors.get(operation.operationId) ?? [];
    this.cursors.set(operation.operationId, [...known.slice(-20), nextCursor]);
  }

  /** A sale that sells no more leaves its place to a new one, so that there is always something to be had. */
  async replaceEnded({ operation, params }: Draft, { status, text }: WireAnswer): Promise<void> {
    const { scene, ledger } = this.plan;
    const isCalledOff = operation?.operationId === 'cancelSale' && status === 202;
    const isClosed = operation?.operationId === 'changeSale' && status === 200 && text.includes('"state":"closed"');
    const isSoldOut = operation?.operationId === 'placeOrder' && text.includes('"SOLD_OUT"') && text.includes('"available":0');
    if (!isCalledOff && !isClosed && !isSoldOut) return;
    const at = scene.play.sales.findIndex(({ saleId }) => saleId === params.saleId);
    const ended = scene.play.sales[at];
    if (!ended) return;
    ledger.saleIds.add(ended.saleId);
    const fresh = await makeSale(scene.operator, scene.prefix);
    ledger.saleIds.add(fresh.saleId);
    if (scene.play.sales[at] === ended) scene.play.sales[at] = fresh;
  }
}

/** Sends requests until there were enough, time is up, or too much is wrong. */
export async function fuzz(plan: FuzzPlan): Promise<FuzzResult> {
  const run = new Run(plan);
  for (const { saleId } of plan.scene.play.sales) plan.ledger.saleIds.add(saleId);
  await Promise.all(Array.from({ length: plan.lanes }, (_, index) => run.lane(index)));
  const { begun: sent, statuses, faults, forNow, cutOff, slowestMs } = run;
  return { sent, statuses, faults: [...faults.values()], forNow, cutOff, slowestMs };
}

/** Operations that no request has reached with success: of them nothing was tried but the door. */
export function unreached(document: Document, { statuses }: FuzzResult, weights: Readonly<Record<string, number>>): string[] {
  const isReached = (operationId: string) => [...(statuses.get(operationId)?.keys() ?? [])].some((status) => status < 300);
  return document.operations.map(({ operationId }) => operationId).filter((each) => weights[each] !== 0 && !isReached(each));
}
