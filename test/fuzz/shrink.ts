import type { Draft } from './reasons.ts';

/** Whether a smaller request still shows the fault. */
export type StillFails = (draft: Draft) => Promise<boolean>;

const trialsMax = 150;

function* smallerValues(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    if (value.length > 3) yield value.slice(0, value.length / 2);
    for (const [index, each] of value.entries()) {
      yield value.toSpliced(index, 1);
      for (const smaller of smallerValues(each)) yield value.with(index, smaller);
    }
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    for (const [index, [name, each]] of entries.entries()) {
      yield Object.fromEntries(entries.toSpliced(index, 1));
      for (const smaller of smallerValues(each)) yield Object.fromEntries(entries.with(index, [name, smaller]));
    }
  } else if (typeof value === 'string' && value.length > 1) {
    yield value.slice(0, Math.floor(value.length / 2));
    yield value.slice(Math.ceil(value.length / 2));
  } else if (typeof value === 'number' && value !== 0 && value !== 1) yield 1;
}

function* smallerBodies(body: Buffer): Generator<Buffer | undefined> {
  yield undefined;
  try {
    for (const value of smallerValues(JSON.parse(body.toString('utf8')))) yield Buffer.from(JSON.stringify(value), 'utf8');
  } catch {
    for (let size = Math.floor(body.length / 2); size >= 1; size = Math.floor(size / 2))
      for (let at = 0; at + size <= body.length && at / size < 8; at += size)
        yield Buffer.concat([body.subarray(0, at), body.subarray(at + size)]);
  }
}

/** The draft with one thing less, in the order of how much that would be. */
function* smallerDrafts(draft: Draft): Generator<Draft> {
  const { wire } = draft;
  const [path = '', query] = wire.target.split('?');
  if (query !== undefined) {
    const pairs = query.split('&');
    for (const [index] of pairs.entries()) {
      const left = pairs.toSpliced(index, 1).join('&');
      yield { ...draft, query: draft.query.toSpliced(index, 1), wire: { ...wire, target: left === '' ? path : `${path}?${left}` } };
    }
  }
  for (const [index] of wire.headers.entries()) yield { ...draft, wire: { ...wire, headers: wire.headers.toSpliced(index, 1) } };
  if (wire.body) for (const body of smallerBodies(wire.body)) yield { ...draft, wire: { ...wire, body } };
}

/** The smallest request found that still fails in the same way: whatever can be left out of it is left out, one thing after the other. */
export async function shrunk(draft: Draft, stillFails: StillFails): Promise<Draft> {
  let smallest = draft;
  let trials = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smallerDrafts(smallest)) {
      if (++trials > trialsMax) return smallest;
      if (!(await stillFails(candidate))) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}
