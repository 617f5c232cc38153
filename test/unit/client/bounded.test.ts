import { describe, expect, it } from 'vitest';
import { inParallel } from '../../../functions/shared/parallel.ts';
import { Gate, until } from '../../../lib/client/bounded.ts';

/** Counts how many of its tasks run at once. */
function counted() {
  let running = 0;
  const seen = { most: 0, started: 0 };
  const task = async () => {
    seen.started++;
    seen.most = Math.max(seen.most, ++running);
    await new Promise(setImmediate);
    running--;
  };
  return { task, seen };
}

describe('a gate', () => {
  it('never lets more through at once than it says, and lets everyone through', async () => {
    const gate = new Gate(3);
    const { task, seen } = counted();
    await Promise.all(Array.from({ length: 50 }, () => gate.run(task)));
    expect(seen).toEqual({ most: 3, started: 50 });
  });

  it('stays open after a task has failed', async () => {
    const gate = new Gate(1);
    await expect(gate.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(gate.run(async () => 'yes')).resolves.toBe('yes');
  });

  it('lets people through in the order they came', async () => {
    const gate = new Gate(1);
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map((one) => gate.run(async () => void order.push(one))));
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('with no room at all is refused', () => {
    expect(() => new Gate(0)).toThrow(RangeError);
  });
});

describe('bounded mapping', () => {
  it('keeps the order and the bound', async () => {
    const { task, seen } = counted();
    const doubled = await inParallel([1, 2, 3, 4, 5], 2, async (n) => {
      await task();
      return n * 2;
    });
    expect(doubled).toEqual([2, 4, 6, 8, 10]);
    expect(seen.most).toBe(2);
  });

  it('starts nothing more after a failure, and throws it', async () => {
    const started: number[] = [];
    const failing = inParallel([1, 2, 3, 4, 5, 6], 2, async (n) => {
      started.push(n);
      if (n === 2) throw new Error('second');
      await new Promise(setImmediate);
    });
    await expect(failing).rejects.toThrow('second');
    expect(started).toEqual([1, 2]);
  });
});

describe('waiting for a condition', () => {
  it('gives what the probe found', async () => {
    let asked = 0;
    await expect(until('the third time', async () => (++asked === 3 ? asked : undefined), { everyMs: 1 })).resolves.toBe(3);
  });

  it('gives up after its bound, saying what was awaited', async () => {
    await expect(until('rain', async () => undefined, { withinMs: 5, everyMs: 1 })).rejects.toThrow('rain: not within 0.005 s');
  });
});
