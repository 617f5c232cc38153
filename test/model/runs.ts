/** A model under one set of definitions, explored completely. */
export interface Variant {
  readonly model: string;
  readonly name: string;
  readonly defines: Readonly<Record<string, number>>;
  /** Takes minutes: only with `--large`. */
  readonly large?: true;
  /** Also that each run comes to an end is checked; it takes twice the states. */
  readonly mustEnd?: true;
}

/** What is explored with every rule in force: nothing may be found. */
export const variants: readonly Variant[] = [
  { model: 'stock', name: '2 buyers, a key sent twice', defines: { HOLDS: 2, FAULTS: 0 } },
  { model: 'stock', name: '3 buyers', defines: { REPEAT: 0, CANCEL: 0 } },
  { model: 'stock', name: 'rollback', defines: { HOLDS: 2, REPEAT: 0, FAULTS: 0, ROLLBACK: 1 } },
  { model: 'stock', name: 'rollback, clock back', defines: { HOLDS: 2, REPEAT: 0, FAULTS: 0, ROLLBACK: 1, CLOCKBACK: 1 } },
  { model: 'stock', name: 'flush, crash', defines: { HOLDS: 2, REPEAT: 0, FLUSH: 1 } },
  { model: 'stock', name: 'flush', defines: { HOLDS: 2, REPEAT: 0, CANCEL: 0, FAULTS: 0, FLUSH: 1 }, mustEnd: true },
  { model: 'stock', name: '3 buyers, a key sent twice', defines: {}, large: true },
  { model: 'stock', name: 'rollback, crash', defines: { HOLDS: 2, REPEAT: 0, ROLLBACK: 1 }, large: true },
  { model: 'stock', name: 'rollback, 3 buyers', defines: { REPEAT: 0, CANCEL: 0, FAULTS: 0, ROLLBACK: 1 }, large: true },
  { model: 'stock', name: 'flush, 3 buyers', defines: { REPEAT: 0, CANCEL: 0, FAULTS: 0, FLUSH: 1 }, large: true },
  { model: 'money', name: 'balance', defines: {}, mustEnd: true },
  { model: 'money', name: 'outside', defines: { OUTSIDE: 1 } },
  { model: 'money', name: 'balance, all consumers', defines: { ALL: 1 }, large: true },
  { model: 'paid', name: 'charged first', defines: {}, mustEnd: true },
  { model: 'paid', name: 'late money', defines: { LATE: 1 } },
  { model: 'carts', name: 'checkout', defines: { FAULTS: 0 } },
  { model: 'carts', name: 'checkout, crash', defines: { ENDS: 2 }, large: true },
  { model: 'reconcile', name: 'moving units', defines: {} },
  { model: 'shards', name: '2 buyers', defines: {} },
  { model: 'shards', name: '2 units', defines: { UNITS: 2 } },
  { model: 'shards', name: 'clock back', defines: { CLOCKBACK: 1 } },
  { model: 'shards', name: 'rollback', defines: { ROLLBACK: 1, CANCEL: 0, FAULTS: 0, LOOKS: 2 } },
  { model: 'shards', name: '3 buyers', defines: { BUYERS: 3, CANCEL: 0, FAULTS: 0, LOOKS: 2 }, large: true },
  { model: 'shards', name: 'rollback, crash', defines: { ROLLBACK: 1, CANCEL: 0 }, large: true },
  { model: 'rebuild', name: 'two rebuilders', defines: {}, mustEnd: true },
];

/** Under which definitions a model shows what a rule is for: left out there, an error is found. None: under its own. */
export const shownBy: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>> = {
  stock: {
    UNIT_CONDITION: { HOLDS: 2, REPEAT: 0, FAULTS: 0, ROLLBACK: 1 },
    TOMBSTONE: { HOLDS: 2, REPEAT: 0, FAULTS: 0 },
    BIRTH_IN_ORDER: { HOLDS: 2, REPEAT: 0, FAULTS: 0 },
    BIRTH_IN_RELEASE: { HOLDS: 2, FAULTS: 0 },
    HOLD_LEFT_ALONE: { HOLDS: 2 },
    SWAP_OWN_HOLD: { HOLDS: 2, FAULTS: 0, ROLLBACK: 1 },
    SUSPECTS_RETURN: { HOLDS: 2, REPEAT: 0, FAULTS: 0, ROLLBACK: 1 },
    ACKNOWLEDGE_UNITS: { HOLDS: 2, REPEAT: 0, FAULTS: 0, ROLLBACK: 1 },
    END_IS_FINAL: { HOLDS: 2, REPEAT: 0, FAULTS: 0 },
    DUE_UNTIL_RELEASED: { HOLDS: 2, REPEAT: 0 },
    ROWS_FIRST: { HOLDS: 2, REPEAT: 0, FAULTS: 0 },
    RECONCILE: { HOLDS: 2, REPEAT: 0, FAULTS: 0, ROLLBACK: 1 },
    KEEP_UNITS: { HOLDS: 2, REPEAT: 0, FAULTS: 0, ROLLBACK: 1 },
    FREE_LOOSE: { HOLDS: 2, REPEAT: 0, FAULTS: 0, FLUSH: 1 },
  },
  money: {
    BY_VERSION: {},
    ONE_TRANSACTION: {},
    PAID_GOES_ON: {},
    END_SETTLES: {},
    PAYMENT_ONCE: { OUTSIDE: 1 },
    NOT_OURS_RETURNS: { OUTSIDE: 1 },
  },
  shards: {
    ONE_RUN: { BUYERS: 3, THIRD: 0, UNITS: 2, CANCEL: 0, FAULTS: 0, LOOKS: 2 },
    HIGHER: { CLOCKBACK: 1 },
    BY_CLOCK: { ROLLBACK: 1, CANCEL: 0, FAULTS: 0, LOOKS: 2 },
    REPLICATED: { ROLLBACK: 1, CANCEL: 0, FAULTS: 0, LOOKS: 2 },
    STILL_THERE: { ROLLBACK: 1, CANCEL: 0, FAULTS: 0, LOOKS: 2 },
    RECEIPTS_SEEN: { BUYERS: 3, CANCEL: 0, FAULTS: 0, LOOKS: 2 },
    UNIT_CONDITION: { ROLLBACK: 1, CANCEL: 0, FAULTS: 0, LOOKS: 2 },
    COMPARED: { ROLLBACK: 1, CANCEL: 0, FAULTS: 0, LOOKS: 2 },
  },
  paid: { FORMER_RELEASED: { LATE: 1 }, OWN_HOLD_ID: { LATE: 1 }, ONE_LATE: { LATE: 1 } },
};
