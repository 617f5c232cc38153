import type { Profiler } from 'node:inspector';
import { type SourceOf, sourceReader } from './sourced.ts';

/** Time by bucket, in microseconds that were not idle. */
export type Shares = ReadonlyMap<string, number>;

/** The bucket of a frame by its source; undefined where its callers decide. */
export type BucketOf = (source: string) => string | undefined;

export const garbageCollection = 'garbage collection';
/** V8 and Node themselves: the event loop, system calls, what no JavaScript frame stands for. */
export const other = 'other';

interface Frame {
  readonly selfUs: number;
  readonly children: readonly number[];
  readonly bucket: string | undefined;
}

/**
 * Self time by bucket. A frame that does not tell (Node's streams, `JSON.parse`) counts for its nearest caller that does; what has no such caller
 * counts for what it led to, in proportion; the rest is `other`.
 */
export function sharesOf(profile: Profiler.Profile, bucketOf: BucketOf, sourceOf: SourceOf = sourceReader()): Shares {
  const frames = framesOf(profile, bucketOf, sourceOf);
  const isChild = new Set([...frames.values()].flatMap(({ children }) => children));
  const shares = new Map<string, number>();
  for (const id of frames.keys()) if (!isChild.has(id)) addAll(shares, spread(frames, id, undefined));
  return shares;
}

function framesOf(profile: Profiler.Profile, bucketOf: BucketOf, sourceOf: SourceOf): ReadonlyMap<number, Frame> {
  const selfUs = new Map<number, number>();
  for (const [at, id] of (profile.samples ?? []).entries()) {
    // The first difference is to the start of the profile; a clock that steps back gives negative ones.
    selfUs.set(id, (selfUs.get(id) ?? 0) + Math.max(0, profile.timeDeltas?.[at] ?? 0));
  }
  return new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber, columnNumber }, children = [] }) => {
      // The profiler's own beginning and end are nobody's work.
      const isIdle = functionName === '(idle)' || url.startsWith('node:inspector');
      const bucket = functionName === '(garbage collector)' ? garbageCollection : bucketOf(sourceOf(url, lineNumber, columnNumber));
      return [id, { selfUs: isIdle ? 0 : (selfUs.get(id) ?? 0), children, bucket }];
    }),
  );
}

/** Time of a frame and of all that it called. */
function spread(frames: ReadonlyMap<number, Frame>, id: number, above: string | undefined): Map<string, number> {
  const frame = frames.get(id);
  if (!frame) return new Map();
  const bucket = frame.bucket ?? above;
  const below = new Map<string, number>();
  for (const child of frame.children) addAll(below, spread(frames, child, bucket));
  if (bucket !== undefined) return addAll(below, new Map([[bucket, frame.selfUs]]));
  return addAll(below, inProportion(frame.selfUs, below));
}

function inProportion(us: number, below: Shares): Shares {
  const known = [...below].filter(([bucket]) => bucket !== other && bucket !== garbageCollection);
  const total = known.reduce((sum, [, each]) => sum + each, 0);
  if (total === 0) return new Map([[other, us]]);
  return new Map(known.map(([bucket, each]) => [bucket, (us * each) / total]));
}

function addAll(to: Map<string, number>, from: Shares): Map<string, number> {
  for (const [bucket, us] of from) to.set(bucket, (to.get(bucket) ?? 0) + us);
  return to;
}

/** Several threads together. */
export const together = (all: readonly Shares[]): Shares => all.reduce<Map<string, number>>(addAll, new Map());

/** As percent of the whole, the largest first and `other` last. They add up to 100. */
export function percentages(shares: Shares): [bucket: string, percent: number][] {
  const total = [...shares.values()].reduce((sum, us) => sum + us, 0);
  if (total === 0) return [[other, 100]];
  return [...shares]
    .map(([bucket, us]): [string, number] => [bucket, (100 * us) / total])
    .sort(([one, a], [two, b]) => Number(one === other) - Number(two === other) || b - a);
}
