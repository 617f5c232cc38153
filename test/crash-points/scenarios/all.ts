import type { Scenario } from '../scenario.ts';
import { graphql } from './asking.ts';
import { cartChargedFirst, carts, cartsExpire } from './carts.ts';
import { chargedFirst, chargedFirstAndLate } from './charging-first.ts';
import { deadLetters, polled, refusedByBus, setAside, silent, silentAndLate, silentChargedFirst } from './delivering.ts';
import { abandoned, flushed, forgotten, planted } from './forgetting.ts';
import { calledOff, opening, operated, prewarmed } from './operating.ts';
import { cannotPay, givenBack, lateMoney, paidByBalance, paidOutside } from './paying.ts';
import { homesRunDry, homesRunDryLater, shardsForget } from './sharing.ts';

/** Together they invoke every handler, and bring each to every kind of call that it makes. */
export const scenarios: readonly Scenario[] = [
  ...[paidByBalance, cannotPay, paidOutside, lateMoney, givenBack],
  ...[chargedFirst, chargedFirstAndLate],
  ...[carts, cartsExpire, cartChargedFirst],
  ...[forgotten, flushed, planted, abandoned],
  ...[homesRunDry, homesRunDryLater, shardsForget],
  ...[opening, operated, calledOff, prewarmed],
  ...[polled, refusedByBus, deadLetters, setAside, silent, silentChargedFirst, silentAndLate],
  graphql,
];
