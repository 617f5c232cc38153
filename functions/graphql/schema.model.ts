import {
  type GraphQLFieldConfig,
  type GraphQLFieldConfigArgumentMap,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql';
import { MeAnswer } from '../accounts/user.schemas.ts';
import { ProductAnswer, ProductPage } from '../catalogue/product.schemas.ts';
import { OrderAnswer } from '../orders/order.schemas.ts';
import { OrderPage } from '../orders/order-list.schemas.ts';
import { SaleAnswer, SalePage, saleItemsMax } from '../sales/sale.schemas.ts';
import { unitsPerOrderMax } from '../stock/stock.model.ts';
import type { Ask, Asked, Operation } from './ask.ts';
import { typesFrom } from './types.model.ts';

/** What one request brings along: how its fields ask, and what they note about the answers. */
export interface Context {
  readonly ask: Ask;
  /** Throws when it is too late to begin something that moves stock or money. */
  readonly mayBegin: () => void;
  /** Told of each answer to a request with a key: by which name it goes into the response, and whether it is the first answer again. */
  readonly onKeyed: (name: string, replayed: boolean) => void;
}

type Args = Readonly<Record<string, unknown>>;
type Field = GraphQLFieldConfig<unknown, Context, Args>;

const types = typesFrom({
  names: { 'Order.tickets': 'OrderTicket' },
  lengths: {
    'Order.items': unitsPerOrderMax,
    // An order has so many units in all, and not in each line.
    'OrderLine.units': 2,
    'Order.tickets': unitsPerOrderMax,
    'Sale.items': saleItemsMax,
    // How long a page is says its `limit`.
    'ProductPage.items': 1,
    'SalePage.items': 1,
    'OrderPage.items': 1,
  },
});

const [Product, Products] = [types.object(ProductAnswer), types.object(ProductPage)];
const [Sale, Sales] = [types.object(SaleAnswer), types.object(SalePage)];
const [Order, Orders] = [types.object(OrderAnswer), types.object(OrderPage)];
const Me = types.object(MeAnswer);

const text = { type: GraphQLString };
const neededText = { type: new GraphQLNonNull(GraphQLString) };
const page: GraphQLFieldConfigArgumentMap = {
  limit: { type: GraphQLInt, description: 'How many items the page has at most: 1 to 100, 20 when left out.' },
  cursor: { type: GraphQLString, description: 'The `nextCursor` of the page before. Opaque.' },
};

const OrderLineInput = new GraphQLInputObjectType({
  name: 'OrderLineInput',
  description: 'Either `quantity`, of an item sold by number, or `seats`, of one sold by name.',
  fields: {
    sku: neededText,
    quantity: { type: GraphQLInt },
    seats: { type: new GraphQLList(new GraphQLNonNull(GraphQLString)) },
  },
});

const PaymentInput = new GraphQLInputObjectType({
  name: 'PaymentInput',
  fields: { method: { type: types.words('OrderPaymentMethod'), description: '`balance` when left out.' } },
});

/** The arguments as the contract's JSON has them: there, what is not given is left out and never null. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, each]) => (each === null ? [] : [[name, withoutNulls(each)]])));
}

/** A field that is answered by an operation of the HTTP contract. */
const reads = (
  operation: Operation,
  type: GraphQLObjectType,
  description: string,
  args: GraphQLFieldConfigArgumentMap = {},
  asked: (args: Args) => Asked = () => ({}),
): Field => ({
  type,
  description,
  args,
  resolve: async (_, given, { ask }) => (await ask(operation, asked(withoutNulls(given) as Args))).body,
});

const textOf = (value: unknown): string => String(value);
const pathOf = (name: string) => (args: Args) => ({ params: { [name]: textOf(args[name]) } });
const queryOf = (args: Args) => ({ query: args as NonNullable<Asked['query']> });

const Query = new GraphQLObjectType<unknown, Context>({
  name: 'Query',
  fields: {
    products: reads('listProducts', Products, 'A page of the catalogue.', page, queryOf),
    product: reads('readProduct', Product, 'A product.', { sku: neededText }, pathOf('sku')),
    sales: reads('listSales', Sales, 'A page of the sales, with what is left of each.', page, queryOf),
    sale: reads('readSale', Sale, 'A sale with its state and what is left.', { saleId: neededText }, pathOf('saleId')),
    order: reads('readOrder', Order, 'An order: one’s own, or to an operator any.', { orderId: neededText }, pathOf('orderId')),
    orders: reads(
      'listOrders',
      Orders,
      'A page of one’s own orders, newest first; to an operator, of all.',
      { saleId: text, status: { type: types.words('OrderStatus') }, ...page },
      queryOf,
    ),
    me: reads('readMe', Me, 'One’s own account.'),
  },
});

const placeOrder: Field = {
  type: Order,
  description:
    'Places an order, all of its lines or none. A repeat with the same `idempotencyKey` and the same arguments gives the first answer again; the ' +
    'key is the one of `POST /v1/sales/{saleId}/orders`.',
  args: {
    saleId: neededText,
    idempotencyKey: { type: neededText.type, description: '1 to 255 visible ASCII characters; the same one in every repeat.' },
    items: { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(OrderLineInput))) },
    payment: { type: PaymentInput, description: 'By the balance, when left out.' },
  },
  async resolve(_, args, { ask, mayBegin, onKeyed }, { path }) {
    mayBegin();
    const { saleId, idempotencyKey, ...body } = withoutNulls(args) as Args;
    const { body: order, replayed } = await ask('placeOrder', {
      params: { saleId: textOf(saleId) },
      key: textOf(idempotencyKey),
      body,
    });
    onKeyed(textOf(path.key), replayed);
    return order;
  },
};

const cancelOrder: Field = {
  type: Order,
  description: 'Cancels an order: releases its hold, or refunds what was paid before fulfilment. May be repeated.',
  args: { orderId: neededText },
  async resolve(_, { orderId }, { ask, mayBegin }) {
    mayBegin();
    return (await ask('cancelOrder', { params: { orderId: textOf(orderId) } })).body;
  },
};

const Mutation = new GraphQLObjectType<unknown, Context>({ name: 'Mutation', fields: { placeOrder, cancelOrder } });

export const schema = new GraphQLSchema({ query: Query, mutation: Mutation });
