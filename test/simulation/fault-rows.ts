import type { DynamoModel } from './dynamodb/model.ts';
import type { IoCall } from './machine/contract.ts';

/** The rows of DESIGN.md's fault table. */
export const rowsMax = 31;

/** How often each row of the fault table has happened. */
export class RowCounts {
  readonly #counts = new Array<number>(rowsMax + 1).fill(0);

  hit(row: number, times = 1): void {
    this.#counts[row] = (this.#counts[row] ?? 0) + times;
  }

  /** By row; the first is row 1. */
  get list(): readonly number[] {
    return this.#counts.slice(1);
  }
}

const controls = new Set(['pause', 'close', 'call-off', 'restock', 'limit']);

/** Says which invocations run side by side, and which of them met in a race: those rows of the fault table are not injected, they happen. */
export class Races {
  readonly #rows: RowCounts;
  readonly #database: Pick<DynamoModel, 'call'>;
  readonly #underWay = new Map<string, number>();
  readonly #lastMover = new Map<string, string>();
  /** How often somebody was about to make a sale that Redis had lost sell again. */
  loads = 0;

  constructor(rows: RowCounts, database: Pick<DynamoModel, 'call'>) {
    this.#rows = rows;
    this.#database = database;
  }

  begins(deed: string): void {
    const isControl = controls.has(deed);
    const stops = (each: string) => each === 'pause' || each === 'close';
    const meetsRebuild =
      (deed === 'rebuild' && (this.#has('rebuild') || [...controls].some((each) => this.#has(each)))) ||
      (isControl && this.#has('rebuild'));
    if (meetsRebuild) this.#rows.hit(19);
    if ((stops(deed) && this.#has('place')) || (deed === 'place' && (this.#has('pause') || this.#has('close')))) this.#rows.hit(27);
    this.#underWay.set(deed, (this.#underWay.get(deed) ?? 0) + 1);
  }

  ends(deed: string): void {
    this.#underWay.set(deed, (this.#underWay.get(deed) ?? 0) - 1);
  }

  /** A call that is about to be done. */
  sees(call: IoCall): void {
    if (call.operation === 'stock.reserve' && this.#has('rebuild')) this.#rows.hit(18);
    if (call.operation.startsWith('stock.mend-') && this.#has('place')) this.#rows.hit(20);
    if (call.operation === 'stock.load-publish') this.loads++;
    if (call.operation === 'TransactWrite') this.#seeTransition(call);
  }

  /** A transition that comes too late, with the sweeper on one of its sides. */
  #seeTransition({ functionName, input }: IoCall): void {
    const { TransactItems = [] } = input as { TransactItems?: readonly { readonly Put?: OrderPut }[] };
    const put = TransactItems[0]?.Put;
    const version = put?.ExpressionAttributeValues?.[':version'];
    const orderId = put?.Item?.orderId;
    if (put?.TableName !== 'orders' || version === undefined || orderId === undefined) return;
    const { Item } = this.#database.call('Get', { TableName: 'orders', Key: { orderId }, ConsistentRead: true }) as {
      Item?: { version?: number };
    };
    const winner = this.#lastMover.get(orderId);
    if (Item?.version === version) this.#lastMover.set(orderId, functionName);
    else if (winner !== undefined && winner !== functionName && [winner, functionName].includes('orders/sweep')) this.#rows.hit(14);
  }

  #has(deed: string): boolean {
    return (this.#underWay.get(deed) ?? 0) > 0;
  }
}

interface OrderPut {
  readonly TableName?: string;
  readonly Item?: { readonly orderId?: string };
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>;
}
