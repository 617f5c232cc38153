import { Gate } from './bounded.ts';
import type { Client } from './client.ts';
import type { Answer } from './connection.ts';
import type { OrderBody } from './contract.ts';
import { patientBuyer, type RetryPolicy, withRetries } from './retry.ts';

const seatsOfRow = 25;

/** `count` seats in rows of 25, neighbours next to each other, B-1, …, Z-25, AA-1, … */
export const seatNames = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${rowName(Math.floor(at / seatsOfRow))}-${(at % seatsOfRow) + 1}`);

function rowName(row: number): string {
  const letter = String.fromCharCode('A'.charCodeAt(0) + (row % 26));
  return row < 26 ? letter : rowName(Math.floor(row / 26) - 1) + letter;
}

/**
 * `quantity` neighbours, picked without looking, and more often from the front: what many want, many ask for. `random` is in [0, 1).
 * Fewer when there are fewer.
 */
export function pickBlindly(seats: readonly string[], quantity: number, random: number): string[] {
  const at = Math.floor(random ** 2 * Math.max(1, seats.length - quantity + 1));
  return seats.slice(at, at + quantity);
}

/** `quantity` of the free seats: neighbours where there are so many side by side, otherwise apart. Undefined when fewer are free. */
export function pickFree(
  seats: readonly string[],
  free: ReadonlySet<string>,
  quantity: number,
  random: number,
): readonly string[] | undefined {
  const places = seats.flatMap((seat, place) => (free.has(seat) ? [place] : []));
  if (places.length < quantity) return undefined;
  const starts = Array.from({ length: places.length - quantity + 1 }, (_, at) => at);
  const sideBySide = starts.filter((at) => (places[at + quantity - 1] ?? 0) - (places[at] ?? 0) === quantity - 1);
  const among = sideBySide.length > 0 ? sideBySide : starts;
  const start = among[Math.floor(random * among.length)] ?? 0;
  return places.slice(start, start + quantity).map((place) => seats[place] ?? '');
}

const pageMax = 100;
/** Twice as many pages as the largest item has. */
const pagesMax = 400;
/** A crowd looks at one chart: what it shows is so old at most when somebody looks at it. */
const chartAgeMsMax = 250;

/** The seats that are free, as the seat list shows them, read for all who look at the same time. */
export class SeatChart {
  readonly #client: Client;
  readonly #item: { readonly saleId: string; readonly sku: string };
  readonly #gate = new Gate(1);
  #free: { readonly seats: ReadonlySet<string>; readonly readMs: number } | undefined;

  constructor(client: Client, item: { readonly saleId: string; readonly sku: string }) {
    this.#client = client;
    this.#item = item;
  }

  /** Undefined when the list can't be read. */
  look(): Promise<ReadonlySet<string> | undefined> {
    return this.#gate.run(async () => {
      const startMs = performance.now();
      if (this.#free && startMs - this.#free.readMs < chartAgeMsMax) return this.#free.seats;
      const seats = await this.#read();
      this.#free = seats && { seats, readMs: startMs };
      return seats;
    });
  }

  async #read(): Promise<ReadonlySet<string> | undefined> {
    const free = new Set<string>();
    let cursor: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const query = { limit: pageMax, ...(cursor === undefined ? {} : { cursor }) };
      const { answer } = await withRetries(() => this.#client.seats(this.#item.saleId, this.#item.sku, query), patientBuyer);
      if (!answer?.ok) return undefined;
      for (const { seat, state } of answer.body.items) if (state === 'free') free.add(seat);
      if (!answer.body.nextCursor) return free;
      cursor = answer.body.nextCursor;
    }
    throw new Error(`the list of seats has more than ${pagesMax} pages`);
  }
}

/** What became of one buyer's wish for seats. */
export interface Seating {
  readonly answer: Answer<OrderBody> | undefined;
  readonly attempts: number;
  /** How often seats were picked. */
  readonly picks: number;
  /** The seats asked for last. */
  readonly asked: readonly string[];
  /** Every seat that was refused as somebody else's. */
  readonly refused: readonly string[];
  /** Whether seats were free still when the buyer had picked often enough. */
  readonly gaveUp: boolean;
}

const picksMax = 20;

export interface SeatBuyer {
  readonly seats: readonly string[];
  readonly chart: Pick<SeatChart, 'look'>;
  readonly quantity: number;
  readonly policy: RetryPolicy;
  readonly random: () => number;
  /** Sends the order for these seats; each pick is another order and has a key of its own. */
  readonly send: (seats: readonly string[], pick: number) => Promise<Answer<OrderBody>>;
}

/**
 * Asks for seats picked blindly, and whenever one of them is somebody else's, for others that the list shows free: until there is another
 * outcome, until too few are free, or until it was tried often enough.
 */
export async function buySeats({ seats, chart, quantity, policy, random, send }: SeatBuyer): Promise<Seating> {
  const refused: string[] = [];
  let attempts = 0;
  let asked: readonly string[] = pickBlindly(seats, quantity, random());
  for (let pick = 1; ; pick++) {
    const wanted = asked;
    const sent = await withRetries(() => send(wanted, pick), policy);
    attempts += sent.attempts;
    const { answer } = sent;
    const outcome = { answer, attempts, picks: pick, asked, refused };
    const isTaken = answer !== undefined && !answer.ok && answer.body?.code === 'SEAT_TAKEN';
    if (!isTaken) return { ...outcome, gaveUp: false };
    refused.push(...(answer.body?.seats ?? []));
    const free = await chart.look();
    const next = free && pickFree(seats, free, quantity, random());
    if (next === undefined || pick === picksMax) return { ...outcome, gaveUp: next !== undefined || free === undefined };
    asked = next;
  }
}
