/** The stock as other capabilities' use cases see it; their handlers and wirings connect it. */
export type { Stock } from './stock.scripts.ts';

/**
 * What an order that has a hold is to Redis: `live` keeps the hold, `confirmed` keeps it for good, `ended` gives it back, and `retired` ends it
 * with its units and slots gone for good.
 */
export type OrderStanding = 'live' | 'confirmed' | 'ended' | 'retired';
