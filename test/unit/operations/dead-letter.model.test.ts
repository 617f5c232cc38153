import { describe, expect, it } from 'vitest';
import { deadLetterOf, deadRowOf } from '../../../functions/operations/dead-letter.model.ts';

const sentAtMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const message = (body: unknown, changes: { deliveryError?: string } = {}) => ({
  messageId: 'm1',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  sentAtMs,
  receivedTimes: 4,
  ...changes,
});
const known = { queue: 'charge', messageId: 'm1', attempts: 4, firstSeenAt: '2026-01-02T03:04:05.000Z' };
const unknown = 'No failure was noted: the function of charge ended without a word, by its time or a crash. See its log.';

describe('a message that is stuck', () => {
  it('says of an event whose it is', () => {
    const event = { 'detail-type': 'OrderPlaced', detail: { eventId: 'e', orderId: 'o', saleId: 's' }, saleId: 'not the event’s' };
    expect(deadLetterOf('charge', message(event), undefined)).toStrictEqual({
      ...known,
      event: 'OrderPlaced',
      eventId: 'e',
      orderId: 'o',
      saleId: 's',
      why: unknown,
    });
  });

  it('says of a request for a rebuild which sale it is about', () => {
    expect(deadLetterOf('charge', message({ saleId: 's' }), undefined)).toStrictEqual({ ...known, saleId: 's', why: unknown });
  });

  it('leaves out what is no text, and what is not there', () => {
    const event = { 'detail-type': 7, detail: { eventId: null, orderId: 'o' }, saleId: 8 };
    expect(deadLetterOf('charge', message(event), undefined)).toStrictEqual({ ...known, orderId: 'o', why: unknown });
    expect(deadLetterOf('charge', message({ detail: 'a word', saleId: 's', DDBStreamBatchInfo: 'a word' }), undefined)).toStrictEqual({
      ...known,
      saleId: 's',
      why: unknown,
    });
    expect(deadLetterOf('charge', message([1]), undefined)).toStrictEqual({ ...known, why: 'It is not JSON.' });
  });

  it('is shown also when it is not JSON', () => {
    expect(deadLetterOf('charge', message('{'), undefined)).toStrictEqual({ ...known, why: 'It is not JSON.' });
  });

  it('gives its consumer’s note before what the bus or the stream says', () => {
    const stream = {
      requestContext: { condition: 'RetryAttemptsExhausted' },
      DDBStreamBatchInfo: { startSequenceNumber: '11', endSequenceNumber: '13', batchSize: 3 },
    };
    const note = { messageId: 'm1', attempts: 9, atMs: sentAtMs + 1_000, why: 'no money' };
    expect(deadLetterOf('charge', message(stream, { deliveryError: 'undeliverable' }), note)).toStrictEqual({
      ...known,
      attempts: 9,
      lastFailedAt: '2026-01-02T03:04:06.000Z',
      why: 'no money',
    });
    expect(deadLetterOf('charge', message(stream, { deliveryError: 'undeliverable' }), undefined).why).toBe('undeliverable');
    expect(deadLetterOf('charge', message(stream), undefined).why).toMatch(
      /^The stream gave up 3 outbox rows from sequence number 11 to 13 \(RetryAttemptsExhausted\): see the dispatcher’s log\./,
    );
    const { batchSize: _, ...unsized } = stream.DDBStreamBatchInfo;
    expect(deadLetterOf('charge', message({ DDBStreamBatchInfo: { ...unsized, batchSize: 'many' } }), undefined).why).toMatch(
      /^The stream gave up 0 outbox rows from sequence number 11 to 13 \(undefined\)/,
    );
  });
});

describe('an outbox row that is stuck', () => {
  const row = { version: 3, attempts: 5, failure: 'too large', atMs: sentAtMs, pollShard: 'set-aside', pollAtMs: 1, item: {} };
  const shown = { queue: 'outbox', attempts: 5, firstSeenAt: known.firstSeenAt, why: 'too large' };

  it('is an order’s or a sale’s', () => {
    expect(deadRowOf('outbox', { ...row, subject: 'ord_1' })).toStrictEqual({ ...shown, messageId: 'ord_1#3', orderId: 'ord_1' });
    expect(deadRowOf('outbox', { ...row, subject: 'sale:s' })).toStrictEqual({ ...shown, messageId: 'sale:s#3', saleId: 's' });
  });
});
