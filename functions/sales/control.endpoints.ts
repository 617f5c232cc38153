import { type Endpoint, endpoint, keyedRequest } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { type CancelSalePorts, cancelSale } from './cancel-sale.ts';
import { type ChangeSaleOutcome, type ControlPorts, changeSale } from './change-sale.ts';
import { type RestockOutcome, type RestockPorts, restock } from './restock.ts';
import { cancelSaleRoute, changeSaleRoute, restockRoute } from './sale.routes.ts';

export type ControlEndpointPorts = ControlPorts & RestockPorts & CancelSalePorts;

/** What operators do with a sale that there is. */
export function controlEndpoints(ports: ControlEndpointPorts): Endpoint[] {
  return [
    endpoint(changeSaleRoute, async ({ params, body, caller }) => {
      const { opensAt: opensAtMs, closesAt: closesAtMs, ...others } = body;
      const changed = await changeSale(params.saleId, { opensAtMs, closesAtMs, ...others }, caller.userId, ports);
      if (changed.outcome !== 'changed') throw refusedChange(changed);
      return { body: changed.sale };
    }),

    endpoint(restockRoute, async (request) => {
      const { params, body, caller } = request;
      const done = await restock(params.saleId, { ...body, by: caller.userId }, keyedRequest(request), ports);
      if (!('answer' in done)) throw refusedRestock(done, body.sku);
      return { text: done.answer.body, status: done.answer.status, replayed: done.outcome === 'replayed' };
    }),

    endpoint(cancelSaleRoute, async (request) => {
      const { params, body, caller } = request;
      const done = await cancelSale(params.saleId, { ...body, by: caller.userId }, keyedRequest(request), ports);
      if (!('answer' in done)) throw done.outcome === 'not-found' ? noSale() : keyReused();
      return { text: done.answer.body, status: done.answer.status, replayed: done.outcome === 'replayed' };
    }),
  ];
}

const noSale = () => new Problem('NOT_FOUND', 'There is no such sale.');
const keyReused = () => new Problem('IDEMPOTENCY_KEY_REUSED', 'This key was sent with another payload; another change needs another key.');
const closed = () => new Problem('SALE_NOT_OPEN', 'The sale is closed, and that is final.', { state: 'closed' });

function refusedChange(refused: Exclude<ChangeSaleOutcome, { outcome: 'changed' }>): Problem {
  switch (refused.outcome) {
    case 'not-found':
      return noSale();
    case 'closed':
      return closed();
    case 'stock-not-ready':
      return new Problem('STOCK_NOT_READY', 'The sale is changed, and its stock is not ready: send the same again to see it.');
    case 'has-no-limit':
      return new Problem('INVALID_REQUEST', 'The sale began without a limit per buyer, and none can be introduced.');
    case 'window-ends-before-it-opens':
      return new Problem('INVALID_REQUEST', 'closesAt must be later than opensAt.');
  }
}

function refusedRestock(refused: Exclude<RestockOutcome, { answer: unknown }>, sku: string): Problem {
  switch (refused.outcome) {
    case 'not-found':
      return noSale();
    case 'key-reused':
      return keyReused();
    case 'closed':
      return closed();
    case 'stock-not-ready':
      return new Problem('STOCK_NOT_READY', 'The stock of this sale is not ready.');
    case 'unknown-sku':
      return new Problem('INVALID_REQUEST', `This sale does not sell ${sku}.`);
    case 'wrong-kind':
      return new Problem('INVALID_REQUEST', `${sku} is sold by ${refused.seated ? 'seats' : 'units'}.`);
    case 'too-many':
      return new Problem('INVALID_REQUEST', `An item may have at most ${refused.totalMax} ${sku} in all.`);
    case 'already-there':
      return new Problem('ALREADY_EXISTS', `On sale already: ${namedOf(refused.seats)}.`);
  }
}

const namesShownMax = 20;
const namedOf = (seats: readonly string[]): string =>
  `${seats.slice(0, namesShownMax).join(', ')}${seats.length > namesShownMax ? ` and ${seats.length - namesShownMax} more` : ''}`;
