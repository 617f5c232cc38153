import type { Machine, MachineOptions, Verdict } from './machine.ts';
import { startMachine } from './machine.ts';
import { openLaunch, placing, statusOf } from './requests.ts';

const verdicts = (machine: Machine): readonly Verdict[] => [
  { do: 'delay', ms: machine.random.int(5_000) },
  { do: 'fail', error: 'throttled' },
  { do: 'fail', error: 'reset' },
  { do: 'loseReply', error: 'timeout' },
  { do: 'dieBefore' },
  { do: 'dieAfter' },
  { do: 'freeze', ms: machine.random.int(3_000) },
];

/** Eight buyers at once with faults in every fifth call, and a failover in between: enough that two different orders of it would be seen. */
export async function crowdedSale(
  options: MachineOptions,
): Promise<{ readonly hash: string; readonly answers: readonly (number | string)[] }> {
  const machine = await startMachine(options);
  const answers: (number | string)[] = [];
  await machine.run(async () => {
    await openLaunch(machine);
    machine.onIo(() => (machine.random.chance(0.2) ? machine.random.pick(verdicts(machine)) : { do: 'pass' }));
    const buying = Array.from({ length: 8 }, async (_, index) => {
      await machine.sleep(machine.random.int(300));
      answers.push(statusOf(await machine.invoke('orders/place', placing(`buyer-${index}`, 'key', 2))));
    });
    await machine.sleep(400);
    machine.redis.failover();
    await Promise.all(buying);
  });
  const hash = machine.trace.hash();
  await machine.stop();
  return { hash, answers };
}
