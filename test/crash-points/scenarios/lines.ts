import type { Line, PlannedItem } from '../../simulation/plan.ts';

export const tees = (quantity = 1): Line => ({ sku: 'tee', quantity });
export const seats = (...names: readonly string[]): Line => ({ sku: 'hall', seats: names });

export const teeItem = (units: number): PlannedItem => ({ sku: 'tee', priceMinor: 1_500, units });
export const hallItem = (...names: readonly string[]): PlannedItem => ({ sku: 'hall', priceMinor: 700, seats: names });
