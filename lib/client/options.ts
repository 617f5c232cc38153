import { parseArgs } from 'node:util';
import type { Strategy } from '../../functions/sales/sale.model.ts';

export interface SaleOptions {
  readonly url: string;
  readonly buyers: number;
  readonly units: number;
  /** Whether the units are seats with names. */
  readonly seats: boolean;
  readonly quantity: number;
  readonly strategy: Strategy;
  readonly concurrency: number;
  readonly waitSeconds: number;
  /** A deployed endpoint's operator; the embedded runtime mints its own. */
  readonly operatorToken?: string;
  /** File with one buyer's token a line. */
  readonly buyerTokens?: string;
}

/** The command line can't be followed; says what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const helpText = `npm run sale -- [options]

Lets a crowd buy out a sale at one moment, waits until every order has ended, and checks that nothing was sold twice or lost.
The sale, its product and (on the embedded runtime) its buyers are new in each run, and are left behind.

  --url URL             the endpoint                                          (http://127.0.0.1:4000, what npm start listens on)
  --buyers N            how many people buy, once each, 1 to 100000           (1000)
  --units N             how many units there are, 1 to 1000000                (100)
  --quantity N          how many units each of them asks for, 1 to 20         (1)
  --seats               the units are seats with names, 20000 at most: each buyer asks for neighbours without looking, many for the
                        same ones, and when they are taken for others that the list shows free, until too few are left
  --strategy S          reserve-first, or charge-first: units only once they are paid, and the money back when none are left
                                                                              (reserve-first)
  --concurrency N       the most requests in flight, 1 to 10000               (200)
  --wait SECONDS        the longest wait for the orders to end, 1 to 3600     (120)
  -h, --help            this text

A deployed endpoint hands out no tokens. Fetch them from its issuer and give both:
  --operator-token JWT  a token with the scope sale:operate; better in the variable STAMPEDE_OPERATOR_TOKEN, where ps does not show it
  --buyer-tokens FILE   one token with the scope sale:buy a line, each of another buyer, at least as many as --buyers.
                        Buyers without an account get one in EUR with just enough for the order; accounts that exist are credited with it.

Exit code: 0 every guarantee was kept, 1 one was broken, 2 the run could not be made (the message says why).`;

const bounds = {
  buyers: [1, 100_000, 1_000],
  units: [1, 1_000_000, 100],
  quantity: [1, 20, 1],
  concurrency: [1, 10_000, 200],
  wait: [1, 3_600, 120],
} as const;

/** The most seats that an item may have. */
const seatsMax = 20_000;

function wholeNumber(name: keyof typeof bounds, given: string | undefined): number {
  const [least, most, otherwise] = bounds[name];
  if (given === undefined) return otherwise;
  const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not "${given}".`);
}

function address(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return given;
  throw new UsageError(`--url takes an address such as http://127.0.0.1:4000, not "${given}".`);
}

function strategyOf(given: string | undefined): Strategy {
  if (given === undefined || given === 'reserve-first') return 'reserve-first';
  if (given === 'charge-first') return given;
  throw new UsageError(`--strategy takes reserve-first or charge-first, not "${given}".`);
}

function parsed(args: readonly string[]) {
  const value = { type: 'string' } as const;
  try {
    return parseArgs({
      args: withNumbersJoined(args),
      options: {
        url: value,
        buyers: value,
        units: value,
        quantity: value,
        strategy: value,
        concurrency: value,
        wait: value,
        'operator-token': value,
        'buyer-tokens': value,
        seats: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(whatIsWrong(error), { cause: error });
  }
}

/** `--buyers -5` asks for minus five, and not for an option that is called 5. */
const withNumbersJoined = (args: readonly string[]): string[] =>
  args.flatMap((arg, at) => {
    const [before, after] = [args[at - 1], args[at + 1]];
    if (isOption.test(arg) && after !== undefined && isNegative.test(after)) return [`${arg}=${after}`];
    return before !== undefined && isOption.test(before) && isNegative.test(arg) ? [] : [arg];
  });
const isOption = /^--[a-z-]+$/;
const isFlag = /^--(help|seats)$/;
const isNegative = /^-\d/;

/** The parser's message as one sentence in this command's words. */
function whatIsWrong(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  const [, name] = /'(?:-\w, )?(--?[\w-]+)/.exec(error.message) ?? [];
  if (name === undefined || code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return error.message;
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return `There is no option ${name}.`;
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') return `${name} ${isFlag.test(name) ? 'takes no' : 'needs a'} value.`;
  return error.message;
}

/** The options of a run, or `help` when that was asked for. Throws `UsageError`. */
export function readOptions(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): SaleOptions | 'help' {
  const values = parsed(args);
  if (values.help) return 'help';
  const operatorToken = values['operator-token'] ?? (environment.STAMPEDE_OPERATOR_TOKEN || undefined);
  const buyerTokens = values['buyer-tokens'];
  const seats = values.seats ?? false;
  const units = wholeNumber('units', values.units);
  if (seats && units > seatsMax) throw new UsageError(`With --seats, --units takes a whole number from 1 to ${seatsMax}, not "${units}".`);
  if ((operatorToken === undefined) !== (buyerTokens === undefined))
    throw new UsageError('A deployed endpoint needs both --operator-token (or STAMPEDE_OPERATOR_TOKEN) and --buyer-tokens.');
  return {
    url: address(values.url ?? 'http://127.0.0.1:4000'),
    buyers: wholeNumber('buyers', values.buyers),
    units,
    seats,
    quantity: wholeNumber('quantity', values.quantity),
    strategy: strategyOf(values.strategy),
    concurrency: wholeNumber('concurrency', values.concurrency),
    waitSeconds: wholeNumber('wait', values.wait),
    ...(operatorToken === undefined ? {} : { operatorToken }),
    ...(buyerTokens === undefined ? {} : { buyerTokens }),
  };
}
