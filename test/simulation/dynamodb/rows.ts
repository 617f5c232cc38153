import { compareKeys, type Key, type KeyPart } from './keys.ts';
import { firstFrom, hashOf } from './sorted.ts';
import { compare, type Item } from './values.ts';

/** What a row held until it was changed; no item: there was none. */
interface Past {
  readonly item: Item | undefined;
  readonly bytes: number;
  readonly untilMs: number;
}

export interface Row {
  readonly key: Key;
  readonly item: Item | undefined;
  readonly bytes: number;
}

/** A row and what it held before, for readers that are behind. */
class KeptRow implements Row {
  readonly key: Key;
  item: Item | undefined;
  bytes = 0;
  past: Past[] = [];

  constructor(key: Key) {
    this.key = key;
  }

  asOf(atMs: number | undefined): Row {
    const past = atMs === undefined ? undefined : this.past.find(({ untilMs }) => untilMs > atMs);
    return past ? { key: this.key, ...past } : this;
  }
}

interface Gone {
  readonly row: KeptRow;
  readonly atMs: number;
}

interface Partition {
  readonly hash: number;
  readonly name: KeyPart;
  /** By their sort key. */
  readonly rows: KeptRow[];
}

/** Where a walk over rows begins and ends, by sort key; the ends belong to it unless they are `Beyond`. */
export interface Range {
  readonly from?: KeyPart | undefined;
  readonly fromBeyond?: boolean;
  readonly to?: KeyPart | undefined;
  readonly toBefore?: boolean;
}

const comparePlaces = (one: Partition, hash: number, name: KeyPart): number => one.hash - hash || compare(one.name, name);

/** The rows of one table: by key, by partition in the order of the sort key, and all of them in the order of the table's hashes. */
export class Rows {
  readonly #byName = new Map<KeyPart, Partition>();
  /** All of them by hash, as long as none has come or gone since: most tables are never scanned. */
  #sorted: Partition[] | undefined;
  readonly #staleMsMax: number;
  /** Rows that hold nothing any more and are kept for readers that are behind. */
  readonly #gone: Gone[] = [];

  constructor(staleMsMax: number) {
    this.#staleMsMax = staleMsMax;
  }

  get(key: Key, asOfMs?: number): Row | undefined {
    return this.#find(key)?.asOf(asOfMs);
  }

  put(key: Key, item: Item | undefined, bytes: number, nowMs: number): void {
    const row = this.#find(key) ?? this.#made(key);
    if (this.#staleMsMax > 0) {
      row.past = row.past.filter(({ untilMs }) => untilMs > nowMs - this.#staleMsMax);
      row.past.push({ item: row.item, bytes: row.bytes, untilMs: nowMs });
      if (item === undefined) this.#gone.push({ row, atMs: nowMs });
    }
    row.item = item;
    row.bytes = bytes;
    if (this.#staleMsMax === 0 && item === undefined) this.#drop(row);
    this.#dropGone(nowMs);
  }

  /** The rows of a partition, whatever they hold, in the order of the sort key or against it. */
  *inPartition(name: KeyPart, range: Range, isForward: boolean, asOfMs?: number): Generator<Row> {
    const rows = this.#byName.get(name)?.rows ?? [];
    const orderFrom = ({ key }: Row) => (range.from === undefined ? 0 : compare(key.sort, range.from) || (range.fromBeyond ? -1 : 0));
    const orderTo = ({ key }: Row) => (range.to === undefined ? -1 : compare(key.sort, range.to) || (range.toBefore ? 0 : -1));
    const [low, high] = [firstFrom(rows, orderFrom), firstFrom(rows, orderTo)];
    for (let step = 0; step < high - low; step++) yield (rows[isForward ? low + step : high - 1 - step] as KeptRow).asOf(asOfMs);
  }

  /** All rows, whatever they hold, in an order that has nothing to do with the keys, but that stays; those after `after`. */
  *all(after?: Key, asOfMs?: number): Generator<Row> {
    const hash = after === undefined ? 0 : hashOf(String(after.partition));
    this.#sorted ??= [...this.#byName.values()].sort((one, other) => comparePlaces(one, other.hash, other.name));
    const partitions = this.#sorted;
    const begin = after === undefined ? 0 : firstFrom(partitions, (each) => comparePlaces(each, hash, after.partition));
    for (let index = begin; index < partitions.length; index++) {
      for (const row of (partitions[index] as Partition).rows) {
        const isBefore = after !== undefined && row.key.partition === after.partition && compare(row.key.sort, after.sort) <= 0;
        if (!isBefore) yield row.asOf(asOfMs);
      }
    }
  }

  /** All items as they stand, in no order that means anything. */
  items(): Item[] {
    return [...this.#byName.values()].flatMap(({ rows }) => rows.flatMap(({ item }) => (item ? [item] : [])));
  }

  #find(key: Key): KeptRow | undefined {
    const rows = this.#byName.get(key.partition)?.rows;
    const row = rows?.[firstFrom(rows, (each) => compare(each.key.sort, key.sort))];
    return row && compareKeys(row.key, key) === 0 ? row : undefined;
  }

  #made(key: Key): KeptRow {
    const row = new KeptRow(key);
    const { rows } = this.#byName.get(key.partition) ?? this.#madePartition(key.partition);
    rows.splice(
      firstFrom(rows, (each) => compare(each.key.sort, key.sort)),
      0,
      row,
    );
    return row;
  }

  #madePartition(name: KeyPart): Partition {
    const partition: Partition = { hash: hashOf(String(name)), name, rows: [] };
    this.#byName.set(name, partition);
    this.#sorted = undefined;
    return partition;
  }

  #drop(row: KeptRow): void {
    const partition = this.#byName.get(row.key.partition);
    const place = partition && firstFrom(partition.rows, (each) => compare(each.key.sort, row.key.sort));
    if (!partition || place === undefined || partition.rows[place] !== row) return;
    partition.rows.splice(place, 1);
    if (partition.rows.length > 0) return;
    this.#byName.delete(partition.name);
    this.#sorted = undefined;
  }

  #dropGone(nowMs: number): void {
    const isNoLongerSeen = ({ atMs }: Gone) => atMs < nowMs - this.#staleMsMax;
    for (let gone = this.#gone[0]; gone && isNoLongerSeen(gone); gone = this.#gone[0]) {
      this.#gone.shift();
      const isStillGone = gone.row.item === undefined && gone.row.past.at(-1)?.untilMs === gone.atMs;
      if (isStillGone) this.#drop(gone.row);
    }
  }
}
