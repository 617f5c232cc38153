import { refusedAsInvalid, unknownToModel } from './errors.ts';

export type Token =
  | { readonly kind: 'name'; readonly text: string }
  /** An attribute's name that stands elsewhere (`#name`), or a value that does (`:value`). */
  | { readonly kind: 'alias' | 'value'; readonly text: string }
  | { readonly kind: 'sign'; readonly text: string };

const pattern =
  /\s*(?:(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<alias>#[A-Za-z0-9_]+)|(?<value>:[A-Za-z0-9_]+)|(?<sign><=|>=|<>|[=<>(),.+[\]-]))/y;

/** The tokens of an expression one by one. Throws `UnknownToModel` for what it cannot read: a mistake, or something to be learned. */
export class Tokens {
  readonly #tokens: Token[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    if (text.trim() === '') throw refusedAsInvalid('The expression can not be empty;');
    this.#text = text;
    const end = text.trimEnd().length;
    pattern.lastIndex = 0;
    while (pattern.lastIndex < end) {
      const [kind, found] = Object.entries(pattern.exec(text)?.groups ?? {}).find(([, part]) => part !== undefined) ?? [];
      if (kind === undefined || found === undefined) throw this.unknown();
      this.#tokens.push({ kind: kind as Token['kind'], text: found });
    }
  }

  get next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  take(): Token {
    const token = this.next;
    if (!token) throw this.unknown();
    this.#at++;
    return token;
  }

  /** Takes a sign, or a word in whatever case, if it comes next. */
  takes(text: string): boolean {
    const token = this.next;
    const isIt = token?.kind === 'sign' ? token.text === text : token?.kind === 'name' && token.text.toUpperCase() === text;
    if (isIt) this.#at++;
    return isIt;
  }

  /** Takes a function's name with its parenthesis, if that comes next. */
  takesFunction(): string | undefined {
    const [name, parenthesis] = [this.next, this.#tokens[this.#at + 1]];
    if (name?.kind !== 'name' || parenthesis?.text !== '(') return undefined;
    this.#at += 2;
    return name.text;
  }

  must(text: string): void {
    if (!this.takes(text)) throw this.unknown();
  }

  end(): void {
    if (this.next) throw this.unknown();
  }

  unknown(): Error {
    return unknownToModel(`the expression "${this.#text}" from ${this.next ? `"${this.next.text}"` : 'its end'}`);
  }
}
