/*
 * The money of one order that reserves first: authorise, confirm, capture, fulfil; decline, expire, cancel, refund; and payments from outside.
 *
 * Mirrors functions/orders/order.transitions.model.ts, order.step.ts (whoever loses a race reads again and decides again), functions/payments/{charge,
 * take-payment,payment.model}.ts and functions/orders/advance.ts. Each transition is one transaction of order, money and outbox; a consumer reads the order
 * first and acts on what it read. What a consumer does the sweeper does too, and a charge is delivered twice; each may crash before its
 * transaction, which then is left to the sweeper.
 *
 * Left out: amounts (a movement is one, whole), the buyer's balance (a charge may be declined at any time), units (stock.pml), late money that buys units
 * again (paid.pml; here money after an end goes back), tickets, events (everything they start, the sweeper starts too).
 */
#ifndef OUTSIDE
#define OUTSIDE 0    /* 1: paid from outside, by two different payments, each told twice */
#endif
#ifndef ALL
#define ALL 0        /* 1: besides the sweeper, a consumer each confirms, fulfils and refunds */
#endif
#ifndef FAULTS
#define FAULTS 1
#endif

#ifndef BY_VERSION
#define BY_VERSION 1        /* rule: a transition commits only at the version that it was decided for */
#endif
#ifndef ONE_TRANSACTION
#define ONE_TRANSACTION 1   /* rule: money moves in the transaction of its order's transition */
#endif
#ifndef PAID_GOES_ON
#define PAID_GOES_ON 1      /* rule: an order whose money is set aside does not expire */
#endif
#ifndef END_SETTLES
#define END_SETTLES 1       /* rule: what was set aside returns with the end, in its transaction */
#endif
#ifndef PAYMENT_ONCE
#define PAYMENT_ONCE 1      /* rule: a payment from outside is taken once, by the key of its row */
#endif
#ifndef NOT_OURS_RETURNS
#define NOT_OURS_RETURNS 1  /* rule: a payment that its order does not wait for goes back as it came */
#endif

#define RESERVED 1
#define CONFIRMED 2
#define FULFILLED 3
#define EXPIRED 4
#define FAILED 5
#define CANCELLED 6
#define REFUNDING 7
#define REFUNDED 8

byte status = RESERVED;
/* who has read the order at its version, a bit each: a transition is a new version, and all of them are behind */
byte current = 0;
/* the order's payment.state */
#define UNPAID 0
#define AUTHORISED 1
#define CAPTURED 2
#define SETTLED 3
byte payment = UNPAID;
/* the ledger, in whole payments: what the buyer gave and did not get back stands in escrow or with the seller */
short escrow = 0; short seller = 0; short given = 0;
bool taken[3];
byte faults = 0;
byte charges = 0; byte refunds = 0;

#define HAS_ENDED (status == EXPIRED || status == FAILED || status == CANCELLED || status == REFUNDED)
#define MAY_CRASH :: faults < FAULTS -> faults++
#define ME (1 << (_pid - 1))
/* what was read: at its version it is what the order is; behind it, nothing is decided by it */
#define S (BY_VERSION * status + (1 - BY_VERSION) * s)
#define P (BY_VERSION * payment + (1 - BY_VERSION) * p)
#define IS_CURRENT (!BY_VERSION || (current & ME))

/* One decision: read (status, payment, version), then commit. `go` is what the rule says of what was read. */
inline read_order() { current = current | ME; if :: !BY_VERSION -> s = status; p = payment :: else fi }

inline forget() { current = current & ~ME; s = 0; p = 0 }

inline void_or_refund(captured) {
  if
  :: captured -> seller--; given--; refunds++
  :: else -> escrow--; given--
  fi;
  payment = SETTLED
}

proctype Charge() {   /* charge.ts */
  byte s; byte p;
again:
  atomic { read_order() };
  atomic {
    if
    MAY_CRASH
#if !ONE_TRANSACTION
    :: S == RESERVED && P == UNPAID -> escrow++; given++; charges++   /* the charge by itself, and then the order */
#else
    :: S == RESERVED && P == UNPAID && IS_CURRENT -> escrow++; given++; charges++; payment = AUTHORISED; current = 0
    :: S == RESERVED && P == UNPAID && IS_CURRENT -> status = FAILED; current = 0
#endif
    :: S == CONFIRMED && P == AUTHORISED && IS_CURRENT -> escrow--; seller++; payment = CAPTURED; current = 0
    :: !IS_CURRENT -> goto again
    :: IS_CURRENT && !(S == RESERVED && P == UNPAID) && !(S == CONFIRMED && P == AUTHORISED)
    fi
  };
#if !ONE_TRANSACTION
  atomic { if MAY_CRASH :: S == RESERVED && P == UNPAID && (current & ME) -> payment = AUTHORISED; current = 0 :: else fi };
#endif
  atomic { forget() }
}

/* confirm, fulfil, expire, cancel, request a refund and refund: read, decide, commit by version */
proctype Step(byte what) {
  byte s; byte p;
again:
  atomic { read_order() };
  atomic {
    if
    MAY_CRASH
    :: !IS_CURRENT -> goto again
    :: IS_CURRENT ->
       if
       :: what == 1 && S == RESERVED && P == AUTHORISED -> status = CONFIRMED; current = 0
       :: what == 2 && S == CONFIRMED && P == CAPTURED -> status = FULFILLED; current = 0
       :: what == 3 && S == RESERVED && (P == UNPAID || !PAID_GOES_ON) -> status = EXPIRED; current = 0
       :: what == 4 && S == RESERVED ->
          status = CANCELLED; current = 0;
          if :: END_SETTLES && P == AUTHORISED -> void_or_refund(false) :: else fi
       :: what == 4 && S == CONFIRMED -> status = REFUNDING; current = 0
       :: what == 5 && (S == CONFIRMED || S == FULFILLED) -> status = REFUNDING; current = 0   /* an operator */
       :: what == 6 && S == REFUNDING -> status = REFUNDED; current = 0; void_or_refund(P == CAPTURED)
       :: else
       fi
    fi
  };
  atomic { forget() }
}

proctype TakePayment(byte id) {   /* take-payment.ts: order, then payment, then one transaction of both */
  byte s; byte p; bool known;
again:
  atomic { read_order() };
  atomic { known = PAYMENT_ONCE && taken[id] };
  atomic {
    if
    :: known
    MAY_CRASH; goto again   /* it is told again until it was answered */
    :: !known && ((PAYMENT_ONCE && taken[id]) || !IS_CURRENT) -> goto again
    :: !known && !(PAYMENT_ONCE && taken[id]) && IS_CURRENT ->
       if :: !taken[id] -> given++ :: else fi;   /* it was paid once, however often it is told */
       taken[id] = true; current = 0;
       if
       :: S == RESERVED && P == UNPAID -> status = CONFIRMED; payment = CAPTURED; seller++; charges++
       :: !(S == RESERVED && P == UNPAID) && NOT_OURS_RETURNS -> given--
       :: !(S == RESERVED && P == UNPAID) && !NOT_OURS_RETURNS -> escrow++
       fi
    fi
  };
  atomic { forget(); known = 0 }
}

/* The sweeper: nextStep of what the order is, as often as there is one. */
#define NEXT_CHARGE (!OUTSIDE && ((status == RESERVED && payment == UNPAID) || (status == CONFIRMED && payment == AUTHORISED)))
proctype Sweeper() {
  byte s; byte p;
  do
  :: atomic { (status == RESERVED && payment == UNPAID) -> read_order() };
     atomic { if :: IS_CURRENT && !OUTSIDE && ONE_TRANSACTION -> escrow++; given++; charges++; payment = AUTHORISED; current = 0
                 :: IS_CURRENT -> status = EXPIRED; current = 0
                 :: !IS_CURRENT
              fi; forget() }
  :: atomic { (status == RESERVED && payment == AUTHORISED) -> read_order() };
     atomic { if :: IS_CURRENT -> status = CONFIRMED; current = 0 :: else fi; forget() }
  :: atomic { (status == CONFIRMED && payment == AUTHORISED) -> read_order() };
     atomic { if :: IS_CURRENT -> escrow--; seller++; payment = CAPTURED; current = 0 :: else fi; forget() }
  :: atomic { (status == CONFIRMED && payment == CAPTURED) -> read_order() };
     atomic { if :: IS_CURRENT -> status = FULFILLED; current = 0 :: else fi; forget() }
  :: atomic { (status == REFUNDING) -> read_order() };
     atomic { if :: IS_CURRENT -> status = REFUNDED; current = 0; void_or_refund(P == CAPTURED) :: else fi; forget() }
  od
}

init {
  atomic {
    run Sweeper();
#if OUTSIDE
    run TakePayment(1); run TakePayment(1); run TakePayment(2);
#else
    run Charge(); run Charge();
#endif
    run Step(3); run Step(4); run Step(5)
#if ALL
    ; run Step(1); run Step(2); run Step(6)
#endif
  };
  timeout;
  d_step {
    assert(status == FULFILLED || HAS_ENDED);          /* every order ends */
    assert(escrow == 0);                               /* nothing stays set aside */
    assert(charges <= 1 && refunds <= 1);              /* charged once, refunded once */
    if
    :: status == FULFILLED -> assert(seller == 1 && given == 1)
    :: else -> assert(seller == 0 && given == 0)       /* no units, no money */
    fi
  }
}
