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
  importProducts: {
    shirts: {
      summary: 'Two products; sent again, both are unchanged',
      value: {
        items: [
          { sku: 'tee-black-m', name: 'Launch tee, black, M', priceMinor: 4_999, currency: 'EUR' },
          { sku: 'tee-black-l', name: 'Launch tee, black, L', priceMinor: 4_999, currency: 'EUR' },
        ],
      },
    },
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
  redriveDeadLetters: {
    all: { summary: 'Everything that is stuck', value: {} },
    one: { summary: 'What one consumer could not handle', value: { queue: 'payment' } },
  },
  creditUser: { credit: { summary: '50.00 more', value: { amountMinor: 5_000 } } },
  takePaymentWebhook: {
    succeeded: {
      summary: 'An order was paid. It must be signed, so a page can’t send it',
      value: {
        type: 'payment.succeeded',
        data: { paymentId: 'pay_5f0c2a', orderId: 'ord_mHcBvGJ0Q2yQxg5vJ6yYdw', amountMinor: 4_999, currency: 'EUR' },
      },
    },
    failed: {
      summary: 'A payment was declined',
      value: {
        type: 'payment.failed',
        data: { paymentId: 'pay_91b77e', orderId: 'ord_mHcBvGJ0Q2yQxg5vJ6yYdw', amountMinor: 4_999, currency: 'EUR' },
      },
    },
  },
  setCartItem: {
    counted: { summary: 'Two of them', value: { quantity: 2 } },
    seated: { summary: 'These seats', value: { seats: ['A-1', 'A-2'] } },
  },
  placeOrder: {
    counted: { summary: 'Units, paid from the balance', value: { items: [{ sku: 'tee-black-m', quantity: 2 }] } },
    seated: { summary: 'Two seats or none', value: { items: [{ sku: 'stalls', seats: ['A-1', 'A-2'] }] } },
    cart: { summary: 'All that is in the cart', value: { fromCart: true } },
    external: {
      summary: 'Paid elsewhere, before the hold expires',
      value: { items: [{ sku: 'tee-black-m', quantity: 1 }], payment: { method: 'external' } },
    },
  },
  refundOrder: {
    retire: { summary: 'Money back; units of a fulfilled order retire', value: { reason: 'The show was moved' } },
    return: { summary: 'Money back, and the units are for sale again', value: { reason: 'The show was moved', returnUnits: true } },
  },
  reconcile: {
    one: { summary: 'One sale, completely', value: { saleId: 'launch-day' } },
    live: { summary: 'Every live sale', value: {} },
  },
  graphql: {
    sale: {
      summary: 'A sale with what is left of it, and one’s own account',
      value: {
        query:
          'query Look($saleId: String!) { sale(saleId: $saleId) { state items { sku priceMinor currency available } } me { balanceMinor } }',
        variables: { saleId: 'launch-day' },
      },
    },
    place: {
      summary: 'Place an order; with another idempotencyKey, another order',
      value: {
        query:
          'mutation Buy($saleId: String!, $key: String!, $items: [OrderLineInput!]!) { placeOrder(saleId: $saleId, idempotencyKey: $key, items: $items) ' +
          '{ orderId status displayStatus items { sku units } totalMinor currency } }',
        variables: { saleId: 'launch-day', key: 'my-first-order', items: [{ sku: 'tee-black-m', quantity: 2 }] },
        operationName: 'Buy',
      },
    },
    orders: {
      summary: 'One’s own orders, newest first',
      value: { query: '{ orders(limit: 5) { items { orderId displayStatus tickets { unit code } } nextCursor } }' },
    },
    cancel: {
      summary: 'Cancel an order',
      value: {
        query: 'mutation Cancel($orderId: String!) { cancelOrder(orderId: $orderId) { orderId status } }',
        variables: { orderId: 'ord_mHcBvGJ0Q2yQxg5vJ6yYdw' },
      },
    },
    schema: { summary: 'What there is to ask for', value: { query: '{ __schema { queryType { fields { name description } } } }' } },
  },
};
