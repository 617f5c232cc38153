/*
 * One order that is paid before it has units, two more buyers, two units: an order charged first (PENDING), or, with LATE, money that comes after the
 * order's end and buys units again under a hold of its own.
 *
 * Mirrors functions/orders/{paid-units,allocate-order,reclaim-order,allocate,compensate}.ts, endHold in sweep.ts, disown, allocate, reclaim, giveBackLate and
 * receive in order.transitions.model.ts, and lua/stock/{reserve,release,acknowledge}.lua. The step that gets units is there twice, at once.
 *
 * Left out: a Redis that forgets (stock.pml), so nobody collides, which is asserted; the other buyers' orders beyond taking a unit and giving it back; a sale
 * that is paused or closed; more than one unit. No time: a hold's time may be up at any moment; but only
 * BIRTHS times while the order still wants it, for otherwise it never got units.
 */
#ifndef LATE
#define LATE 0
#endif
#ifndef BIRTHS
#define BIRTHS 2
#endif
#ifndef FAULTS
#define FAULTS 1
#endif

#ifndef DISOWN
#define DISOWN 1           /* rule: the sweeper disowns a hold in the order before it gives the hold back */
#endif
#ifndef DISOWN_BY_BIRTH
#define DISOWN_BY_BIRTH 1  /* rule: the order says which births are over, a new version alone is not enough */
#endif
#ifndef BY_VERSION
#define BY_VERSION 1       /* rule: units are given to the order at the version that wanted them */
#endif
#ifndef FORMER_RELEASED
#define FORMER_RELEASED 1  /* rule: late money waits until the order's former hold is released */
#endif
#ifndef OWN_HOLD_ID
#define OWN_HOLD_ID 1      /* rule: late money takes units by a hold of its own */
#endif
#ifndef ONE_LATE
#define ONE_LATE 1         /* rule: a second payment for an order goes back */
#endif

#define FREE 0
#define OUT 1
#define NONE 0
#define HELD 1
#define ACKED 2
#define ENDED_MARK 3
#define PENDING 1
#define CONFIRMED 2
#define FAILED 3
#define EXPIRED 4
#define REFUNDED 5
#define STOCK_HELD 0
#define RELEASING 1
#define RELEASED 2
#define OURS 1
#define OTHERS 2

byte place[3]; byte row[3];
/* the order's holds: its first one, and one for each late payment */
byte hold[3]; byte held[3]; byte born[3]; byte clock[3]; byte gone[3];
byte status; byte stock; byte late; byte disowned; byte of_hold; byte unit; byte birth;
bool paid;
/* payments that the order's seller has and the buyer did not get back */
byte kept;
byte current;
byte faults;
bool begun;

#define ME (1 << (_pid - 1))
#define IS_CURRENT (!BY_VERSION || (current & ME))
#define HAS_ENDED (status == FAILED || status == EXPIRED || status == REFUNDED)
#define MAY_CRASH :: faults < FAULTS -> faults++
#define WANTS ((status == PENDING && paid) || (late != 0 && (stock == RELEASED || !FORMER_RELEASED)))
#define HOLD_WANTED (OWN_HOLD_ID * late)

inline release_birth(k, b) {
  if
  :: hold[k] == HELD && born[k] <= b ->
     assert(!(status == CONFIRMED && of_hold == k && birth == born[k]));   /* what an order has is not released */
     gone[k] = born[k];
     place[held[k]] = FREE; held[k] = 0; hold[k] = NONE; born[k] = 0
  :: else
  fi
}

/* acknowledge.lua, of the order as it was committed */
inline follow_live(k, u, b) {
  if
  :: hold[k] == ENDED_MARK
  :: else ->
     if :: held[k] != 0 && held[k] != u -> place[held[k]] = FREE :: else fi;
     place[u] = OUT; held[k] = u; hold[k] = ACKED; born[k] = b
  fi
}

inline follow_end(k) {
  if
  :: hold[k] == ENDED_MARK
  :: else -> if :: held[k] != 0 -> place[held[k]] = FREE; held[k] = 0 :: else fi; hold[k] = ENDED_MARK; born[k] = 0
  fi
}

/* getPaidUnits, by whoever hears of the payment and by the sweeper */
proctype GetUnits() {
  byte k; byte u; byte b;
  do
  :: atomic { WANTS && hold[HOLD_WANTED] != ENDED_MARK && hold[HOLD_WANTED] != ACKED -> k = HOLD_WANTED; current = current | ME };
     atomic {   /* reserve.lua */
       if
       :: hold[k] == HELD -> u = held[k]; b = born[k]
       :: hold[k] == NONE && place[1] == FREE -> u = 1
       :: hold[k] == NONE && place[1] != FREE && place[2] == FREE -> u = 2
       :: hold[k] == NONE && place[1] != FREE && place[2] != FREE -> goto refuse
       :: hold[k] == ACKED || hold[k] == ENDED_MARK -> goto over
       fi;
       if
       :: hold[k] == NONE -> clock[k]++; b = clock[k]; place[u] = OUT; hold[k] = HELD; held[k] = u; born[k] = b
       :: else
       fi
     };
     atomic {   /* one transaction: order by version, unit row */
       if
       MAY_CRASH; goto over
       :: !IS_CURRENT -> goto over
       :: IS_CURRENT && DISOWN_BY_BIRTH && b <= disowned -> release_birth(k, disowned); goto over
       :: IS_CURRENT && !(DISOWN_BY_BIRTH && b <= disowned) ->
          assert(row[u] == 0);       /* nobody collides, and never two owners */
          assert(status != CONFIRMED);
          assert(b > gone[k]);       /* what was released becomes no order's */
          if :: late != 0 -> late = 0 :: else fi;
          row[u] = OURS; status = CONFIRMED; stock = STOCK_HELD; of_hold = k; unit = u; birth = b; disowned = 0; current = 0
       fi
     };
     atomic { if MAY_CRASH :: true -> follow_live(k, u, b) fi; goto over };
refuse:
     atomic {
       if
       MAY_CRASH
       :: !IS_CURRENT
       :: IS_CURRENT && status == PENDING && paid -> status = FAILED; stock = RELEASING; kept--; current = 0
       :: IS_CURRENT && late != 0 -> late = 0; kept--; current = 0
       :: IS_CURRENT && !(status == PENDING && paid) && late == 0
       fi
     };
over:
     atomic { k = 0; u = 0; b = 0; current = current & ~ME }
  od
}

/* endHold in sweep.ts: the order first, so that whoever is slow loses there */
#define HAS_EXPIRED(k) (hold[k] == HELD && (clock[k] < BIRTHS || !WANTS))
proctype SweepHolds() {
  byte k; byte b; bool its_own; bool ended;
  do
  :: atomic { if :: HAS_EXPIRED(0) -> k = 0 :: HAS_EXPIRED(1) -> k = 1 :: HAS_EXPIRED(2) -> k = 2 fi; b = born[k] };
     atomic {
       if
       :: DISOWN && (status == PENDING || late != 0) -> if :: disowned < b -> disowned = b :: else fi; current = 0
       :: else
       fi;
       its_own = (of_hold == k && status != PENDING); ended = HAS_ENDED
     };
     atomic {
       if
       MAY_CRASH
       :: its_own && ended -> follow_end(k)
       :: its_own && !ended -> follow_live(k, unit, birth)
       :: !its_own -> release_birth(k, b)
       fi;
       k = 0; b = 0; its_own = 0; ended = 0 }
  od
}

/* the order's other steps, by the sweeper */
proctype SweepOrder() {
  byte k;
  do
  :: atomic { status == PENDING && !paid -> status = EXPIRED; stock = RELEASING; current = 0 }
  :: atomic { HAS_ENDED && stock == RELEASING -> k = of_hold; follow_end(k) };
     atomic { if MAY_CRASH :: HAS_ENDED && stock == RELEASING && of_hold == k -> stock = RELEASED; current = 0 :: else fi; k = 0 }
  od
}

proctype Pay(byte id) {
  atomic {
    if
    :: status == PENDING && !paid -> paid = 1; kept++; current = 0
    :: status == EXPIRED && late == 0 -> late = id; kept++; current = 0
    :: status == EXPIRED && late != 0 && !ONE_LATE -> late = id; kept++; current = 0
    :: else   /* it goes back as it came */
    fi }
}

/* an operator takes the order back, at any moment after it has units */
proctype Refund() {
  atomic { status == CONFIRMED -> row[unit] = 0; status = REFUNDED; stock = RELEASING; kept--; current = 0 }
}

proctype Other(bool second) {
  byte u;
  atomic { !second || begun };
  atomic { begun = 1; if :: place[1] == FREE -> u = 1 :: place[1] != FREE && place[2] == FREE -> u = 2 :: else -> goto out fi; place[u] = OUT };
  atomic { assert(row[u] == 0); row[u] = OTHERS };
  atomic { if :: row[u] = 0 :: goto out fi };
  atomic { place[u] = FREE };
out:
  u = 0
}

init {
  byte k;
  atomic {
#if LATE
    status = EXPIRED; stock = RELEASING; hold[0] = ACKED; held[0] = 1; born[0] = 1; place[1] = OUT; unit = 1; birth = 1; clock[0] = 1;
#else
    status = PENDING;
#endif
    run GetUnits(); run GetUnits(); run SweepHolds(); run SweepOrder(); run Pay(1);
#if LATE
    run Pay(2);
#endif
    run Refund(); run Other(0); run Other(1)
  };
  timeout;
  d_step {
    assert(status == CONFIRMED || (HAS_ENDED && stock == RELEASED));   /* the order ends, and its release is settled */
    assert(late == 0);
    assert(kept == (status == CONFIRMED -> 1 : 0));                    /* money is kept for units, or back */
    k = 0;
    do
    :: k <= 2 ->
       if
       :: status == CONFIRMED && of_hold == k -> assert(hold[k] == ACKED && held[k] == unit && row[unit] == OURS && place[unit] == OUT)
       :: else -> assert(hold[k] != HELD && hold[k] != ACKED && held[k] == 0)
       fi;
       k++
    :: else -> break
    od;
    assert((row[1] == 0) == (place[1] == FREE));
    assert((row[2] == 0) == (place[2] == FREE));
    k = 0
  }
}
