import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Decision } from '../../../functions/orders/order.model.ts';
import type { OrderRepository } from '../../../functions/orders/order.ports.ts';
import { OrderContended, takeStep } from '../../../functions/orders/order.step.ts';
import { documentDatabase } from '../../../functions/shared/dynamo.sdk.ts';
import { type Database, transact } from '../../../functions/shared/dynamo.ts';
import { anOrder } from '../../support/orders.ts';

let lines: string[];
beforeEach(() => {
  lines = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => Boolean(lines.push(String(line))));
});
afterEach(() => vi.restoreAllMocks());

const measured = (name: string) => lines.map((line) => JSON.parse(line)).filter((line) => line[name] !== undefined);

describe('a step that loses races', () => {
  const order = anOrder();
  const decide = (): Decision => ({ outcome: 'go', transition: { next: { ...order, version: 2 }, events: [] } });
  const losing = (races: number): OrderRepository => {
    let lost = 0;
    return {
      get: async () => order,
      transition: async () => (lost++ < races ? { outcome: 'lost-race', current: order } : { outcome: 'moved', order }),
    };
  };

  it('says how many, once it is decided or given up', async () => {
    await takeStep(order, losing(2), decide);
    await expect(takeStep(order, losing(100), decide)).rejects.toBeInstanceOf(OrderContended);
    expect(measured('LostRaces')).toMatchObject([
      { From: 'RESERVED', LostRaces: 2 },
      { From: 'RESERVED', LostRaces: expect.any(Number) },
    ]);
  });

  it('says nothing when it lost none: the way of nearly every order costs no line', async () => {
    await takeStep(order, losing(0), decide);
    expect(lines).toEqual([]);
  });
});

describe('a transaction that is sent again', () => {
  const answering = (...codes: string[]): Database => {
    const errors = codes.map(
      (Code) => new TransactionCanceledException({ message: 'cancelled', $metadata: {}, CancellationReasons: [{ Code }] }),
    );
    const send = async () => {
      const error = errors.shift();
      if (error) throw error;
      return {};
    };
    return documentDatabase({ send } as unknown as DynamoDBDocumentClient);
  };

  it('says how often and why, once it is done', async () => {
    await transact(answering('TransactionConflict', 'TransactionConflict', 'ThrottlingError'), []);
    expect(measured('TransactionRetries')).toMatchObject([
      { Reason: 'conflict', TransactionRetries: 2 },
      { Reason: 'throttled', TransactionRetries: 1 },
    ]);
  });

  it('is one that did not go through at once: the others cost no line', async () => {
    await transact(answering(), []);
    expect(lines).toEqual([]);
  });
});
