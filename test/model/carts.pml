/*
 * A cart and its checkout, two more buyers, two units: a cart is a record among the holds that Redis alone ends; a checkout turns it into an order's hold.
 *
 * Mirrors lua/stock/{cart-set,cart-drop,cart-expire,cart-checkout,cart-return,release,acknowledge}.lua, functions/orders/{check-out,place}.ts and endHold in
 * functions/orders/sweep.ts. The cart is set twice, ended (dropped, or its time is up), and checked out twice with one key, all at once.
 *
 * Left out: more than one unit, slots, a Redis that forgets (stock.pml), the cart's extended life. An order may be refused for any reason after the checkout.
 */
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef ENDS
#define ENDS 1     /* how often the cart is dropped or its time is up */
#endif

#ifndef ONE_SCRIPT
#define ONE_SCRIPT 1          /* rule: the checkout is one script that ends the cart and begins the hold */
#endif
#ifndef TOMBSTONE_FIRST
#define TOMBSTONE_FIRST 1     /* rule: a tombstone ends the hold before its unit returns to the cart */
#endif
#ifndef RETURN_BY_BIRTH
#define RETURN_BY_BIRTH 1     /* rule: what returns to the cart is the hold of the tombstone's birth, not a younger one */
#endif
#ifndef SET_IS_ABSOLUTE
#define SET_IS_ABSOLUTE 1     /* rule: a line is set to a quantity, and set again takes nothing more */
#endif

#define FREE 0
#define OUT 1
#define NONE 0
#define HELD 1
#define ACKED 2
#define ENDED_MARK 3
#define TOMB 1
#define RESERVED 2
#define CONFIRMED 3
#define RELEASING 4
#define RELEASED 5
#define OURS 1
#define OTHERS 2

byte place[3]; byte row[3];
byte cart;                                   /* its unit, 0: there is none */
byte hold; byte held; byte born; byte clock; byte gone;
byte order; byte unit; byte birth;
byte faults;
bool begun;

#define MAY_CRASH :: faults < FAULTS -> faults++
#define IS_LIVE (order == RESERVED || order == CONFIRMED)
#define HAS_ORDER (order >= RESERVED)

/* -> 0 where there is none */
inline take_unit(u) {
  if
  :: place[1] == FREE -> u = 1; place[1] = OUT
  :: place[1] != FREE && place[2] == FREE -> u = 2; place[2] = OUT
  :: else -> u = 0
  fi
}

inline follow(live) {
  if
  :: hold == ENDED_MARK
  :: hold != ENDED_MARK && live ->
     if :: held != 0 && held != unit -> place[held] = FREE :: else fi;
     place[unit] = OUT; held = unit; hold = ACKED
  :: hold != ENDED_MARK && !live ->
     if :: held != 0 -> place[held] = FREE; held = 0 :: else fi;
     hold = ENDED_MARK; born = 0
  fi
}

inline release_birth(b) {
  if
  :: hold == HELD && born <= b -> gone = born; place[held] = FREE; held = 0; hold = NONE; born = 0
  :: else
  fi
}

/* cart-return.lua; the cart may have another unit by now, and then the hold's goes back for sale */
inline return_to_cart(b) {
  if
  :: hold == HELD && (born <= b || !RETURN_BY_BIRTH) ->
     gone = born;
     if :: cart == 0 -> cart = held :: else -> place[held] = FREE fi;
     held = 0; hold = NONE; born = 0
  :: else
  fi
}

proctype Set() {
  byte u;
  atomic {
    if
    :: cart != 0 && SET_IS_ABSOLUTE
    :: cart == 0 || !SET_IS_ABSOLUTE -> take_unit(u); if :: u != 0 -> cart = u :: else fi
    fi;
    u = 0 }
}

proctype EndCart() { atomic { cart != 0 -> place[cart] = FREE; cart = 0 } }

proctype CheckOut() {
  byte u; byte b; bool live; byte rounds;
again:
  atomic { if :: order >= RELEASING -> live = 0; goto acknowledge :: else fi };
  atomic {
    if
    :: hold == ENDED_MARK || hold == ACKED -> goto replay
    :: hold == HELD -> u = held; b = born
    :: hold == NONE && cart == 0 -> goto replay
    :: hold == NONE && cart != 0 && ONE_SCRIPT -> u = cart; cart = 0; clock++; b = clock; hold = HELD; held = u; born = b
    :: hold == NONE && cart != 0 && !ONE_SCRIPT -> u = cart
    fi };
#if !ONE_SCRIPT
  atomic {
    if
    :: hold == NONE && b == 0 -> if :: cart == u -> cart = 0 :: else fi; clock++; b = clock; hold = HELD; held = u; born = b
    :: else -> if :: b == 0 -> goto replay :: else fi
    fi };
#endif
  atomic {
    if
    MAY_CRASH; goto out
    :: HAS_ORDER -> live = IS_LIVE; goto acknowledge
    :: order == TOMB && birth >= b -> b = birth; goto over
    :: !HAS_ORDER && !(order == TOMB && birth >= b) ->
       if
       :: assert(row[u] == 0); assert(b > gone);
          order = RESERVED; birth = b; unit = u; row[u] = OURS; live = 1
       :: rounds == 0 -> goto abandon   /* refused */
       fi
    fi };
acknowledge:
  atomic { if MAY_CRASH :: true -> follow(live) fi; goto out };
replay:
  atomic { if :: HAS_ORDER -> live = IS_LIVE; goto acknowledge :: else -> goto out fi };
over:
  atomic { if MAY_CRASH; goto out :: true -> release_birth(b) fi; rounds++; if :: rounds < 2 -> u = 0; b = 0; goto again :: else -> goto replay fi };
abandon:
  atomic {
    if
    MAY_CRASH; goto out
    :: HAS_ORDER -> live = IS_LIVE; goto acknowledge
    :: !HAS_ORDER -> if :: TOMBSTONE_FIRST && (order == 0 || birth < b) -> order = TOMB; birth = b :: else fi
    fi };
  atomic { if MAY_CRASH :: true -> return_to_cart(b) fi };
out:
  atomic { u = 0; b = 0; live = 0; rounds = 0 }
}

proctype Sweeper() {
  byte b; bool found; bool live;
  do
  :: atomic { hold == HELD -> b = born };
     atomic {
       if
       MAY_CRASH; goto over
       :: HAS_ORDER -> found = 1; live = IS_LIVE
       :: !HAS_ORDER -> if :: order == 0 || birth < b -> order = TOMB; birth = b :: else fi
       fi };
     atomic { if MAY_CRASH :: found -> follow(live) :: !found -> release_birth(b) fi; goto over }
  :: atomic { order == RESERVED -> if :: order = CONFIRMED :: order = RELEASING; row[unit] = 0 fi };
     atomic { if :: order == CONFIRMED -> if MAY_CRASH :: true -> follow(true) fi :: else fi; goto over }
  :: atomic { order == RELEASING -> follow(false) };
     atomic { if MAY_CRASH :: true -> order = RELEASED fi };
over:
     atomic { b = 0; found = 0; live = 0 }
  od
}

proctype Cancel() { atomic { IS_LIVE -> order = RELEASING; row[unit] = 0 } }

proctype Other(bool second) {
  byte u;
  atomic { !second || begun };
  atomic { begun = 1; take_unit(u); if :: u == 0 -> goto out :: else fi };
  atomic { assert(row[u] == 0); row[u] = OTHERS };
  atomic { if :: row[u] = 0 :: goto out fi };
  atomic { place[u] = FREE };
out:
  u = 0
}

init {
  byte i;
  atomic {
    run Set(); run Set(); run EndCart(); run CheckOut(); run CheckOut(); run Sweeper(); run Cancel(); run Other(0); run Other(1)
#if ENDS > 1
    ; run EndCart()
#endif
  };
  timeout;
  d_step {
    assert(order != RESERVED && order != RELEASING && hold != HELD);
    if
    :: order == CONFIRMED -> assert(hold == ACKED && held == unit && row[unit] == OURS)
    :: else -> assert(hold != ACKED && held == 0)
    fi;
    if :: cart != 0 -> assert(place[cart] == OUT && row[cart] == 0 && held != cart) :: else fi;
    i = 1;
    do
    :: i <= 2 ->
       assert((place[i] == FREE) == (row[i] == 0 && cart != i));   /* each unit is for sale, an order's, or in the cart */
       i++
    :: else -> break
    od;
    i = 0
  }
}
