import { accountRepository } from '../accounts/account.repository.ts';
import { meEndpoints } from '../accounts/user.endpoints.ts';
import { productReadingEndpoints } from '../catalogue/product.endpoints.ts';
import { productRepository } from '../catalogue/product.repository.ts';
import { compensate } from '../orders/compensate.ts';
import { ownOrderEndpoints } from '../orders/order.endpoints.ts';
import { orderList } from '../orders/order-list.repository.ts';
import { placeEndpoints } from '../orders/place.endpoints.ts';
import { connected, database, orders, placePorts } from '../orders/place.wiring.ts';
import { saleReadingEndpoints } from '../sales/sale.endpoints.ts';
import { saleRepository } from '../sales/sale.repository.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { readEnvironment } from '../shared/environment.ts';
import type { Endpoint } from '../shared/http.ts';
import { countedStock } from '../views/counted.ts';
import { levelReader } from '../views/stock-level.repository.ts';

const environment = readEnvironment(['ACCOUNTS_TABLE', 'PRODUCTS_TABLE', 'SALES_TABLE', 'STOCK_LEVELS_TABLE', 'VIEWS_TABLE']);

/** The endpoints behind the fields, over the connections that placing orders has. */
export const endpoints: readonly Endpoint[] = [
  ...placeEndpoints(placePorts),
  ...ownOrderEndpoints({
    orders,
    list: orderList(database, environment.VIEWS_TABLE),
    compensate: async (order) => compensate({ orders, clock, stock: (await connected()).stock })(order),
    clock,
  }),
  ...productReadingEndpoints({ products: productRepository(database, environment.PRODUCTS_TABLE) }),
  ...saleReadingEndpoints({
    sales: saleRepository(database, environment.SALES_TABLE),
    // Connected by whoever asks first: without the cache, all that does not need it still answers.
    stock: { read: async (saleId, shards) => (await connected()).quietStock.read(saleId, shards) },
    askForRebuild: async (saleId) => (await connected()).askForRebuild(saleId),
    counted: countedStock(levelReader(database, environment.STOCK_LEVELS_TABLE)),
    clock,
  }),
  ...meEndpoints({ accounts: accountRepository(database, environment.ACCOUNTS_TABLE) }),
];
