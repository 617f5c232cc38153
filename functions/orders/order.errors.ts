/** The rows of an order are not what every transition leaves behind: a bug or a hand-edited table, never a race. */
export class OrderRowsBroken extends Error {
  override readonly name = 'OrderRowsBroken';
}
