import { interleave } from '../lib/interleave.ts';
import type { BenchRedis } from '../lib/redis-server.ts';
import { batchesOf, openResp } from '../lib/resp.ts';
import type { BenchContext, Section, SectionResult } from '../lib/section.ts';
import { type CallKind, callKinds } from './calls.ts';
import { type Measured, type Mode, modes, report } from './report.ts';

/** So few that every kind of call is answered once at least. */
const quickCalls = 40;

export const section: Section = {
  name: 'script-level',
  title: 'the reserve script beside single commands and smaller scripts, on one Redis',
  async run(context): Promise<SectionResult> {
    const redis = await context.redis({ pinned: !context.quick });
    const candidates = modes.flatMap((mode) => callKinds.map((kind) => ({ mode, kind })));
    const measured = await interleave(context, candidates, ({ mode, kind }) => measure(redis, mode, kind, context));
    return report(
      [...measured].map(([{ mode, kind }, rounds]) => ({ mode, kind, rounds })),
      redis,
    );
  },
};

async function measure(redis: BenchRedis, mode: Mode, kind: CallKind, { quick }: BenchContext): Promise<Measured> {
  await redis.flush();
  const count = quick ? quickCalls : Math.min(mode.calls, kind.callsMax ?? mode.calls);
  const batches = batchesOf(await kind.prepare(redis, count), mode.pipelined);
  const client = await openResp(redis.port, mode.connections);
  try {
    await redis.resetStats();
    const before = await redis.cpuMicros();
    const { calls, wallMs, unexpected, firstUnexpected } = await client.send(batches, kind.reply);
    const cpuMicros = (await redis.cpuMicros()) - before;
    const executed = (await redis.executed()).get(kind.command);
    const isWhole = calls === count && executed?.calls === count;
    return {
      execMicros: (executed?.micros ?? 0) / calls,
      cpuMicros: cpuMicros / calls,
      callsPerSecond: (calls / wallMs) * 1_000,
      busyShare: cpuMicros / (wallMs * 1_000),
      faults: [
        ...(unexpected > 0
          ? [`${kind.what}: ${unexpected} of ${calls} answers are not what they should be, the first: ${firstUnexpected}`]
          : []),
        ...(isWhole ? [] : [`${kind.what}: ${count} calls were to be made, and Redis counts ${executed?.calls ?? 0}`]),
      ],
    };
  } finally {
    client.close();
  }
}
