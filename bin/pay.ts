import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Client } from '../lib/client/client.ts';
import { Connection, NoAnswer } from '../lib/client/connection.ts';
import { localCallers, NoToken } from '../lib/client/tokens.ts';

// `npm run pay -- <orderId>`: plays the payment provider for an order that is paid from outside.

const helpText = `npm run pay -- [options] <orderId>

Tells the service what a payment provider would: that the order was paid, by a signed webhook.

  --url URL       the endpoint                                    (http://127.0.0.1:4000, what npm start listens on)
  --fail          the payment has failed instead
  --payment ID    the payment's name; a new one when left out, and the same one again is the same payment
  --amount MINOR  another amount than the order's
  -h, --help      this text

The secret comes from the variable PAYMENT_WEBHOOK_SECRETS; npm start prints it. Reading the order needs a token with the scope
sale:operate: the embedded runtime hands one out, for a deployed endpoint it comes from the variable STAMPEDE_OPERATOR_TOKEN.`;

/** The command line or the service does not go along; says what to do. */
class CannotPay extends Error {
  override readonly name = 'CannotPay';
}

function readOptions() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: { url: text, payment: text, amount: text, fail: flag, help: { ...flag, short: 'h' } },
    });
  } catch (error) {
    throw new CannotPay(error instanceof Error ? error.message : String(error));
  }
}

function address(given: string): string {
  if (URL.canParse(given) && /^https?:/i.test(given)) return given;
  throw new CannotPay(`--url takes an address such as http://127.0.0.1:4000, not "${given}".`);
}

function amount(given: string): number {
  if (/^\d{1,13}$/.test(given)) return Number(given);
  throw new CannotPay(`--amount takes a whole number of minor units, not "${given}".`);
}

async function pay(
  client: Client,
  orderId: string,
  options: { fail: boolean; paymentId: string; amountMinor: number | undefined },
): Promise<string> {
  const secrets = (process.env.PAYMENT_WEBHOOK_SECRETS ?? '')
    .split(/[\s,]+/)
    .filter(Boolean)
    .slice(0, 1);
  if (secrets.length === 0) throw new CannotPay('Set PAYMENT_WEBHOOK_SECRETS to the secret that npm start prints.');
  const token = process.env.STAMPEDE_OPERATOR_TOKEN || (await localCallers(client, 'pay').operator());
  const read = await client.as(token).order(orderId);
  if (!read.ok) throw new CannotPay(`The order can't be read: ${read.status} ${read.text}`);
  const { totalMinor, currency } = read.body;
  const amountMinor = options.amountMinor ?? totalMinor;
  const type = options.fail ? 'payment.failed' : 'payment.succeeded';
  const told = await client.tellOfPayment({ type, data: { paymentId: options.paymentId, orderId, amountMinor, currency } }, { secrets });
  if (!told.ok) throw new CannotPay(`The webhook was refused: ${told.status} ${told.text}`);
  return `${options.paymentId}: ${type} of ${amountMinor} ${currency} for ${orderId} was taken.`;
}

async function main(): Promise<number> {
  let connection: Connection | undefined;
  try {
    const { values, positionals } = readOptions();
    const [orderId, ...others] = positionals;
    if (values.help) {
      console.log(helpText);
      return 0;
    }
    if (orderId === undefined || others.length > 0) throw new CannotPay('Name one order: npm run pay -- <orderId>');
    const paymentId = values.payment ?? `pay_${randomUUID()}`;
    const amountMinor = values.amount === undefined ? undefined : amount(values.amount);
    connection = new Connection(address(values.url ?? 'http://127.0.0.1:4000'), { connections: 1 });
    console.log(await pay(new Client(connection), orderId, { fail: values.fail ?? false, paymentId, amountMinor }));
    return 0;
  } catch (error) {
    const isExpected = error instanceof CannotPay || error instanceof NoAnswer || error instanceof NoToken;
    console.error(isExpected ? error.message : error);
    return 1;
  } finally {
    await connection?.close();
  }
}

process.exitCode = await main();
