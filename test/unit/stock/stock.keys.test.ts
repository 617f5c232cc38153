import { describe, expect, it } from 'vitest';
import { rebuildKeys, reconcileKeys, stockKeys } from '../../../functions/stock/stock.keys.ts';

describe('the keys of a sale', () => {
  it('are in one slot of a cluster, and never two things under one key', () => {
    const keys = [stockKeys('s1'), rebuildKeys('s1'), reconcileKeys('s1')].flatMap((each) => Object.values(each));
    expect(keys).toHaveLength(11);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).toMatch(/^\{s1\}:[a-z]+$/);
  });
});
