import { compareKeys, isKeyPart, itemOfKey, type Key, type KeyNames, type KeyPart, keyText } from './keys.ts';
import type { Range } from './rows.ts';
import { firstFrom } from './sorted.ts';
import { compare, type Item } from './values.ts';

/** What an index has of an item: the keys alone, its own and the table's. */
export interface Entry {
  readonly index: Key;
  readonly table: Key;
  readonly item: Item;
}

interface Pending {
  readonly atMs: number;
  readonly entry: Entry;
  readonly comes: boolean;
}

export interface IndexOptions {
  readonly names: { readonly partitionKey: string; readonly sortKey: string };
  readonly tableNames: KeyNames;
  readonly lagMsMax: number;
  readonly random: () => number;
}

const compareEntries = (one: Pick<Entry, 'index' | 'table'>, other: Pick<Entry, 'index' | 'table'>): number =>
  compare(one.index.sort, other.index.sort) || compareKeys(one.table, other.table);

/**
 * A global secondary index: items that have both of its attributes, and it follows the table at its leisure. Where an entry moves, its going from the
 * one place and its coming to the other are two changes, each seen at a moment of its own: for a while a reader may find it twice or not at all.
 */
export class SecondaryIndex {
  readonly names: IndexOptions['names'];
  readonly #options: IndexOptions;
  readonly #partitions = new Map<KeyPart, Entry[]>();
  /** By the moment at which they are seen. */
  readonly #pending: Pending[] = [];
  /** When the last change of an item is seen: the next one is not seen before. */
  readonly #lastAtMs = new Map<string, number>();

  constructor(options: IndexOptions) {
    this.names = options.names;
    this.#options = options;
  }

  change(table: Key, before: Item | undefined, after: Item | undefined, nowMs: number): void {
    const [old, next] = [this.#entryOf(table, before), this.#entryOf(table, after)];
    if (old && next && compareEntries(old, next) === 0 && old.index.partition === next.index.partition) return;
    if (this.#options.lagMsMax === 0) {
      if (old) this.#apply(old, false);
      if (next) this.#apply(next, true);
      return;
    }
    this.#catchUp(nowMs);
    const name = keyText(table);
    const earliestMs = Math.max(nowMs, this.#lastAtMs.get(name) ?? 0);
    const moment = () => Math.max(earliestMs, nowMs + Math.floor(this.#options.random() * (this.#options.lagMsMax + 1)));
    const changes: Pending[] = [];
    if (old) changes.push({ atMs: moment(), entry: old, comes: false });
    if (next) changes.push({ atMs: moment(), entry: next, comes: true });
    for (const change of changes) {
      this.#pending.splice(
        firstFrom(this.#pending, ({ atMs }) => (atMs <= change.atMs ? -1 : 1)),
        0,
        change,
      );
    }
    if (changes.length > 0) this.#lastAtMs.set(name, Math.max(...changes.map(({ atMs }) => atMs)));
  }

  /** The entries of a partition as they are seen now, after the position `after` if there is one. */
  *inPartition(name: KeyPart, range: Range, isForward: boolean, nowMs: number, after?: Pick<Entry, 'index' | 'table'>): Generator<Entry> {
    this.#catchUp(nowMs);
    const entries = this.#partitions.get(name) ?? [];
    const orderFrom = ({ index }: Entry) => (range.from === undefined ? 0 : compare(index.sort, range.from) || (range.fromBeyond ? -1 : 0));
    const orderTo = ({ index }: Entry) => (range.to === undefined ? -1 : compare(index.sort, range.to) || (range.toBefore ? 0 : -1));
    const [low, high] = [firstFrom(entries, orderFrom), firstFrom(entries, orderTo)];
    for (let step = 0; step < high - low; step++) {
      const entry = entries[isForward ? low + step : high - 1 - step] as Entry;
      const order = after === undefined ? 1 : compareEntries(entry, after);
      if (isForward ? order > 0 : order < 0 || after === undefined) yield entry;
    }
  }

  #catchUp(nowMs: number): void {
    const seen = this.#pending.splice(
      0,
      firstFrom(this.#pending, ({ atMs }) => (atMs <= nowMs ? -1 : 1)),
    );
    for (const { atMs, entry, comes } of seen) {
      this.#apply(entry, comes);
      const name = keyText(entry.table);
      if (this.#lastAtMs.get(name) === atMs) this.#lastAtMs.delete(name);
    }
  }

  #apply(entry: Entry, comes: boolean): void {
    const { partition } = entry.index;
    const entries = this.#partitions.get(partition) ?? [];
    const place = firstFrom(entries, (each) => compareEntries(each, entry));
    const found = entries[place];
    const isThere = found !== undefined && compareEntries(found, entry) === 0;
    if (comes && !isThere) entries.splice(place, 0, entry);
    if (!comes && isThere) entries.splice(place, 1);
    if (entries.length === 0) this.#partitions.delete(partition);
    else this.#partitions.set(partition, entries);
  }

  #entryOf(table: Key, item: Item | undefined): Entry | undefined {
    const { names, tableNames } = this.#options;
    if (!item) return undefined;
    const [partition, sort] = [item[names.partitionKey], item[names.sortKey]];
    if (!isKeyPart(names.partitionKey, partition) || !isKeyPart(names.sortKey, sort)) return undefined;
    const entry = { ...itemOfKey(tableNames, table), [names.partitionKey]: partition, [names.sortKey]: sort };
    return { index: { partition, sort }, table, item: entry };
  }
}
