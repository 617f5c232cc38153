import { Problem } from '../shared/problems.ts';

/** Why there are no units for an order or a cart, where it makes no difference which of them asks. */
export type UnitsRefused =
  | { readonly outcome: 'unknown-sale' | 'paused' | 'stock-not-ready' }
  | { readonly outcome: 'unknown-sku'; readonly sku: string }
  | { readonly outcome: 'unknown-seat'; readonly sku: string; readonly seat: string }
  /** `kind` is how the item is sold, which is not how it was asked for. */
  | { readonly outcome: 'wrong-kind'; readonly sku: string; readonly kind: 'counted' | 'seated' }
  | { readonly outcome: 'seat-taken'; readonly sku: string; readonly seats: readonly string[] }
  | { readonly outcome: 'not-open'; readonly state: 'scheduled' | 'closed' };

/** The refusal in the words of the contract. */
export function stockProblem(refused: UnitsRefused): Problem {
  switch (refused.outcome) {
    case 'unknown-sale':
      return new Problem('NOT_FOUND', 'There is no such sale.');
    case 'unknown-sku':
      return new Problem('INVALID_REQUEST', `This sale does not sell ${refused.sku}.`);
    case 'unknown-seat':
      return new Problem('INVALID_REQUEST', `${refused.sku} has no seat ${refused.seat}.`);
    case 'wrong-kind':
      return new Problem(
        'INVALID_REQUEST',
        refused.kind === 'seated' ? `${refused.sku} is sold by seats: name them.` : `${refused.sku} has no seats: say how many.`,
      );
    case 'seat-taken':
      return new Problem('SEAT_TAKEN', `Of ${refused.sku} these seats are taken: ${refused.seats.join(', ')}.`, {
        sku: refused.sku,
        seats: refused.seats,
      });
    case 'not-open':
      return new Problem('SALE_NOT_OPEN', refused.state === 'scheduled' ? 'The sale has not opened yet.' : 'The sale is closed.', {
        state: refused.state,
      });
    case 'paused':
      return new Problem('SALE_PAUSED', 'The sale is paused; it may go on.');
    case 'stock-not-ready':
      return new Problem('STOCK_NOT_READY', 'The stock of this sale is not ready.');
  }
}
