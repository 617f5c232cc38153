/*
 * How the reconciler frees a unit that nobody has, while units move between three holds, a suspect list and the pool: a large sale cannot be seen at one
 * moment, so the unit is put on a watch, all holds and its row are read one after the other, and what is still on the watch then was nobody's.
 *
 * Mirrors functions/reconciliation/free-loose.ts and lua/stock/{mend-watch,mend-free}.lua, with unwatch and unwatch_hold of lib/holds.lua. The first look is
 * taken to suspect any unit that is out of the pool, which is more than it does. At the beginning unit 1 is in no place at all, unit 2 is owned by an order
 * that Redis has forgotten, or both are for sale.
 *
 * The fence (the load's epoch) is there, but here nothing depends on it: a watch does not outlive its load.
 *
 * Left out: slots and seats (seats name their holder), counters, the order that a hold has beyond its row. There is no end to the moves, so nothing is said of
 * when a unit is freed, only of which.
 */
#ifndef ON_WATCH
#define ON_WATCH 1          /* rule: only what is still on the watch is freed */
#endif
#ifndef RETURN_UNWATCHES
#define RETURN_UNWATCHES 1  /* rule: a unit that goes back for sale leaves the watch */
#endif
#ifndef HAND_OVER_UNWATCHES
#define HAND_OVER_UNWATCHES 1 /* rule: a unit that a cart hands to a hold leaves the watch */
#endif
#ifndef HOLDS_AFTER_WATCH
#define HOLDS_AFTER_WATCH 1 /* rule: the holds are read once more after the watch has begun */
#endif
#ifndef ROWS_READ
#define ROWS_READ 1         /* rule: a unit that has a row is not freed */
#endif

#define FREE 0
#define SUSPECT 1
#define OUT 2
#define FORGOTTEN 9

byte place[3]; byte row[3]; byte held[4]; bool watched[3];
byte epoch = 1;

#define HELD_BY_ANY(u) (held[1] == u || held[2] == u || held[3] == u)
#define HAS_ROW(h) (held[h] != 0 && row[held[h]] == h)
#define MOVES(h) \
  :: d_step { held[h] == 0 && place[1] == FREE -> held[h] = 1; place[1] = OUT } \
  :: d_step { held[h] == 0 && place[1] != FREE && place[2] == FREE -> held[h] = 2; place[2] = OUT } \
  :: d_step { held[h] != 0 && row[held[h]] == 0 -> row[held[h]] = h } \
  :: d_step { HAS_ROW(h) -> row[held[h]] = 0 } \
  :: d_step { held[h] != 0 && !HAS_ROW(h) -> place[held[h]] = FREE; \
       if :: RETURN_UNWATCHES -> watched[held[h]] = 0 :: else fi; held[h] = 0 } \
  :: d_step { held[h] != 0 && !HAS_ROW(h) -> place[held[h]] = SUSPECT; held[h] = 0 }
#define HAND_OVER(g, h) \
  :: d_step { held[g] != 0 && !HAS_ROW(g) && held[h] == 0 -> held[h] = held[g]; held[g] = 0; \
       if :: HAND_OVER_UNWATCHES -> watched[held[h]] = 0 :: else fi }
#define SUSPECT_RETURNS(u) \
  :: d_step { place[u] == SUSPECT -> place[u] = FREE; if :: RETURN_UNWATCHES -> watched[u] = 0 :: else fi }

proctype Buyers() {
  do
  MOVES(1)
  MOVES(2)
  MOVES(3)
  HAND_OVER(1, 2)
  HAND_OVER(2, 1)
  HAND_OVER(2, 3)
  HAND_OVER(3, 1)
  SUSPECT_RETURNS(1)
  SUSPECT_RETURNS(2)
  :: break
  od
}

/* Redis loses everything, and what has a row comes back with another epoch; a watch does not. */
proctype Reload() {
  byte u;
  if
  :: d_step {
       held[1] = 0; held[2] = 0; held[3] = 0; u = 1;
       do
       :: u <= 2 ->
          watched[u] = 0;
          if
          :: row[u] == 0 -> place[u] = FREE
          :: row[u] != 0 && row[u] != FORGOTTEN -> place[u] = OUT; held[row[u]] = u
          :: else -> place[u] = OUT
          fi;
          u++
       :: else -> break
       od;
       u = 0; epoch = 2
     }
  :: true
  fi
}

proctype Reconciler() {
  byte u; byte e; bool seen;
  do
  :: atomic { if :: place[1] == OUT -> u = 1 :: place[2] == OUT -> u = 2 fi; e = epoch };
     d_step { if :: e != epoch :: else -> if :: place[u] == OUT -> watched[u] = 1 :: else fi fi };
#if HOLDS_AFTER_WATCH
     seen = seen || (held[1] == u);
     seen = seen || (held[2] == u);
     seen = seen || (held[3] == u);
#endif
     seen = seen || (ROWS_READ && row[u] != 0);
     d_step {
       if
       :: e == epoch && !seen && (watched[u] || !ON_WATCH) && place[u] != SUSPECT ->
          assert(!HELD_BY_ANY(u) && row[u] == 0);   /* what somebody has is never freed */
          place[u] = FREE
       :: else
       fi;
       watched[u] = 0; u = 0; e = 0; seen = 0
     }
  od
}

init {
  atomic {
    if
    :: place[1] = OUT
    :: place[2] = OUT; row[2] = FORGOTTEN
    :: true
    fi;
    run Buyers(); run Reload(); run Reconciler()
  }
}
