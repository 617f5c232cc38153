/*
 * The stock of one sale on three shards: buyers at home in each take a unit, gather one from the others where their home is dry, and are told that all is sold
 * out; runs of units are lent, received, waited for and settled by whoever meets them, and a sweeper; crashes between any two steps.
 *
 * Mirrors functions/stock/gather.ts, sale-stock.ts and lua/stock/shard-{lend,receive,settle}.lua. A script is one step of one shard, and a look at all of them is
 * as many steps, in any order. A reply that is lost is a crash after the step. Rows in DynamoDB are the authority, as everywhere.
 *
 * Left out: more than one unit in a run or an order, items, totals that a shard has not heard of, holds and carts that end (stock.pml, carts.pml), a shard that
 * is lost and rebuilt, the half second for which a container believes that all is dry. A buyer's hold is the buyer's own, so no crash comes between it and its row.
 * The reconciler acts on one look at one moment, which allows more than the code does; how it looks is in reconcile.pml.
 *
 * Variants: none (shards that forget nothing), ROLLBACK (one shard falls back to any earlier state that its replica may have), CLOCKBACK (one shard's clock
 * starts again, as on a node that is behind; what it knows stays).
 */
#ifndef ROLLBACK
#define ROLLBACK 0
#endif
#ifndef CLOCKBACK
#define CLOCKBACK 0
#endif
#ifndef UNITS
#define UNITS 1     /* or 2 */
#endif
#ifndef BUYERS
#define BUYERS 2    /* or 3, each at home in another shard */
#endif
#ifndef THIRD
#define THIRD 2     /* where the third is at home */
#endif
#ifndef LOOKS
#define LOOKS 3     /* of one buyer, before it is said that the last units are being moved */
#endif
#ifndef FAULTS
#define FAULTS 1    /* crashes and lost replies in one run */
#endif
#ifndef CANCEL
#define CANCEL 1    /* the first buyer who has a unit may give it back */
#endif

#ifndef TAKEN_OUT
#define TAKEN_OUT 1        /* rule: what is lent is not for sale at the donor any more */
#endif
#ifndef ONE_RUN
#define ONE_RUN 1          /* rule: while a run is on its way to a shard, the donor lends it no other */
#endif
#ifndef NOTED
#define NOTED 1            /* rule: the receiver notes the number of a run, and takes none that is not higher */
#endif
#ifndef HIGHER
#define HIGHER 1           /* rule: a run's number is higher than the one before, whatever the clock says */
#endif
#ifndef BY_CLOCK
#define BY_CLOCK 1         /* rule: runs are numbered by the clock, so that a donor that fell back gives no number twice */
#endif
#ifndef RECEIVED_FIRST
#define RECEIVED_FIRST 1   /* rule: the donor forgets a run only after the receiver has it */
#endif
#ifndef REPLICATED
#define REPLICATED 1       /* rule: and only after a replica of the receiver has it too */
#endif
#ifndef STILL_THERE
#define STILL_THERE 1      /* rule: and only if the receiver has it still, once it was waited for */
#endif
#ifndef SETTLED_BY_NUMBER
#define SETTLED_BY_NUMBER 1 /* rule: what is settled is the run of that number, and no later one */
#endif
#ifndef COMPLETED
#define COMPLETED 1        /* rule: a run that somebody left on its way is completed by the sweeper */
#endif
#ifndef OTHERS_ASKED
#define OTHERS_ASKED 1     /* rule: that the home is sold out is a question to the others, and no answer */
#endif
#ifndef TWO_LOOKS
#define TWO_LOOKS 1        /* rule: sold out are two looks in a row that found the same */
#endif
#ifndef RECEIPTS_SEEN
#define RECEIPTS_SEEN 1    /* rule: they are the same only if no shard has received anything in between */
#endif
#ifndef PENDING_COUNTS
#define PENDING_COUNTS 1   /* rule: while anything is on its way it is not sold out */
#endif
#ifndef UNIT_CONDITION
#define UNIT_CONDITION 1   /* rule: a unit's row is put only where there is none */
#endif
#ifndef COMPARED
#define COMPARED 1         /* rule: units for sale in two shards, or somebody's, are taken out of one by a comparison */
#endif

#define NONE 9
#define ALL ((1 << UNITS) - 1)
#define BIT(u) (1 << (u))
#define AT(from, to) ((from) * 3 + (to))

byte pool[3];                      /* by shard, what is for sale there: a bit for each unit */
byte last[9]; byte lent[9];        /* `t:<to>` of the donor: the number of its last run there, and what of it is on its way */
byte got[9];                       /* `g:<from>` of the receiver, at AT(from, to): the number of the last run from there */
byte clock[3];                     /* each lending takes a moment, so no two are at the same one */
byte row[2];                       /* who owns a unit */
byte stays[BUYERS];       /* what has been for sale, or on its way, ever since this buyer was refused at home */
byte faults; bool cancelled; bool forgot;
#if ROLLBACK
byte s_of = NONE; byte s_pool; byte s_last[3]; byte s_lent[3]; byte s_got[3];
#endif

#define MAY_CRASH :: faults < FAULTS -> faults++
/* what is lent and has not come yet; the donor may know of it for longer */
#define ON_WAY(at) (got[at] < last[at] -> lent[at] : 0)
#define UNOWNED ((row[0] == 0) | ((row[1] == 0) << 1))
#define FOR_SALE (UNOWNED & (pool[0] | pool[1] | pool[2] | ON_WAY(1) | ON_WAY(2) | ON_WAY(3) | ON_WAY(5) | ON_WAY(6) | ON_WAY(7)))
#define RECEIVED(s) (got[AT(0, s)] + got[AT(1, s)] + got[AT(2, s)])

inline taken(bits) {
  stays[0] = stays[0] & ~bits;
#if BUYERS > 1
  stays[1] = stays[1] & ~bits;
#endif
#if BUYERS > 2
  stays[2] = stays[2] & ~bits;
#endif
}

/* What a replica has of a shard when it takes over. */
inline keep(s) {
#if ROLLBACK
  s_pool = pool[s];
  s_last[0] = last[AT(s, 0)]; s_last[1] = last[AT(s, 1)]; s_last[2] = last[AT(s, 2)];
  s_lent[0] = lent[AT(s, 0)]; s_lent[1] = lent[AT(s, 1)]; s_lent[2] = lent[AT(s, 2)];
  s_got[0] = got[AT(0, s)]; s_got[1] = got[AT(1, s)]; s_got[2] = got[AT(2, s)];
#else
  skip
#endif
}

inline wait_for(s) {
#if ROLLBACK && REPLICATED
  if :: s_of == s -> keep(s) :: else fi
#else
  skip
#endif
}

inline receive(from, to, seq, bits) {
  if
  :: NOTED && got[AT(from, to)] >= seq
  :: else -> pool[to] = pool[to] | bits; got[AT(from, to)] = seq
  fi
}

inline settle(from, to, seq) {
  if
  :: last[AT(from, to)] == seq || !SETTLED_BY_NUMBER -> lent[AT(from, to)] = 0
  :: else
  fi
}

/* Any unit of the donor's; while a run is on its way, that very one. bits 0: it has none */
inline lend(from, to, seq, bits) {
  if
  :: lent[AT(from, to)] != 0 && ONE_RUN -> seq = last[AT(from, to)]; bits = lent[AT(from, to)]
  :: else ->
     if
     :: pool[from] == 0 -> bits = 0
     :: pool[from] & 1 -> bits = 1
     :: pool[from] & 2 -> bits = 2
     fi;
     if
     :: bits == 0
     :: else ->
        clock[from]++;
        seq = (BY_CLOCK -> clock[from] : last[AT(from, to)] + 1);
        if :: HIGHER && seq <= last[AT(from, to)] -> seq = last[AT(from, to)] + 1 :: else fi;
        if :: TAKEN_OUT -> pool[from] = pool[from] & ~bits :: else fi;
        last[AT(from, to)] = seq; lent[AT(from, to)] = bits
     fi
  fi
}

/* A look at one shard. The first run on its way is the one to be completed; of shards with units any may be the donor. */
inline see(s) {
  looked = looked | BIT(s);
  if
  :: pool[s] != 0 && s == home -> brought = 1
  :: pool[s] != 0 && s != home -> if :: donor == NONE -> donor = s :: donor != NONE -> donor = s :: donor != NONE fi
  :: else
  fi;
  if
  :: PENDING_COUNTS && from == NONE && lent[AT(s, 0)] != 0 -> from = s; to = 0; seq = last[AT(s, 0)]; bits = lent[AT(s, 0)]
  :: PENDING_COUNTS && from == NONE && lent[AT(s, 1)] != 0 -> from = s; to = 1; seq = last[AT(s, 1)]; bits = lent[AT(s, 1)]
  :: PENDING_COUNTS && from == NONE && lent[AT(s, 2)] != 0 -> from = s; to = 2; seq = last[AT(s, 2)]; bits = lent[AT(s, 2)]
  :: else
  fi;
  if :: seen[s] != RECEIVED(s) && RECEIPTS_SEEN -> same = 0; seen[s] = RECEIVED(s) :: else fi
}

proctype Buyer(byte me; byte home) {
  byte u; byte looks; byte looked; byte donor = NONE; bool brought; bool same; bool dry;
  byte from = NONE; byte to; byte seq; byte bits; byte seen[3];
reserve:
  atomic {
    if
    :: pool[home] & 1 -> u = 0; pool[home] = pool[home] & ~1; taken(1)
    :: pool[home] & 2 -> u = 1; pool[home] = pool[home] & ~2; taken(2)
    :: pool[home] == 0 && !OTHERS_ASKED -> stays[me] = FOR_SALE; goto sold_out
    :: pool[home] == 0 && OTHERS_ASKED -> stays[me] = FOR_SALE; dry = 0; goto look
    fi };
  atomic {
    if
    :: row[u] == 0 || !UNIT_CONDITION ->
       assert(row[u] == 0);   /* no unit has two owners */
       row[u] = me + 1; taken(BIT(u))
    :: row[u] != 0 && UNIT_CONDITION ->
       assert(forgot);        /* and only shards that forget sell one twice */
       goto reserve           /* swapped: its row's order has it */
    fi };
  atomic {
    if
    :: CANCEL && !cancelled -> cancelled = 1; row[u] = 0; pool[home] = pool[home] | BIT(u)
    :: true
    fi;
    goto out };

look:
  atomic {
    if :: looks == LOOKS -> goto out :: else -> looks++; looked = 0; donor = NONE; brought = 0; from = NONE; same = dry fi };
  do
  :: atomic { !(looked & 1) -> see(0) }
  :: atomic { !(looked & 2) -> see(1) }
  :: atomic { !(looked & 4) -> see(2) }
  :: atomic { looked == 7 -> break }
  od;
  atomic {
    if
    :: brought -> goto reserve
    :: !brought && from != NONE -> dry = 0; goto complete
    :: !brought && from == NONE && donor != NONE -> dry = 0; goto borrow
    :: !brought && from == NONE && donor == NONE && ((dry && same) || !TWO_LOOKS) -> goto sold_out
    :: else -> dry = 1; goto look
    fi };

borrow:
  atomic {
    if
    MAY_CRASH; goto out
    :: from = donor; to = home; donor = NONE; lend(from, to, seq, bits); if :: bits == 0 -> goto look :: else fi
    fi };
complete:
#if !RECEIVED_FIRST
  atomic { settle(from, to, seq) };
#endif
  atomic { if MAY_CRASH; goto out :: receive(from, to, seq, bits) fi };
  atomic { if MAY_CRASH; goto out :: wait_for(to) fi };
#if STILL_THERE && ROLLBACK
  atomic { if :: got[AT(from, to)] < seq -> receive(from, to, seq, bits); goto look :: else fi };
#endif
  atomic { if MAY_CRASH; goto out :: settle(from, to, seq) fi };
  atomic {
    if
    :: to == home -> goto reserve
    :: to != home && donor != NONE -> goto borrow
    :: else -> goto look
    fi };

sold_out:
  /* A unit that was for sale all the time is not refused. */
  assert(stays[me] == 0);
out:
  atomic {
    u = 0; looks = 0; looked = 0; donor = NONE; brought = 0; same = 0; dry = 0; from = NONE; to = 0; seq = 0; bits = 0;
    seen[0] = 0; seen[1] = 0; seen[2] = 0; stays[me] = 0
  }
}

#define MEETS(f, t) :: atomic { lent[AT(f, t)] != 0 -> from = f; to = t; seq = last[AT(f, t)]; bits = lent[AT(f, t)]; goto complete }

proctype Sweeper() {
  byte from; byte to; byte seq; byte bits;
again:
  if
  MEETS(0, 1)
  MEETS(0, 2)
  MEETS(1, 0)
  MEETS(1, 2)
  MEETS(2, 0)
  MEETS(2, 1)
  fi;
complete:
#if !RECEIVED_FIRST
  atomic { settle(from, to, seq) };
#endif
  atomic { if MAY_CRASH; goto again :: receive(from, to, seq, bits) fi };
  atomic { if MAY_CRASH; goto again :: wait_for(to) fi };
#if STILL_THERE && ROLLBACK
  atomic { if :: got[AT(from, to)] < seq -> receive(from, to, seq, bits); goto again :: else fi };
#endif
  atomic { settle(from, to, seq); from = 0; to = 0; seq = 0; bits = 0; goto again }
}

#if ROLLBACK
/* A shard falls back, once: to what its replica had at any moment, or at the last wait for it. */
proctype Node() {
  atomic { if :: s_of = 0 :: s_of = 1 :: s_of = 2 fi; keep(s_of) };
  atomic {
    forgot = 1; taken(ALL);   /* what that moves was not for sale all the time: sold out may be stale for a moment */
    pool[s_of] = s_pool;
    last[AT(s_of, 0)] = s_last[0]; last[AT(s_of, 1)] = s_last[1]; last[AT(s_of, 2)] = s_last[2];
    lent[AT(s_of, 0)] = s_lent[0]; lent[AT(s_of, 1)] = s_lent[1]; lent[AT(s_of, 2)] = s_lent[2];
    got[AT(0, s_of)] = s_got[0]; got[AT(1, s_of)] = s_got[1]; got[AT(2, s_of)] = s_got[2];
    s_pool = 0; s_last[0] = 0; s_last[1] = 0; s_last[2] = 0; s_lent[0] = 0; s_lent[1] = 0; s_lent[2] = 0; s_got[0] = 0; s_got[1] = 0; s_got[2] = 0;
    s_of = NONE
  }
}

#define ELSEWHERE(s, u) (row[u] != 0 || (s != 0 && (pool[0] & BIT(u))) || (s != 1 && (pool[1] & BIT(u))) || (s != 2 && (pool[2] & BIT(u))))
#define DROPS(s, u) :: d_step { (pool[s] & BIT(u)) && ELSEWHERE(s, u) && forgot -> pool[s] = pool[s] & ~BIT(u); taken(BIT(u)) }

proctype Reconciler() {
  do
  DROPS(0, 0)
  DROPS(1, 0)
  DROPS(2, 0)
  DROPS(0, 1)
  DROPS(1, 1)
  DROPS(2, 1)
  od
}
#endif

#if CLOCKBACK
proctype Clock() { atomic { if :: clock[0] = 0 :: clock[1] = 0 :: clock[2] = 0 fi } }
#endif

#define PLACES(u) ((row[u] != 0) + ((pool[0] >> u) & 1) + ((pool[1] >> u) & 1) + ((pool[2] >> u) & 1))

init {
  atomic {
    if :: pool[0] = 1 :: pool[1] = 1 :: pool[2] = 1 fi;
#if UNITS > 1
    if :: pool[0] = pool[0] | 2 :: pool[1] = pool[1] | 2 :: pool[2] = pool[2] | 2 fi;
#endif
    run Buyer(0, 0);
#if BUYERS > 1
    run Buyer(1, 1);
#endif
#if BUYERS > 2
    run Buyer(2, THIRD);
#endif
#if COMPLETED && (FAULTS || ROLLBACK)
    run Sweeper();
#endif
#if ROLLBACK
    run Node();
#if COMPARED
    run Reconciler();
#endif
#endif
#if CLOCKBACK
    run Clock();
#endif
    skip
  };
  timeout;
  d_step {
    /* Nothing is on its way, and each unit is somebody's, or for sale in one shard. */
    assert((lent[1] | lent[2] | lent[3] | lent[5] | lent[6] | lent[7]) == 0);
    assert(PLACES(0) == 1);
#if UNITS > 1
    assert(PLACES(1) == 1)
#else
    skip
#endif
  }
}
