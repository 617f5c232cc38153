import { after, isOptional, type Operation, type Stock } from './stock-object.ts';

export type Decision =
  /** An order of the operations that explains all answers, by their places in the history. */
  | { readonly outcome: 'linearizable'; readonly order: readonly number[]; readonly states: number }
  /** No order does. `furthest`: the longest beginning that can be explained, and what could not follow it. */
  | { readonly outcome: 'impossible'; readonly furthest: readonly number[]; readonly stuck: readonly number[]; readonly states: number }
  /** More states than may be looked at. Nothing is known. */
  | { readonly outcome: 'undecided'; readonly states: number };

const statesMaxDefault = 1_000_000;

/**
 * Decides whether there is one order of all operations, each at a moment between its invocation and its response, in which one stock that serves
 * one caller at a time gives every answer that was seen. The search is Wing and Gong's (1993), with Lowe's memory (2017) of what was looked at: the
 * operations done decide the state here, so their set is all that is remembered.
 */
export function decide(history: readonly Operation[], initial: Stock, statesMax = statesMaxDefault): Decision {
  const byInvocation = history.map((_, index) => index).sort((a, b) => at(history, a).invokedMs - at(history, b).invokedMs);
  const mandatory = byInvocation.filter((index) => !isOptional(at(history, index)));
  const seen = new Set<bigint>();
  let furthest: number[] = [];
  let stuck: number[] = [];
  const order: number[] = [];

  /** Those that may come next: none of the others that are still to come was over before they began. */
  function candidates(done: bigint): number[] {
    const left = byInvocation.filter((index) => !has(done, index));
    const firstEndMs = Math.min(...left.map((index) => at(history, index).respondedMs));
    return left.filter((index) => at(history, index).invokedMs <= firstEndMs);
  }

  function explains(done: bigint, stock: Stock, left: number): boolean | undefined {
    if (left === 0) return true;
    if (seen.has(done)) return false;
    if (seen.size >= statesMax) return undefined;
    seen.add(done);
    const next = candidates(done);
    if (order.length >= furthest.length) [furthest, stuck] = [[...order], next];
    for (const index of next) {
      const operation = at(history, index);
      const changed = after(stock, operation.effect);
      if (!changed) continue;
      order.push(index);
      const verdict = explains(done | (1n << BigInt(index)), changed, isOptional(operation) ? left : left - 1);
      if (verdict !== false) return verdict;
      order.pop();
    }
    return false;
  }

  const verdict = explains(0n, initial, mandatory.length);
  const states = seen.size;
  if (verdict === undefined) return { outcome: 'undecided', states };
  return verdict ? { outcome: 'linearizable', order, states } : { outcome: 'impossible', furthest, stuck, states };
}

const has = (done: bigint, index: number): boolean => ((done >> BigInt(index)) & 1n) === 1n;

function at(history: readonly Operation[], index: number): Operation {
  const operation = history[index];
  if (!operation) throw new RangeError(`no operation ${index} of ${history.length}`);
  return operation;
}
