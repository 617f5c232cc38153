/** Every key of a sale's stock. The hash tag keeps them in one slot of a cluster, so that a script may touch them together. */
export const stockKeys = (saleId: string) => ({
  sale: `{${saleId}}:sale`,
  free: `{${saleId}}:free`,
  suspects: `{${saleId}}:suspects`,
  expiry: `{${saleId}}:expiry`,
  undecided: `{${saleId}}:undecided`,
  /** Every seat of the seated items, by `sku|seat`: who has it. */
  seats: `{${saleId}}:seats`,
  /** Every cart that has units, by when it ends. */
  carts: `{${saleId}}:carts`,
  /** The chunks of a load that is under way. */
  chunks: `{${saleId}}:chunks`,
});

/** Keys beside a sale's stock, which a load leaves alone. */
export const rebuildKeys = (saleId: string) => ({
  /** The lease of whoever rebuilds the sale. */
  lease: `{${saleId}}:rebuilding`,
  /** There while a rebuild was asked for a moment ago. */
  asked: `{${saleId}}:asked`,
});

/** Beside a sale's stock too. */
export const reconcileKeys = (saleId: string) => ({
  /** The lease of whoever reconciles the sale. */
  lease: `{${saleId}}:reconciling`,
});
