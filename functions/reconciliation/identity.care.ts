import type { Sale } from '../sales/sale.model.ts';
import { log } from '../shared/telemetry.ts';
import type { MendStock } from '../stock/mend.ports.ts';
import type { Stock } from '../stock/stock.ports.ts';
import { isBehindAnywhere, markBehind } from './behind.ts';
import { loadOf } from './sale-load.ts';
import type { Memories } from './state.repository.ts';

export interface IdentityPorts {
  readonly stock: Pick<Stock, 'read'>;
  readonly mend: Pick<MendStock, 'behind' | 'isBehind'>;
  readonly memories: Memories;
  /** Which Redis has the sale: the run of the process, and the history of writes that it continues. */
  readonly identityOf: (saleId: string, shards?: number) => Promise<string>;
}

/** What a mark is set by that belongs to no reconciliation. */
const nobodysToken = 'care';

/**
 * Looks after what Redis may have forgotten of a live sale: a Redis that is another one than before has restarted or failed over, so the sale is marked as
 * `behind` at once, before anybody is refused by what it does not know. The mark first: a run that dies in between finds the same again. Costs three reads
 * when nothing has happened; may run any number of times. False when nothing was learnt: the sale is not loaded, or changed while it was marked.
 */
export const watchIdentity =
  ({ stock, mend, memories, identityOf }: IdentityPorts) =>
  async (sale: Pick<Sale, 'saleId' | 'shards'>): Promise<boolean> => {
    const { saleId, shards } = sale;
    const identity = await identityOf(saleId, shards);
    const read = await stock.read(saleId, shards);
    // A sale that is not loaded comes back marked.
    if (read.outcome === 'NOT_LOADED') return false;
    const known = await memories.of(saleId);
    const isAnother = known.identity !== undefined && !(known.identity === identity && known.epoch === read.epoch);
    if (isAnother) {
      log.warn('the sale is on another Redis than before, or loaded anew', { saleId, before: known.identity, now: identity });
      const load = await loadOf(sale, read.epoch, stock);
      if (!load || !(await markBehind(load, 'set', nobodysToken, mend))) return false;
    }
    const isBehind = isAnother || (await isBehindAnywhere(sale, mend));
    const behindSinceMs = isBehind ? (isAnother ? read.nowMs : (known.behindSinceMs ?? read.nowMs)) : undefined;
    if (known.identity === identity && known.epoch === read.epoch && known.behindSinceMs === behindSinceMs) return true;
    await memories.note(saleId, { identity, epoch: read.epoch, behindSinceMs: behindSinceMs ?? null });
    return true;
  };

/**
 * Notes which Redis a sale is about to be loaded into for the first time, so that whoever looks after it knows from its first order on when it is
 * another one.
 */
export const noteIdentity =
  ({ memories, identityOf }: Pick<IdentityPorts, 'memories' | 'identityOf'>) =>
  async ({ saleId, shards, epoch }: Pick<Sale, 'saleId' | 'shards' | 'epoch'>): Promise<void> =>
    memories.note(saleId, { identity: await identityOf(saleId, shards), epoch });

/** Sales whose look is remembered. A container serves a handful. */
const looksMax = 1_000;

/**
 * Whether what Redis does not know of a sale's orders is certain not to be: on connections that led to the same Redis all the time. Where it is not
 * known, the look is taken, and whoever waited for it, or came before it, is still told no: what they were refused by may be older than the mark.
 * So it costs one look for each sale and connection, and nothing after that, because then a Redis that forgot says so itself.
 */
export function certainty({ watch, connection }: { watch: ReturnType<typeof watchIdentity>; connection: () => string }) {
  const looks = new Map<string, { readonly on: string; readonly taken: Promise<boolean>; isDone: boolean }>();

  function lookAt(sale: Pick<Sale, 'saleId' | 'shards'>, on: string) {
    const look = { on, isDone: false, taken: watch(sale) };
    if (looks.size >= looksMax) looks.delete(looks.keys().next().value ?? '');
    looks.set(sale.saleId, look);
    return look;
  }

  return async (sale: Pick<Sale, 'saleId' | 'shards'>): Promise<boolean> => {
    const { saleId } = sale;
    const on = connection();
    const known = looks.get(saleId);
    const look = known?.on === on ? known : lookAt(sale, on);
    if (look.isDone) return true;
    try {
      look.isDone = await look.taken;
    } catch (error) {
      log.warn('it is not known which Redis has the sale', { saleId, error });
    }
    if (!look.isDone && looks.get(saleId) === look) looks.delete(saleId);
    return false;
  };
}
