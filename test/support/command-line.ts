/** An option that nobody can follow; the message says what it takes. */
export class BadOption extends Error {
  override readonly name = 'BadOption';
}

/** The whole number that an option was given. Throws `BadOption` for anything else, and outside its bounds. */
export function numberOf(name: string, text: string, least: number, most: number): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) < least || Number(text) > most)
    throw new BadOption(`--${name} must be a whole number from ${least} to ${most}.`);
  return Number(text);
}
