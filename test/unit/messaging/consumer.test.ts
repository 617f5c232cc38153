import type { Context, SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { orderConsumer } from '../../../functions/messaging/consumer.ts';
import type { Step } from '../../../functions/orders/order.ports.ts';
import { eventsOf, outboxRow } from '../../../functions/orders/outbox.model.ts';
import { anOrder, freshHoldId } from '../../support/orders.ts';

const order = anOrder({ holdId: freshHoldId() });
const nowMs = order.updatedAtMs + 1_500;
let lines: string[];
beforeEach(() => {
  lines = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => Boolean(lines.push(String(line))));
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => vi.restoreAllMocks());

function record(messageId: string, body?: string): SQSRecord {
  const [event] = eventsOf(outboxRow({ next: order, events: ['OrderPlaced'] }));
  const said = JSON.stringify({ 'detail-type': event?.name, detail: event?.detail });
  return { messageId, body: body ?? said, attributes: { ApproximateReceiveCount: '5' } } as SQSRecord;
}

const consume = async (records: SQSRecord[], work: () => Promise<void>) => {
  const noted: [messageId: string, why: string][] = [];
  const failures = { note: async ({ messageId }: { messageId: string }, error: unknown) => void noted.push([messageId, String(error)]) };
  const step: Step = async (current) => {
    await work();
    return { outcome: 'stayed', order: current };
  };
  const handler = orderConsumer(step, { get: async (orderId) => (orderId === order.orderId ? order : undefined) }, failures, {
    nowMs: () => nowMs,
  });
  const { batchItemFailures } = await handler({ Records: records }, { functionName: 'payment' } as Context);
  return { failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), noted };
};

describe('a consumer', () => {
  it('reports each message that failed by itself, and notes why, whatever it is', async () => {
    let calls = 0;
    const { failed, noted } = await consume([record('good'), record('bad'), record('poison', 'no JSON')], async () => {
      if (++calls === 2) throw new Error('contended');
    });
    expect(failed.toSorted()).toEqual(['bad', 'poison']);
    expect(noted.toSorted()).toEqual([
      ['bad', 'Error: contended'],
      ['poison', expect.stringContaining('SyntaxError')],
    ]);
  });

  it('measures how far it is behind what happened, of what it has handled, in one line a batch', async () => {
    await consume([record('one'), record('two')], async () => {});
    const measured = lines.map((line) => JSON.parse(line)).filter(({ EventLag }) => EventLag !== undefined);
    expect(measured).toMatchObject([{ Consumer: 'payment', EventLag: [1_500, 1_500] }]);
    lines = [];
    await consume([record('one')], () => Promise.reject(new Error('no')));
    expect(lines.filter((line) => line.includes('EventLag'))).toEqual([]);
  });
});
