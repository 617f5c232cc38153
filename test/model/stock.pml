/*
 * Units of a sale that reserves first: holds in Redis, orders and unit rows in DynamoDB, whoever places, the sweeper, a cancellation, the reconciler.
 *
 * Mirrors functions/orders/{place,allocate,sweep,compensate,cancel}.ts, claim.repository.ts, functions/stock/rebuild.ts, functions/reconciliation/mend.ts and
 * lua/stock/{reserve,swap,acknowledge,release,suspects,return-suspects,take-expired,load-*,mend-follow,mend-keep,mend-end}.lua. A script or a transaction is
 * one step; between two of them anything else may happen, a crash too. A reply that is lost is a crash after the step.
 *
 * Left out: more than one unit or line in an order, slots, seats, carts (carts.pml), money (money.pml), late money (paid.pml), a second rebuilder
 * (rebuild.pml), how the reconciler looks (reconcile.pml: here it acts on one look, which allows more than the code does). There is no time: a hold may be
 * expired at any moment after it was made, and a frozen function may wake at any later one. Serials never given out count as free.
 * Births are counted per hold; they are only ever compared with births of the same hold.
 *
 * Variants: none (a Redis that forgets nothing), ROLLBACK (it falls back to any earlier state, its clock too with CLOCKBACK), FLUSH (it loses everything
 * and is rebuilt, row by row, while all go on).
 */
#ifndef ROLLBACK
#define ROLLBACK 0
#endif
#ifndef CLOCKBACK
#define CLOCKBACK 0
#endif
#ifndef FLUSH
#define FLUSH 0
#endif
#ifndef HOLDS
#define HOLDS 3     /* buyers, each with a key of its own; the first one's is sent twice */
#endif
#ifndef FAULTS
#define FAULTS 1    /* crashes and lost replies in one run */
#endif
#ifndef REPEAT
#define REPEAT 1    /* the first buyer's key is sent a second time */
#endif
#ifndef CANCEL
#define CANCEL 1    /* the first buyer may cancel */
#endif

#ifndef UNIT_CONDITION
#define UNIT_CONDITION 1     /* rule: a unit's row is put only where there is none */
#endif
#ifndef TOMBSTONE
#define TOMBSTONE 1          /* rule: a hold without an order is ended by a tombstone first, and then its unit goes back */
#endif
#ifndef BIRTH_IN_ORDER
#define BIRTH_IN_ORDER 1     /* rule: a tombstone ends the births up to its own, and a fresh attempt takes its place */
#endif
#ifndef BIRTH_IN_RELEASE
#define BIRTH_IN_RELEASE 1   /* rule: a release by a tombstone leaves a younger hold alone */
#endif
#ifndef HOLD_LEFT_ALONE
#define HOLD_LEFT_ALONE 1    /* rule: an attempt that failed leaves the hold alone, a twin may be committing */
#endif
#ifndef SWAP_OWN_HOLD
#define SWAP_OWN_HOLD 1      /* rule: a swap acts only on a hold of its birth that no order has */
#endif
#ifndef SUSPECTS_RETURN
#define SUSPECTS_RETURN 1    /* rule: the sweeper gives suspects without a row back for sale */
#endif
#ifndef ACKNOWLEDGE_UNITS
#define ACKNOWLEDGE_UNITS 1  /* rule: an acknowledgement makes the hold's units the order's */
#endif
#ifndef END_IS_FINAL
#define END_IS_FINAL 1       /* rule: an ended hold stays ended, however late its order is acknowledged as live */
#endif
#ifndef DUE_UNTIL_RELEASED
#define DUE_UNTIL_RELEASED 1 /* rule: an ended order stays due until Redis has answered that its hold is gone */
#endif
#ifndef ROWS_FIRST
#define ROWS_FIRST 1         /* rule: an order ends in DynamoDB first, and Redis follows */
#endif
#ifndef RECONCILE
#define RECONCILE 1          /* rule: what Redis forgot is compared and put right */
#endif
#ifndef KEEP_UNITS
#define KEEP_UNITS 1         /* rule: a repair also takes the order's units off sale */
#endif
#ifndef FREE_LOOSE
#define FREE_LOOSE 1         /* rule: a unit that no hold and no row has is freed */
#endif

#define NOBODY 0
/* places of a unit in Redis: in the pool, under suspicion, or out of both, whoever has it then */
#define FREE 0
#define SUSPECT 1
#define OUT 2
/* holds: without an order, with one, ended */
#define NONE 0
#define HELD 1
#define ACKED 2
#define ENDED_MARK 3
/* orders: a tombstone, reserved, confirmed, ended with its release owed, ended */
#define TOMB 1
#define RESERVED 2
#define CONFIRMED 3
#define RELEASING 4
#define RELEASED 5

#define IS_LIVE(h) (order[h] == RESERVED || order[h] == CONFIRMED)
#define HAS_ORDER(h) (order[h] >= RESERVED)

bool loaded = 1;
byte place[3];
byte hold[HOLDS + 1]; byte held[HOLDS + 1]; byte born[HOLDS + 1]; byte clock[HOLDS + 1];
byte row[3];
byte order[HOLDS + 1]; byte unit[HOLDS + 1]; byte birth[HOLDS + 1];
/* what was released without an order, by birth: it must never become one */
byte gone[HOLDS + 1];
byte faults = 0;
bool begun = 0;
bool forgot = 0;
#if ROLLBACK
byte s_place[3]; byte s_hold[HOLDS + 1]; byte s_held[HOLDS + 1]; byte s_born[HOLDS + 1];
#if CLOCKBACK
byte s_clock[HOLDS + 1];
#endif
#endif

/* A crash before the step that follows. */
#define MAY_CRASH :: faults < FAULTS -> faults++

/* ---- scripts ---- */

inline give_back(h) { if :: held[h] != NOBODY -> place[held[h]] = FREE; held[h] = NOBODY :: else fi }

/* release.lua, for a tombstone of birth b */
inline release_birth(h, b) {
  if
  :: loaded && hold[h] == HELD && (!BIRTH_IN_RELEASE || born[h] <= b) ->
     if :: born[h] > gone[h] -> gone[h] = born[h] :: else fi;
     give_back(h); hold[h] = NONE; born[h] = 0;
     if :: clock[h] < b -> clock[h] = b :: else fi
  :: else
  fi
}

/* acknowledge.lua, live or confirmed */
inline follow_live(h) {
  if
  :: !loaded || (END_IS_FINAL && hold[h] == ENDED_MARK)
  :: else ->
#if ACKNOWLEDGE_UNITS
     if
     :: held[h] == unit[h] -> if :: place[unit[h]] == SUSPECT -> place[unit[h]] = OUT :: else fi
     :: else ->
        give_back(h);
        place[unit[h]] = OUT; held[h] = unit[h]
     fi;
     if :: hold[h] == NONE -> born[h] = birth[h] :: else fi;
     hold[h] = ACKED
#else
     if :: hold[h] == HELD -> hold[h] = ACKED :: else fi
#endif
  fi
}

/* acknowledge.lua, ended */
inline follow_end(h) {
  if
  :: loaded && hold[h] != ENDED_MARK -> give_back(h); hold[h] = ENDED_MARK; born[h] = 0
  :: else
  fi
}

inline follow_as(h, live) { if :: live -> follow_live(h) :: else -> follow_end(h) fi }

/* ---- transactions ---- */

/* claim.repository.ts, tombstone: -> live (what the order is), or none and the hold may be released */
inline put_tombstone(h, b, found, live) {
  if
  :: HAS_ORDER(h) -> found = 1; live = IS_LIVE(h)
  :: else ->
     found = 0;
#if TOMBSTONE
     if :: order[h] == NONE || birth[h] < b -> order[h] = TOMB; birth[h] = b :: else fi
#endif
  fi
}

inline end_order(h, next) {
  assert(row[unit[h]] == h);
  row[unit[h]] = NOBODY; order[h] = next
}

/* ---- who places an order: placeHeld in place.ts, with allocateUnits ---- */

proctype Place(byte h; byte after) {
  byte u; byte b; byte rounds; byte owned; bool live; bool found;
  (after == 0 || begun);
reserve:
  atomic {
    if :: h == 2 -> begun = 1 :: else fi;
    if
    :: !loaded -> goto out
    :: loaded && (hold[h] == ACKED || hold[h] == ENDED_MARK) -> goto replay
    :: loaded && hold[h] == HELD -> u = held[h]; b = born[h]
    :: loaded && hold[h] == NONE ->
       if
       :: place[1] == FREE -> u = 1
       :: place[1] != FREE && place[2] == FREE -> u = 2
       :: else -> goto replay   /* sold out; the caller's order is looked for */
       fi;
       clock[h]++; b = clock[h];
       place[u] = OUT; hold[h] = HELD; held[h] = u; born[h] = b
    fi
  };
commit:
  atomic {
    if
    MAY_CRASH;
#if !HOLD_LEFT_ALONE
       release_birth(h, b);
#endif
       goto out
    :: HAS_ORDER(h) -> live = IS_LIVE(h); goto acknowledge
    :: order[h] == TOMB && birth[h] < b && !BIRTH_IN_ORDER -> assert(false)   /* the key is burnt: no attempt with it can succeed */
    :: order[h] == TOMB && birth[h] >= b -> b = birth[h]; goto over
    :: !HAS_ORDER(h) && !(order[h] == TOMB && birth[h] >= b) ->
       if
       :: u == NOBODY -> owned = 0; goto collided                              /* a hold that a refused swap left short */
       :: u != NOBODY && row[u] != NOBODY && UNIT_CONDITION -> goto collided
       :: else ->
          assert(b > gone[h]);                                                 /* what was released becomes no order */
          assert(row[u] == NOBODY);                                            /* never two owners */
          order[h] = RESERVED; birth[h] = b; unit[h] = u; row[u] = h; live = 1
       fi
    fi
  };
acknowledge:
  atomic { if MAY_CRASH :: true -> follow_as(h, live) fi; goto out };
replay:
  atomic { if :: HAS_ORDER(h) -> live = IS_LIVE(h); goto acknowledge :: else -> goto out fi };
over:
  atomic {
    if MAY_CRASH; goto out :: true -> release_birth(h, b) fi;
    rounds++;
    if :: rounds < 2 -> u = 0; b = 0; goto reserve :: else -> goto replay fi
  };
collided:
  /* the rows of the run that follows are read, and then the owned units are swapped out */
  atomic {
    assert(ROLLBACK || FLUSH);   /* while Redis forgets nothing nobody collides */
    owned = 0;
    if :: row[1] != NOBODY && row[1] != h && (u == 1) -> owned = owned | 1 :: else fi;
    if :: row[2] != NOBODY && row[2] != h && (u == 2 || u == 1) -> owned = owned | 2 :: else fi;
    if :: u == 1 -> owned = owned | 1 :: u == 2 -> owned = owned | 2 :: else fi
  };
  atomic {
    if
    MAY_CRASH; goto out
    :: !loaded || hold[h] == NONE || (SWAP_OWN_HOLD && (hold[h] != HELD || born[h] != b)) -> goto replay
    :: loaded && hold[h] != NONE && (!SWAP_OWN_HOLD || (hold[h] == HELD && born[h] == b)) ->
       if
       :: owned & 1 -> if :: held[h] == 1 -> held[h] = NOBODY; place[1] = SUSPECT :: held[h] != 1 && place[1] == FREE -> place[1] = SUSPECT :: else fi
       :: else
       fi;
       if
       :: owned & 2 -> if :: held[h] == 2 -> held[h] = NOBODY; place[2] = SUSPECT :: held[h] != 2 && place[2] == FREE -> place[2] = SUSPECT :: else fi
       :: else
       fi;
       owned = 0;
       if
       :: held[h] != NOBODY
       :: held[h] == NOBODY && place[1] == FREE -> held[h] = 1; place[1] = OUT
       :: held[h] == NOBODY && place[1] != FREE && place[2] == FREE -> held[h] = 2; place[2] = OUT
       :: else -> goto abandon
       fi;
       u = held[h];
       rounds++;
       if :: rounds < 3 -> goto commit :: else -> goto replay fi
    fi
  };
abandon:
  atomic { if MAY_CRASH; goto out :: true -> put_tombstone(h, b, found, live); if :: found -> goto acknowledge :: else fi fi };
  atomic { if MAY_CRASH :: true -> release_birth(h, b) fi };
out:
  atomic { u = 0; b = 0; rounds = 0; owned = 0; live = 0; found = 0 }
}

/* ---- the first buyer cancels; what is owed then is the sweeper's ---- */

proctype Cancel() {
  atomic { IS_LIVE(1) -> end_order(1, RELEASING) }
}

/* ---- the sweeper: level-triggered, as often as there is something to do; each run takes one thing, and may be overtaken by anybody ---- */

#if HOLDS > 2
#define ANY_HOLD(h, condition) if :: condition(1) -> h = 1 :: condition(2) -> h = 2 :: condition(3) -> h = 3 fi
#else
#define ANY_HOLD(h, condition) if :: condition(1) -> h = 1 :: condition(2) -> h = 2 fi
#endif
#define HAS_EXPIRED(h) (loaded && hold[h] == HELD)
#define IS_RESERVED(h) (order[h] == RESERVED)
#define OWES_RELEASE(h) (order[h] == RELEASING && (loaded || !DUE_UNTIL_RELEASED))
#define IS_SUSPECT(u) (SUSPECTS_RETURN && loaded && place[u] == SUSPECT)

proctype Sweeper() {
  byte h; byte b; bool found; bool live;
  do
  :: atomic { ANY_HOLD(h, HAS_EXPIRED); b = born[h] };
     atomic { if MAY_CRASH; goto over :: true -> put_tombstone(h, b, found, live) fi };
     atomic { if MAY_CRASH :: found -> follow_as(h, live) :: !found -> release_birth(h, b) fi; goto over }
  :: atomic { ANY_HOLD(h, IS_RESERVED);
       if
       :: order[h] = CONFIRMED   /* it was paid; telling Redis is another step, and may be lost */
       :: ROWS_FIRST -> end_order(h, RELEASING); goto over
       :: !ROWS_FIRST -> follow_end(h)
       fi };
     atomic {
       if
       MAY_CRASH
       :: order[h] == CONFIRMED && ROWS_FIRST -> follow_live(h)
       :: order[h] == RESERVED -> end_order(h, RELEASING)
       :: else
       fi;
       goto over }
  :: atomic { ANY_HOLD(h, OWES_RELEASE); if :: !DUE_UNTIL_RELEASED && faults < FAULTS -> faults++ :: true -> follow_end(h) fi };
     atomic { if MAY_CRASH :: true -> order[h] = RELEASED fi; goto over }
#if ROLLBACK || FLUSH
  :: atomic { if :: IS_SUSPECT(1) -> b = 1 :: IS_SUSPECT(2) -> b = 2 fi; h = row[b] };
     if
     :: h != NOBODY ->
        atomic { live = IS_LIVE(h) };
        atomic { follow_as(h, live); goto over }
     :: h == NOBODY -> atomic { if :: loaded && place[b] == SUSPECT -> place[b] = FREE :: else fi; goto over }
     fi
#endif
over:
     atomic { h = 0; b = 0; found = 0; live = 0 }
  od
}

#if ROLLBACK || FLUSH
/* The reconciler, one at a time by its lease, once Redis is another one than before. It acts on what it saw some steps ago. */
#define IS_MISPLACED(h) (held[h] == unit[h] && (place[unit[h]] == SUSPECT || (KEEP_UNITS && place[unit[h]] == FREE)))
#define HAS_ANOTHER(h) ((ACKNOWLEDGE_UNITS || hold[h] == HELD) && (hold[h] == NONE || (hold[h] != ENDED_MARK && held[h] != unit[h])))
#define NOT_FOLLOWED(h) (RECONCILE && forgot && loaded && IS_LIVE(h) && (IS_MISPLACED(h) || HAS_ANOTHER(h)))
#define ENDED_HELD(h) (RECONCILE && forgot && loaded && order[h] == RELEASED && hold[h] == ACKED)
/* out of the pool and in no hold; how it is known without a look at everything at one moment is reconcile.pml's */
#if HOLDS > 2
#define IS_LOOSE(u) (FREE_LOOSE && RECONCILE && forgot && loaded && place[u] == OUT && held[1] != u && held[2] != u && held[3] != u)
#else
#define IS_LOOSE(u) (FREE_LOOSE && RECONCILE && forgot && loaded && place[u] == OUT && held[1] != u && held[2] != u)
#endif
proctype Reconciler() {
  byte h; byte b; byte u; bool others;
  do
  :: atomic { ANY_HOLD(h, NOT_FOLLOWED) };
     if
     :: atomic { row[unit[h]] == h };
        atomic { follow_live(h) };
        atomic { if :: KEEP_UNITS && loaded && hold[h] == ACKED && held[h] == unit[h] -> place[unit[h]] = OUT :: else fi }
     :: row[unit[h]] != h   /* it has moved since it was read */
     fi;
     h = 0
  :: atomic { ANY_HOLD(h, ENDED_HELD); b = born[h]; u = held[h] };
     atomic { others = (u != NOBODY && row[u] != NOBODY) };
     atomic {
       if
       :: loaded && hold[h] == ACKED && born[h] == b ->
          if :: others -> held[h] = NOBODY :: else -> give_back(h) fi;
          hold[h] = ENDED_MARK; born[h] = 0
       :: else
       fi;
       h = 0; b = 0; u = 0; others = 0 }
  :: atomic { if :: IS_LOOSE(1) && row[1] == NOBODY -> u = 1 :: IS_LOOSE(2) && row[2] == NOBODY -> u = 2 fi };
     atomic { if :: IS_LOOSE(u) -> place[u] = FREE :: else fi; u = 0 }
  od
}
#endif

#if ROLLBACK
/* What a replica had at some moment, promoted at a later one. */
proctype Failover() {
  byte i;
  d_step {
    i = 1;
    do
    :: i <= HOLDS -> s_hold[i] = hold[i]; s_held[i] = held[i]; s_born[i] = born[i];
#if CLOCKBACK
       s_clock[i] = clock[i];
#endif
       i++
    :: else -> break
    od;
    i = 0; s_place[1] = place[1]; s_place[2] = place[2]
  };
  d_step {
    i = 1;
    do
    :: i <= HOLDS -> hold[i] = s_hold[i]; held[i] = s_held[i]; born[i] = s_born[i]; s_hold[i] = 0; s_held[i] = 0; s_born[i] = 0;
#if CLOCKBACK
       clock[i] = s_clock[i]; s_clock[i] = 0;
#endif
       i++
    :: else -> break
    od;
    i = 0; place[1] = s_place[1]; place[2] = s_place[2]; s_place[1] = 0; s_place[2] = 0; forgot = 1
  }
}
#endif

#if FLUSH
/* Everything is lost at one moment; the rows are read one after the other, and published when all are sent. */
proctype Rebuild() {
  byte owner1; byte owner2; byte i;
  d_step {
    i = 1;
    do :: i <= HOLDS -> hold[i] = NONE; held[i] = NOBODY; born[i] = 0; i++ :: else -> break od;
    i = 0; place[1] = FREE; place[2] = FREE; loaded = 0; forgot = 1
  };
  owner1 = row[1];
  owner2 = row[2];
  d_step {
    if :: owner1 != NOBODY -> place[1] = OUT; hold[owner1] = ACKED; held[owner1] = 1; born[owner1] = birth[owner1] :: else fi;
    if :: owner2 != NOBODY -> place[2] = OUT; hold[owner2] = ACKED; held[owner2] = 2; born[owner2] = birth[owner2] :: else fi;
    owner1 = 0; owner2 = 0; loaded = 1
  }
}
#endif

/* ---- once nobody has anything left to do ---- */

init {
  byte i;
  atomic {
    run Place(1, 0);
#if REPEAT
    run Place(1, 0);
#endif
    run Place(2, 0);
#if HOLDS > 2
    run Place(3, 2);   /* the second and the third are alike, so the second may as well begin first */
#endif
#if CANCEL
    run Cancel();
#endif
    run Sweeper();
#if ROLLBACK || FLUSH
    run Reconciler();
#endif
#if ROLLBACK
    run Failover();
#endif
#if FLUSH
    run Rebuild();
#endif
  };
  timeout;
  d_step {
    assert(loaded);
    i = 1;
    do
    :: i <= HOLDS ->
       assert(order[i] != RESERVED && order[i] != RELEASING);   /* every order ends */
       assert(hold[i] != HELD);                                 /* every hold ends */
       if
       :: order[i] == CONFIRMED -> assert(row[unit[i]] == i && hold[i] == ACKED && held[i] == unit[i])
       :: else -> assert(hold[i] != ACKED && held[i] == NOBODY) /* no unit with an ended order */
       fi;
       i++
    :: else -> break
    od;
    i = 1;
    do
    :: i <= 2 ->
       if
       :: row[i] == NOBODY -> assert(place[i] == FREE)          /* conserved: none leaks */
       :: else -> assert(place[i] == OUT && order[row[i]] == CONFIRMED && unit[row[i]] == i)
       fi;
       i++
    :: else -> break
    od;
    i = 0
  }
}
