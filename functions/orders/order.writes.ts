import type { Write } from '../shared/dynamo.ts';
import { firstHoldIdOf, shardOf } from '../shared/ids.ts';
import { type OutboxTarget, outboxWrite } from '../shared/outbox.ts';
import { type UnitState, unitBucket } from '../stock/stock.model.ts';
import type { Order, Transition } from './order.model.ts';
import { outboxRow } from './outbox.model.ts';

/** Names of the tables that an order's transactions write, and how its events are published. */
export interface OrderTables {
  readonly orders: string;
  readonly outbox: OutboxTarget;
  readonly units: string;
  readonly allowances: string;
}

const dueShards = 16;
const saleShards = 16;

/** The partitions of the due index. */
export const dueShardNames: readonly string[] = Array.from({ length: dueShards }, (_, shard) => `due#${shard}`);
/** The partitions of the index by sale that one sale's orders spread over. */
export const saleShardNames = (saleId: string): string[] => Array.from({ length: saleShards }, (_, shard) => `${saleId}#${shard}`);
/** The partition of a buyer's allowance in a sale: a row for each slot that an order uses. */
export const allowanceKeyOf = ({ saleId, buyerId }: { saleId: string; buyerId: string }): string => `${saleId}#${buyerId}`;

/** Sorts orders by their creation; ends in the id, so that it is unique. */
export const listKeyOf = (order: Pick<Order, 'orderId' | 'createdAtMs'>): string =>
  `${String(order.createdAtMs).padStart(14, '0')}#${order.orderId}`;

/** The order as it is stored: with the keys of its indexes. */
function orderItem(order: Order) {
  return {
    ...order,
    listKey: listKeyOf(order),
    saleShard: saleShardNames(order.saleId)[shardOf(order.orderId, saleShards)],
    ...(order.dueAtMs === undefined ? {} : { dueShard: dueShardNames[shardOf(order.orderId, dueShards)] }),
  };
}

const unitKeys = (order: Order) =>
  order.items.flatMap(({ sku, units, seated }) =>
    units.map((unit) => ({ bucket: unitBucket(order.saleId, sku, unit), unit, sku, seated })),
  );

/** Which unit or slot a write of a claim is about, so that a refused condition can be named. */
export type Claimed =
  | { kind: 'order' }
  | { kind: 'outbox' }
  | { kind: 'unit'; sku: string; unit: string; seated?: true }
  | { kind: 'slot'; slot: number };

/** The rows of an order's units and slots, under keys that nobody else may have. */
const unitsAndSlots = (order: Order, tables: OrderTables): [Claimed, Write][] => [
  ...unitKeys(order).map(({ bucket, unit, sku, seated }, index): [Claimed, Write] => [
    { kind: 'unit', sku, unit, ...(seated ? { seated } : {}) },
    {
      Put: {
        TableName: tables.units,
        // The row alone tells a rebuild whose unit it is, by which hold, and which slot of the buyer's allowance it uses.
        Item: {
          bucket,
          unit,
          saleId: order.saleId,
          sku,
          orderId: order.orderId,
          buyerId: order.buyerId,
          state: (order.status === 'CONFIRMED' ? 'SOLD' : 'HELD') satisfies UnitState,
          atMs: order.updatedAtMs,
          ...(seated ? { seated } : {}),
          ...(order.slots[index] === undefined ? {} : { slot: order.slots[index] }),
          ...(order.holdId === firstHoldIdOf(order.orderId) ? {} : { holdId: order.holdId }),
        },
        ConditionExpression: 'attribute_not_exists(#bucket)',
        ExpressionAttributeNames: { '#bucket': 'bucket' },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
  ]),
  ...order.slots.map((slot): [Claimed, Write] => [
    { kind: 'slot', slot },
    {
      Put: {
        TableName: tables.allowances,
        Item: { saleBuyer: allowanceKeyOf(order), slot, orderId: order.orderId },
        ConditionExpression: 'attribute_not_exists(saleBuyer)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
  ]),
];

/**
 * The claim: order, outbox row, units and allowance under keys that nobody else may have. `about[i]` says what `writes[i]` claims.
 * The order may take the place of a tombstone that ended an earlier birth of its hold, never of one that ended this birth or a later one.
 */
export function claimWrites(order: Order, transition: Transition, tables: OrderTables): { writes: Write[]; about: Claimed[] } {
  const isNew = 'attribute_not_exists(orderId)';
  const isOlderTombstone = '(tombstone = :true AND bornUs < :born)';
  const pieces: [Claimed, Write][] = [
    [
      { kind: 'order' },
      {
        Put: {
          TableName: tables.orders,
          Item: orderItem(order),
          ConditionExpression: [isNew, isOlderTombstone].join(' OR '),
          ExpressionAttributeValues: { ':true': true, ':born': order.bornUs },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
      },
    ],
    [{ kind: 'outbox' }, outboxWrite(outboxRow(transition), tables.outbox)],
    ...unitsAndSlots(order, tables),
  ];
  return { writes: pieces.map(([, write]) => write), about: pieces.map(([about]) => about) };
}

/** What each write of a transition that claims units is about. */
export const claimedBy = ({ next }: Transition, tables: OrderTables): Claimed[] => [
  { kind: 'order' },
  { kind: 'outbox' },
  ...unitsAndSlots(next, tables).map(([about]) => about),
];

/** The transition of an existing order: first the order itself by version, then its outbox row, units and allowance. */
export function transitionWrites(order: Order, { next, units, ...rest }: Transition, tables: OrderTables): Write[] {
  const isThisVersion = 'version = :version';
  const isOurs = 'orderId = :orderId';
  const ours = { ':orderId': order.orderId };
  const turnUnits = (state: UnitState) =>
    unitKeys(order).map(({ bucket, unit }) => ({
      Update: {
        TableName: tables.units,
        Key: { bucket, unit },
        UpdateExpression: 'SET #state = :state, atMs = :at',
        ConditionExpression: isOurs,
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ...ours, ':state': state, ':at': next.updatedAtMs },
      },
    }));
  const stockWrites: Record<NonNullable<Transition['units']>, () => Write[]> = {
    claim: () => unitsAndSlots(next, tables).map(([, write]) => write),
    sell: () => turnUnits('SOLD'),
    retire: () => turnUnits('RETIRED'),
    free: () => [
      ...unitKeys(order).map(({ bucket, unit }) => ({
        Delete: { TableName: tables.units, Key: { bucket, unit }, ConditionExpression: isOurs, ExpressionAttributeValues: ours },
      })),
      ...order.slots.map((slot) => ({
        Delete: {
          TableName: tables.allowances,
          Key: { saleBuyer: allowanceKeyOf(order), slot },
          ConditionExpression: isOurs,
          ExpressionAttributeValues: ours,
        },
      })),
    ],
  };
  return [
    {
      Put: {
        TableName: tables.orders,
        Item: orderItem(next),
        ConditionExpression: isThisVersion,
        ExpressionAttributeValues: { ':version': order.version },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    outboxWrite(outboxRow({ next, units, before: order, ...rest }), tables.outbox),
    ...(units ? stockWrites[units]() : []),
  ];
}
