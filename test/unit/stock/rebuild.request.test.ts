import { afterEach, describe, expect, it, vi } from 'vitest';
import { keepCurrent } from '../../../functions/stock/rebuild.care.ts';
import { type AskPorts, askingStock, rebuildAsker } from '../../../functions/stock/rebuild.request.ts';
import type { Stock } from '../../../functions/stock/stock.ports.ts';
import { isDoneWithin } from '../../support/timing.ts';

afterEach(() => void vi.restoreAllMocks());

/** Ports that note what was asked and sent, at a time that the test sets. */
function asking(changes: Partial<AskPorts> = {}) {
  const noted = { asked: [] as string[], sent: [] as string[], nowMs: 1_000_000 };
  const ask = rebuildAsker({
    async isFirst(saleId) {
      noted.asked.push(saleId);
      return true;
    },
    send: async ({ saleId }) => noted.sent.push(saleId),
    clock: { nowMs: () => noted.nowMs },
    ...changes,
  });
  return { ask, noted };
}

describe('asking for a rebuild', () => {
  it('sends one message for a whole crowd of a container, and another one when the sale is still missed later', async () => {
    const { ask, noted } = asking();
    await Promise.all(Array.from({ length: 500 }, () => ask('drop')));
    expect(noted).toMatchObject({ asked: ['drop'], sent: ['drop'] });
    noted.nowMs += 4_999;
    await ask('drop');
    expect(noted.sent).toEqual(['drop']);
    noted.nowMs += 1;
    await ask('drop');
    expect(noted.sent).toEqual(['drop', 'drop']);
  });

  it('sends nothing where another container has asked a moment ago', async () => {
    const { ask, noted } = asking({ isFirst: async () => false });
    await ask('drop');
    expect(noted.sent).toEqual([]);
  });

  it('asks for each sale by itself', async () => {
    const { ask, noted } = asking();
    await Promise.all(['drop', 'night', 'drop'].map(ask));
    expect(noted.sent).toEqual(['drop', 'night']);
  });

  it.each<[string, Partial<AskPorts>]>([
    ['Redis', { isFirst: () => Promise.reject(new Error('away')) }],
    ['the queue', { send: () => Promise.reject(new Error('away')) }],
  ])('never fails whoever asks, though %s is away', async (_, ports) => {
    await expect(asking(ports).ask('drop')).resolves.toBeUndefined();
  });

  it('keeps nobody waiting longer than a second', async () => {
    const { ask } = asking({ send: () => new Promise(() => {}) });
    expect(await isDoneWithin(1_900, ask('drop'))).toBe(true);
  });

  it('remembers a bounded number of sales', async () => {
    const { ask, noted } = asking();
    for (let n = 0; n < 2_500; n++) await ask(`sale-${n}`);
    expect(noted.sent).toHaveLength(2_500);
  });
});

describe('the stock that asks', () => {
  const answers = {
    read: vi.fn(async () => ({ outcome: 'NOT_LOADED' as const })),
    reserve: vi.fn(async () => ({ outcome: 'NOT_LOADED' as const })),
    update: vi.fn(async () => ({ outcome: 'NOT_LOADED' as const })),
    release: vi.fn(async () => ({ outcome: 'UNKNOWN_HOLD' as const })),
    nowMs: vi.fn(async () => 5),
    async *holds() {},
  };

  it('asks for the sale of any verb that is told NOT_LOADED, and passes the answer on', async () => {
    const ask = vi.fn(async () => {});
    const stock = askingStock(answers as unknown as Stock, ask);
    expect(await stock.read('a')).toEqual({ outcome: 'NOT_LOADED' });
    expect(await stock.reserve({ saleId: 'b' } as Parameters<Stock['reserve']>[0])).toEqual({ outcome: 'NOT_LOADED' });
    expect(await stock.update({ saleId: 'c' } as Parameters<Stock['update']>[0])).toEqual({ outcome: 'NOT_LOADED' });
    expect(ask.mock.calls).toEqual([['a'], ['b'], ['c']]);
  });

  it('asks for nothing on any other answer, and leaves what is no answer alone', async () => {
    const ask = vi.fn(async () => {});
    const stock = askingStock(answers as unknown as Stock, ask);
    expect(await stock.release('a', { holdId: 'h', bornUs: 1, cause: 'order' })).toEqual({ outcome: 'UNKNOWN_HOLD' });
    expect(await stock.nowMs()).toBe(5);
    for await (const _ of stock.holds('a')) expect.unreachable();
    expect(ask).not.toHaveBeenCalled();
  });

  it('passes failures on as they are', async () => {
    const stock = askingStock({ read: () => Promise.reject(new Error('away')) } as unknown as Stock, async () => {});
    await expect(stock.read('a')).rejects.toThrow('away');
  });
});

describe('keeping a live sale’s copy current', () => {
  const sale = { saleId: 'drop', version: 4 } as Parameters<ReturnType<typeof keepCurrent>>[0];

  it.each([
    ['brings a newer copy', { outcome: 'READ', version: 3 }, 1],
    ['brings nothing where the copy is as new', { outcome: 'READ', version: 4 }, 0],
    ['brings nothing where the copy is newer: the list of sales was read before it', { outcome: 'READ', version: 5 }, 0],
    ['brings nothing to a stock that is not loaded', { outcome: 'NOT_LOADED' }, 0],
  ])('%s', async (_, copy, updates) => {
    const update = vi.fn(async () => ({ outcome: 'UPDATED' as const }));
    await keepCurrent({ stock: { read: async () => copy, update } as unknown as Stock })(sale);
    expect(update).toHaveBeenCalledTimes(updates);
  });
});
