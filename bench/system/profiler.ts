import { type Profiler, Session } from 'node:inspector/promises';

export type Profile = Profiler.Profile;

const sampleMicros = 250;

/** This thread's CPU profile, from `start` until `stop`. */
export function threadProfiler() {
  let session: Session | undefined;
  return {
    async start(): Promise<void> {
      session = new Session();
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: sampleMicros });
      await session.post('Profiler.start');
    },
    async stop(): Promise<Profile> {
      if (!session) throw new Error('no profile was started');
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      session = undefined;
      return profile;
    },
  };
}
