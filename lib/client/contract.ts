/**
 * The contract's answers as a client sees them; only their words (states, codes) are shared. The shapes are written from the contract and
 * not from the functions' schemas, on purpose: a client that took them from the server would move with it, and the acceptance tests would
 * agree with whatever the server says.
 */
import type { OrderFailure, OrderStatus, PaymentMethod, PaymentState } from '../../functions/orders/order.model.ts';
import type { SaleState, Strategy } from '../../functions/sales/sale.model.ts';
import type { ProblemCode } from '../../functions/shared/problems.ts';

/** RFC 9457 problem details with the contract's two members, and what single codes add. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ProblemCode;
  readonly retryable: boolean;
  /** With `SOLD_OUT`: how many units are left. */
  readonly available?: number;
  /** With `SOLD_OUT` and `SEAT_TAKEN`: of which item. */
  readonly sku?: string;
  /** With `SEAT_TAKEN`: those of the seats asked for that somebody else has. */
  readonly seats?: readonly string[];
  /** With `NOT_CANCELLABLE` and `NOT_REFUNDABLE`: what the order is. */
  readonly orderStatus?: OrderStatus;
}

export interface ProductBody {
  readonly sku: string;
  readonly name: string;
  readonly description?: string;
  readonly priceMinor: number;
  readonly currency: string;
  readonly imageUrl?: string;
}

export interface ImportBody {
  readonly items: readonly {
    readonly sku?: string;
    readonly outcome: 'created' | 'replaced' | 'unchanged' | 'refused';
    readonly status: number;
    readonly problem?: ProblemBody;
  }[];
}

export interface SaleRequest {
  readonly saleId?: string;
  readonly name: string;
  readonly opensAt: string;
  readonly closesAt: string;
  readonly strategy?: Strategy;
  readonly holdSeconds?: number;
  readonly perBuyerLimit?: number;
  readonly items: readonly (
    | { readonly sku: string; readonly units: number }
    | { readonly sku: string; readonly seats: readonly string[] }
  )[];
  readonly shards?: number;
}

export interface SaleChangesRequest {
  readonly state?: 'paused' | 'open' | 'closed';
  readonly opensAt?: string;
  readonly closesAt?: string;
  readonly perBuyerLimit?: number;
}

export interface RestockRequest {
  readonly sku: string;
  readonly units?: number;
  readonly seats?: readonly string[];
  readonly reason: string;
}

export interface SeatBody {
  readonly seat: string;
  readonly state: 'free' | 'held' | 'sold';
}

export interface SaleBody {
  readonly saleId: string;
  readonly name: string;
  readonly state: SaleState;
  readonly serverTime: string;
  readonly opensAt: string;
  readonly closesAt: string;
  readonly perBuyerLimit?: number;
  readonly holdSeconds: number;
  readonly strategy: Strategy;
  readonly shards?: number;
  readonly items: readonly {
    readonly sku: string;
    readonly name: string;
    readonly priceMinor: number;
    readonly currency: string;
    readonly total: number;
    readonly available: number;
    readonly seated: boolean;
  }[];
}

/** So many of a counted item, or these seats of a seated one. */
export type OrderLineRequest =
  | { readonly sku: string; readonly quantity: number }
  | { readonly sku: string; readonly seats: readonly string[] };

export interface OrderRequest {
  readonly items: readonly OrderLineRequest[];
  readonly payment?: { readonly method: PaymentMethod };
}

/** All that is in the cart, in place of items by name. */
export interface CheckoutRequest {
  readonly fromCart: true;
  readonly payment?: { readonly method: PaymentMethod };
}

export type CartItemRequest = { readonly quantity: number } | { readonly seats: readonly string[] };

export interface CartBody {
  readonly saleId: string;
  readonly items: readonly { readonly sku: string; readonly quantity: number; readonly seats?: readonly string[] }[];
  /** Null while the cart is empty. */
  readonly expiresAt: string | null;
}

export interface OrderBody {
  readonly orderId: string;
  readonly saleId: string;
  readonly buyerId: string;
  readonly status: OrderStatus;
  readonly displayStatus: string;
  readonly failure?: OrderFailure;
  readonly version: number;
  readonly items: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly units: readonly string[];
    readonly priceMinor: number;
  }[];
  readonly totalMinor: number;
  readonly currency: string;
  readonly holdExpiresAt?: string;
  readonly payment: { readonly method: PaymentMethod; readonly state: PaymentState };
  readonly tickets?: readonly { readonly sku: string; readonly unit: string; readonly code: string }[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface RefundRequest {
  readonly reason: string;
  /** Of a fulfilled order: whether its units are for sale again. */
  readonly returnUnits?: boolean;
}

export interface AuditBody {
  readonly items: readonly {
    readonly sku: string;
    readonly total: number;
    readonly available: number;
    readonly held: number;
    readonly sold: number;
    readonly retired: number;
    readonly conserved: boolean;
  }[];
  readonly money: {
    readonly authorisedMinor: number;
    readonly capturedMinor: number;
    readonly fulfilledMinor: number;
    readonly refundedMinor: number;
    readonly balanced: boolean;
  };
  readonly redis: { readonly agrees: boolean; readonly drift: readonly unknown[] };
  readonly asOf: string;
}

/** Something that happened to an order; what else it has depends on its kind. */
export interface TimelineEntryBody {
  readonly kind: 'transition' | 'stock' | 'event' | 'payment' | 'movement' | 'fulfilment';
  readonly at: string;
  readonly version?: number;
  readonly name?: string;
  readonly status?: string;
  readonly [member: string]: unknown;
}

export interface TimelineBody {
  readonly orderId: string;
  readonly items: readonly TimelineEntryBody[];
  readonly complete: boolean;
}

export interface UserRequest {
  readonly userId: string;
  readonly name?: string;
  readonly balanceMinor?: number;
  readonly currency: string;
}

export interface BalanceBody {
  readonly userId: string;
  readonly balanceMinor: number;
  readonly currency: string;
}

export interface TicketBody {
  readonly valid: boolean;
  readonly saleId: string;
  readonly sku: string;
  readonly unit: string;
}

export interface DeadLetterBody {
  readonly queue: string;
  readonly messageId: string;
  readonly event?: string;
  readonly eventId?: string;
  readonly orderId?: string;
  readonly saleId?: string;
  readonly attempts: number;
  readonly firstSeenAt: string;
  readonly lastFailedAt?: string;
  readonly why: string;
}

export interface DeadLettersBody {
  readonly items: readonly DeadLetterBody[];
  readonly queues: readonly { readonly queue: string; readonly waiting: number }[];
}

export interface RedriveBody {
  readonly queues: readonly { readonly queue: string; readonly moved: number; readonly left: number }[];
}

export interface ReconciliationBody {
  readonly reconciliationId: string;
  readonly trigger: string;
  readonly salesCount: number;
  readonly sales: readonly {
    readonly saleId: string;
    readonly scope: string;
    readonly outcome: string;
    readonly drift: Readonly<Record<string, number>>;
    readonly mended: Readonly<Record<string, number>>;
    readonly repairs: readonly { readonly kind: string; readonly subject: string; readonly outcome: string }[];
    readonly behind: boolean;
  }[];
}

export interface HealthBody {
  readonly status: string;
  readonly checks: { readonly redis: unknown; readonly dynamodb: unknown };
}

export interface OpenApiBody {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string | null;
}

export interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}

const restingStatuses: ReadonlySet<OrderStatus> = new Set<OrderStatus>(['FULFILLED', 'EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED']);

/** Whether nothing more happens to the order by itself. */
export const isAtRest = (order: Pick<OrderBody, 'status'>): boolean => restingStatuses.has(order.status);

/** Whether the order's units are paid for and the buyer's. */
export const isSold = (order: Pick<OrderBody, 'status'>): boolean => order.status === 'CONFIRMED' || order.status === 'FULFILLED';
