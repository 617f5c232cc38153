import type { TableShape } from '../../../functions/shared/tables.ts';
import { type Key, keyOfItem } from './keys.ts';
import { type Row, Rows } from './rows.ts';
import { SecondaryIndex } from './secondary-index.ts';
import { type Change, Stream } from './stream.ts';
import { type Item, isSame, type Stored } from './values.ts';

export interface TableOptions {
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly indexLagMsMax: number;
  readonly staleReadMsMax: number;
}

/** One table: its items, its indexes and its stream. */
export class Table {
  readonly name: string;
  readonly shape: TableShape;
  readonly rows: Rows;
  readonly indexes: ReadonlyMap<string, SecondaryIndex>;
  readonly stream: Stream | undefined;
  readonly #options: TableOptions;

  constructor(name: string, shape: TableShape, options: TableOptions) {
    this.name = name;
    this.shape = shape;
    this.rows = new Rows(options.staleReadMsMax);
    const indexOptions = { tableNames: shape, lagMsMax: options.indexLagMsMax, random: options.random };
    const indexes = Object.entries(shape.indexes ?? {});
    this.indexes = new Map(indexes.map(([each, names]) => [each, new SecondaryIndex({ names, ...indexOptions })]));
    this.stream = shape.stream ? new Stream(name, shape) : undefined;
    this.#options = options;
  }

  item(key: Key): Item | undefined {
    return this.rows.get(key)?.item;
  }

  /** A row as a reader without strong consistency may see it. */
  staleAsOfMs(): number | undefined {
    const { staleReadMsMax, random, nowMs } = this.#options;
    return staleReadMsMax === 0 ? undefined : nowMs() - Math.floor(random() * (staleReadMsMax + 1));
  }

  /** Puts what comes of a write there. One that changes nothing is none: no record of it is in the stream. */
  put(key: Key, after: Stored<Item> | undefined, by: Change['by'] = 'client'): void {
    const before = this.item(key);
    if (before === after?.value || (before && after && isSame(before, after.value))) return;
    const nowMs = this.#options.nowMs();
    this.rows.put(key, after?.value, after?.bytes ?? 0, nowMs);
    for (const index of this.indexes.values()) index.change(key, before, after?.value, nowMs);
    this.stream?.add({ key, before, after: after?.value, bytes: after?.bytes ?? 0, atMs: nowMs, by });
  }

  /** Deletes the items whose time is over: how many that were. */
  sweepExpired(): number {
    const { expiry } = this.shape;
    if (expiry === undefined) return 0;
    const nowSeconds = this.#options.nowMs() / 1_000;
    const hasExpired = ({ item }: Row) => typeof item?.[expiry] === 'number' && item[expiry] < nowSeconds;
    const expired = [...this.rows.all()].filter(hasExpired);
    for (const { item } of expired) if (item) this.put(keyOfItem(this.shape, item), undefined, 'expiry');
    return expired.length;
  }
}
