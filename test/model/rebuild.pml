/*
 * A sale that Redis has lost, two rebuilders at once (a lease may run out while its holder sleeps), orders that end and are written meanwhile, an operator
 * who pauses the sale, and Redis losing everything, or
 * the last chunk, once more at any moment.
 *
 * Mirrors functions/stock/rebuild.ts, lua/stock/{load-begin,load-units,load-free,load-publish,update}.lua and bumpEpoch of the sales' repository. Two units
 * in two partitions, a chunk each. A rebuilder that fails or is overtaken begins again as long as the sale is not loaded, at most ROUNDS times.
 *
 * Left out: seats, several items, totals that grow, the holds that a load makes beyond their unit (stock.pml), the lease itself (it keeps from needless work only).
 */
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef EPOCH_BY_CONDITION
#define EPOCH_BY_CONDITION 1 /* rule: a rebuilder raises the sale's epoch only from the one that it read */
#endif
#ifndef EPOCH_ON_CHUNKS
#define EPOCH_ON_CHUNKS 1    /* rule: a chunk of another epoch than that of the load under way is refused */
#endif
#ifndef CHUNKS_COUNTED
#define CHUNKS_COUNTED 1     /* rule: a load is published only with all of its chunks */
#endif
#ifndef VERSION_NOTE
#define VERSION_NOTE 1       /* rule: a sale that is not loaded takes a note of the newest version that was brought */
#endif
#ifndef SALE_READ_AGAIN
#define SALE_READ_AGAIN 1    /* rule: the sale is read again before it is published */
#endif
#ifndef LOADED_LAST
#define LOADED_LAST 1        /* rule: the sale counts as loaded by the very last step */
#endif

#define FREE 0
#define OUT 1
#define NOWHERE 2
#define OPEN 0
#define PAUSED 1

/* DynamoDB */
byte row[3]; byte epoch; byte version = 1; byte state = OPEN;
/* Redis: the sale, the load under way, its chunks, the note of a version; where each unit is and whose hold has it */
bool loaded; byte load; byte chunks; byte note; byte control; byte of_version;
byte place[3]; byte held[3];
bool answered;

#define IS_LOADING(e) (!loaded && load == e)

inline forget_all() {
  loaded = 0; load = 0; chunks = 0; note = 0; control = OPEN; of_version = 0;
  place[1] = NOWHERE; place[2] = NOWHERE; held[1] = 0; held[2] = 0
}

proctype Rebuilder() {
  byte e; byte v; byte s; byte o1; byte o2; byte rounds;
  do
  :: atomic { !loaded && rounds < ROUNDS -> rounds++; e = epoch; v = version; s = state };
     atomic { if :: EPOCH_BY_CONDITION && epoch != e -> goto over :: else -> e++; epoch = e fi };
     atomic {
       if
       :: loaded || load > e -> goto over
       :: !loaded && load <= e ->
          chunks = 0; place[1] = NOWHERE; place[2] = NOWHERE; held[1] = 0; held[2] = 0; load = e; of_version = 0;
          if :: !LOADED_LAST -> loaded = 1; load = e; control = s; of_version = v :: else fi
       fi };
     o1 = row[1];
     atomic {
       if
       :: IS_LOADING(e) || !EPOCH_ON_CHUNKS || !LOADED_LAST ->
          if :: !(chunks & 1) -> chunks = chunks | 1; if :: o1 != 0 -> place[1] = OUT; held[1] = o1 :: else fi :: else fi
       :: else -> goto over
       fi };
     o2 = row[2];
     atomic {
       if
       :: IS_LOADING(e) || !EPOCH_ON_CHUNKS || !LOADED_LAST ->
          if :: !(chunks & 2) -> chunks = chunks | 2; if :: o2 != 0 -> place[2] = OUT; held[2] = o2 :: else fi :: else fi
       :: else -> goto over
       fi };
publish:
     atomic { if :: !SALE_READ_AGAIN :: SALE_READ_AGAIN && epoch == e -> v = version; s = state :: SALE_READ_AGAIN && epoch != e -> goto over fi };
     atomic {
       if
       :: loaded && LOADED_LAST -> goto over
       :: !loaded && load != e -> goto over
       :: CHUNKS_COUNTED && chunks != 3 -> goto over
       :: else -> if :: VERSION_NOTE && note > v && SALE_READ_AGAIN -> goto publish :: else fi
       fi;
       if :: o1 == 0 -> place[1] = FREE :: else fi;
       if :: o2 == 0 -> place[2] = FREE :: else fi;
       load = 0; note = 0; chunks = 0; control = s; of_version = v; loaded = 1;
       assert(place[1] != NOWHERE && place[2] != NOWHERE);   /* complete, or not published */
       assert(!(answered && control == OPEN))                /* nothing is sold after a pause was answered */
     };
over:
     atomic { e = 0; v = 0; s = 0; o1 = 0; o2 = 0 }
  od
}

/* reserve.lua: it fails closed, and of what is loaded nothing is unknown */
proctype Buyer() {
  atomic { loaded -> assert(place[1] != NOWHERE && place[2] != NOWHERE); assert(!(answered && control == OPEN)) }
}

/* An order that has unit 1 ends: its row first, then Redis, when that has the sale. */
proctype Ends() {
  atomic { row[1] == 1 -> row[1] = 0 };
  atomic { loaded -> if :: held[1] == 1 -> held[1] = 0; place[1] = FREE :: else fi }
}

/* A function that took unit 2 before Redis forgot it writes its order now, and then tells Redis. */
proctype Late() {
  atomic { row[2] == 0 -> row[2] = 2 };
  atomic { loaded -> held[2] = 2; place[2] = OUT }
}

proctype Operator() {
  atomic { version++; state = PAUSED };
  atomic {
    if
    :: loaded -> if :: of_version < version -> control = PAUSED; of_version = version :: else fi
    :: !loaded && VERSION_NOTE -> note = version
    :: !loaded && !VERSION_NOTE
    fi;
    answered = 1 }
}

proctype Loses() {
  if
  :: d_step { forget_all() }
  :: d_step { !loaded && chunks == 3 -> chunks = 1; place[2] = NOWHERE; held[2] = 0 }   /* or falls back by a chunk */
  :: true
  fi
}

init {
  atomic {
    forget_all(); row[1] = 1;
    run Rebuilder(); run Rebuilder(); run Buyer(); run Ends(); run Late(); run Operator(); run Loses()
  };
  timeout;
  d_step {
    if
    :: loaded ->
       assert(control == PAUSED);
       assert(row[1] == 0 && place[1] == FREE && held[1] == 0);
       assert(row[2] == 2 && held[2] == 2 && place[2] == OUT)
    :: else
    fi
  }
}
