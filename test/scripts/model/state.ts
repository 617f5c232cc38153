// What Redis has of one sale, as the models think of it: sets of units in place of ranges, lines in place of text. `contentOf` says how that must
// stand in Redis, to the letter (see lua/stock/lib/records.lua).

export interface Sale {
  control: string;
  opensAtMs: string;
  closesAtMs: string;
  limit: number;
  holdMs: number;
  bornFloorUs: number;
  version: number;
  epoch: number;
}

export interface Item {
  readonly seated: boolean;
  total: number;
  next: number;
  free: number;
  /** Of the count that is under way, if nothing has moved since it began. */
  mark?: string | undefined;
}

/** Either of the two lists, by the item's kind. */
export interface Line {
  readonly sku: string;
  readonly serials?: number[];
  readonly seats?: string[];
}

export interface Hold {
  state: string;
  bornUs: number;
  expiresAtMs: number;
  payloadHash: string;
  readonly buyerId: string;
  slots: number;
  lines: Line[];
}

export interface Entry {
  readonly holdId: string;
  readonly dueMs: number;
  readonly bornUs: number;
}

type Pool = Map<string, Set<number>>;

export interface State {
  /** There when the sale is loaded. */
  sale?: Sale | undefined;
  listed?: string | undefined;
  behind?: string | undefined;
  closedMs?: string | undefined;
  notedVersion?: number | undefined;
  loadingEpoch?: number | undefined;
  items: Map<string, Item>;
  masks: Map<string, number>;
  holds: Map<string, Hold>;
  /** By hold, the lines of the cart that it was. */
  cartLines: Map<string, string>;
  watchedUnits: Map<string, { readonly token: string; readonly serials: Set<number> }>;
  watchedSlots: Map<string, { readonly token: string; readonly slots: number }>;
  /** By receiver, the last run that was lent; with its units while it is on its way. */
  lent: Map<string, { readonly seq: number; readonly sku?: string; readonly serials?: readonly number[] }>;
  /** By donor, the last run that came. */
  received: Map<string, number>;
  /** By `sku|seat`. */
  seats: Map<string, string>;
  free: Pool;
  suspects: Pool;
  /** `sku|seat` of those that are listed. */
  suspectSeats: Set<string>;
  expiry: Entry[];
  undecided: Entry[];
  carts: Map<string, number>;
  chunks: Set<string>;
  leaseOwner?: string | undefined;
}

export const nothing = (): State => ({
  ...{ items: new Map(), masks: new Map(), holds: new Map(), cartLines: new Map(), watchedUnits: new Map(), watchedSlots: new Map() },
  ...{ lent: new Map(), received: new Map() },
  ...{ seats: new Map(), free: new Map(), suspects: new Map(), suspectSeats: new Set(), expiry: [], undecided: [], carts: new Map() },
  chunks: new Set(),
});

/** The script says that Redis is not as scripts leave it. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

export const inOrder = (serials: Iterable<number>): number[] => [...serials].sort((one, other) => one - other);

/** Runs of neighbours, ascending. */
export function runsOf(serials: Iterable<number>): [first: number, last: number][] {
  const runs: [number, number][] = [];
  for (const serial of inOrder(serials)) {
    const last = runs.at(-1);
    if (last && last[1] === serial - 1) last[1] = serial;
    else runs.push([serial, serial]);
  }
  return runs;
}

export const compact = (serials: Iterable<number>): string =>
  runsOf(serials)
    .map(([first, last]) => (first === last ? String(first) : `${first}-${last}`))
    .join(',');

export const lineText = ({ sku, serials, seats }: Line): string =>
  seats ? `${sku}:${seats.join(',')}` : `${sku}=${compact(serials ?? [])}`;
export const linesText = (lines: readonly Line[]): string => lines.map(lineText).join(';');

export const holdText = ({ state, bornUs, expiresAtMs, payloadHash, buyerId, slots, lines }: Hold): string =>
  [state, bornUs, expiresAtMs, payloadHash, buyerId, slots, linesText(lines)].join('|');

const itemText = ({ seated, total, next, free, mark }: Item): string =>
  [seated ? 's' : 'c', total, next, free, ...(mark === undefined ? [] : [`#${mark}`])].join('|');
const entryText = ({ holdId, dueMs, bornUs }: Entry): string => `${holdId}|${dueMs}|${bornUs}`;
const padded = (serial: number) => String(serial).padStart(7, '0');

const rangesOf = (pool: Pool): string[] =>
  [...pool].flatMap(([sku, serials]) => runsOf(serials).map(([first, last]) => `${sku}|${padded(first)}-${padded(last)}`));

function saleFields(state: State): Record<string, string> {
  const { sale } = state;
  const fields: [string, string | number | undefined][] = [
    ['items', state.listed],
    ['behind', state.behind],
    ['closed', state.closedMs],
    ['v', state.notedVersion],
    ['l', state.loadingEpoch],
  ];
  if (sale) {
    const { control, opensAtMs, closesAtMs, limit, holdMs, bornFloorUs, version, epoch } = sale;
    fields.push(['s', [control, opensAtMs, closesAtMs, limit, holdMs, bornFloorUs, version, epoch].join('|')]);
  }
  for (const [sku, item] of state.items) fields.push([`i:${sku}`, itemText(item)]);
  for (const [buyerId, mask] of state.masks) fields.push([`b:${buyerId}`, mask]);
  for (const [id, hold] of state.holds) fields.push([`h:${id}`, holdText(hold)]);
  for (const [id, lines] of state.cartLines) fields.push([`w:${id}`, lines]);
  for (const [sku, { token, serials }] of state.watchedUnits)
    fields.push([
      `y:${sku}`,
      `${token}|,${inOrder(serials)
        .map((serial) => `${serial},`)
        .join('')}`,
    ]);
  for (const [buyerId, { token, slots }] of state.watchedSlots) fields.push([`z:${buyerId}`, `${token}|${slots}`]);
  for (const [to, { seq, sku, serials = [] }] of state.lent)
    fields.push([`t:${to}`, `${seq}|${sku === undefined ? '' : `${sku}|${compact(serials)}`}`]);
  for (const [from, seq] of state.received) fields.push([`g:${from}`, seq]);
  return Object.fromEntries(fields.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
}

/** The keys of a sale, and a lease beside them, in the order in which the scripts under test are given them. */
export const keyNames = ['sale', 'free', 'suspects', 'expiry', 'undecided', 'seats', 'carts', 'chunks', 'lease'] as const;
export type KeyName = (typeof keyNames)[number];

/** By key: fields, members or entries. Of an unordered key, in an order of their own; a key without content is not there. */
export type Content = Readonly<Partial<Record<KeyName, Readonly<Record<string, string>> | readonly string[]>>>;

/** What Redis must have. */
export function contentOf(state: State): Content {
  const suspectSeats = [...state.suspectSeats].map((place) => place.replace('|', '|:'));
  const all: Record<KeyName, Record<string, string> | string[]> = {
    sale: saleFields(state),
    free: rangesOf(state.free).sort(),
    suspects: [...rangesOf(state.suspects), ...suspectSeats].sort(),
    expiry: state.expiry.map(entryText),
    undecided: state.undecided.map(entryText),
    seats: Object.fromEntries(state.seats),
    carts: Object.fromEntries([...state.carts].map(([id, dueMs]) => [id, String(dueMs)])),
    chunks: [...state.chunks].sort(),
    lease: state.leaseOwner === undefined ? [] : [state.leaseOwner],
  };
  return Object.fromEntries(Object.entries(all).filter(([, content]) => Object.keys(content).length > 0));
}
