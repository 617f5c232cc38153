import { expect, it } from 'vitest';
import { randomOf } from '../simulation/random.ts';
import { Deck } from './deck.ts';
import { faultKinds } from './faults.ts';

it('deals each kind once before any comes again, and none twice to one sale', () => {
  const deck = new Deck(faultKinds, randomOf('deck'));
  const rounds = 3;
  const dealt: string[] = [];
  while (dealt.length < rounds * faultKinds.length) {
    const hand = deck.deal(3);
    expect(new Set(hand).size).toBe(hand.length);
    dealt.push(...hand);
  }
  const first = dealt.slice(0, faultKinds.length);
  expect([...first].sort()).toEqual([...faultKinds].sort());
  for (const kind of faultKinds) expect(dealt.filter((each) => each === kind).length).toBeGreaterThanOrEqual(rounds - 1);
});

it('deals what met nothing once more, at once', () => {
  const deck = new Deck(faultKinds, randomOf('deck'));
  const [kind = 'clock-skew'] = deck.deal(1);
  deck.again(kind);
  expect(deck.deal(2)).toContain(kind);
});

it('deals a single kind again and again', () => {
  const deck = new Deck(['clock-skew'], randomOf('deck'));
  expect([deck.deal(4), deck.deal(4)]).toEqual([['clock-skew'], ['clock-skew']]);
});
