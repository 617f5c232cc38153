/** A request body that people can send as it stands, and what it is for. */
export interface BodyExample {
  readonly summary: string;
  readonly value: object;
}

/**
 * Examples of request bodies, by operation; the first is what a page fills in. Together they are a story: a product, a sale of it that is
 * open for years, a buyer with money, an order. So whoever sends them from top to bottom sees the service at work.
 */
export const bodyExamples: Readonly<Record<string, Readonly<Record<string, BodyExample>>>> = {
  createProduct: {
    shirt: { summary: 'A product', value: { sku: 'tee-black-m', name: 'Launch tee, black, M', priceMinor: 4_999, currency: 'EUR' } },
    seat: { summary: 'Seats of one category', value: { sku: 'stalls', name: 'Stalls', priceMinor: 8_900, currency: 'EUR' } },
  },
  replaceProduct: {
    shirt: { summary: 'Another name', value: { name: 'Launch tee, black, M, second print', priceMinor: 4_999, currency: 'EUR' } },
  },
  createSale: {
    counted: {
      summary: '1,000 units, at most 4 for each buyer',
      value: {
        saleId: 'launch-day',
        name: 'Launch day',
        opensAt: '2026-01-01T00:00:00Z',
        closesAt: '2036-01-01T00:00:00Z',
        perBuyerLimit: 4,
        items: [{ sku: 'tee-black-m', units: 1_000 }],
      },
    },
    seated: {
      summary: 'Named seats',
      value: {
        saleId: 'opening-night',
        name: 'Opening night',
        opensAt: '2026-01-01T00:00:00Z',
        closesAt: '2036-01-01T00:00:00Z',
        items: [{ sku: 'stalls', seats: ['A-1', 'A-2', 'A-3', 'B-1', 'B-2'] }],
      },
    },
  },
  changeSale: {
    pause: { summary: 'Pause: nothing is sold after the answer', value: { state: 'paused' } },
    resume: { summary: 'Sell on', value: { state: 'open' } },
    limit: { summary: 'Fewer for each buyer from now on', value: { perBuyerLimit: 2 } },
    close: { summary: 'Close for good', value: { state: 'closed' } },
  },
  restock: {
    units: { summary: '50 more', value: { sku: 'tee-black-m', units: 50, reason: 'A second delivery' } },
    seats: { summary: 'A row more', value: { sku: 'stalls', seats: ['C-1', 'C-2'], reason: 'The stage is smaller than planned' } },
  },
  cancelSale: { cancel: { summary: 'Give everybody their money back', value: { reason: 'The show cannot take place' } } },
  createUser: {
    funded: { summary: 'A buyer with money', value: { userId: 'ada', name: 'Ada Lovelace', balanceMinor: 100_000, currency: 'EUR' } },
    plain: { summary: 'A buyer without', value: { userId: 'grace', currency: 'EUR' } },
  },
  creditUser: { credit: { summary: '50.00 more', value: { amountMinor: 5_000 } } },
  placeOrder: {
    counted: { summary: 'Units, paid from the balance', value: { items: [{ sku: 'tee-black-m', quantity: 2 }] } },
    seated: { summary: 'Two seats or none', value: { items: [{ sku: 'stalls', seats: ['A-1', 'A-2'] }] } },
    external: {
      summary: 'Paid elsewhere, before the hold expires',
      value: { items: [{ sku: 'tee-black-m', quantity: 1 }], payment: { method: 'external' } },
    },
  },
  refundOrder: {
    retire: { summary: 'Money back; units of a fulfilled order retire', value: { reason: 'The show was moved' } },
    return: { summary: 'Money back, and the units are for sale again', value: { reason: 'The show was moved', returnUnits: true } },
  },
};
