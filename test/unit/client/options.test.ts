import { describe, expect, it } from 'vitest';
import { readOptions, UsageError } from '../../../lib/client/options.ts';

describe('the options of npm run sale', () => {
  it('have defaults that fit the embedded runtime', () => {
    expect(readOptions([], {})).toEqual({
      url: 'http://127.0.0.1:4000',
      buyers: 1_000,
      units: 100,
      seats: false,
      quantity: 1,
      strategy: 'reserve-first',
      concurrency: 200,
      waitSeconds: 120,
    });
  });

  it('take what is given', () => {
    const given = [
      '--url',
      'https://sale.example/prod',
      '--buyers',
      '2000',
      '--units=500',
      '--quantity',
      '3',
      '--concurrency',
      '50',
      '--wait',
      '9',
      '--seats',
      '--strategy',
      'charge-first',
    ];
    expect(readOptions(given, {})).toEqual({
      url: 'https://sale.example/prod',
      buyers: 2_000,
      units: 500,
      seats: true,
      quantity: 3,
      strategy: 'charge-first',
      concurrency: 50,
      waitSeconds: 9,
    });
  });

  it.each([
    [['--buyers', '0']],
    [['--buyers', '1e3']],
    [['--buyers', '']],
    [['--units', '-1']],
    [['--units', '1000001']],
    [['--quantity', '21']],
    [['--quantity', '1.5']],
    [['--concurrency', 'many']],
    [['--wait', '99999999999999999999']],
    [['--url', 'localhost:4000']],
    [['--url', 'ftp://127.0.0.1']],
    [['--seats', '--units', '20001']],
    [['--seats=yes']],
    [['--strategy', 'pay-later']],
    [['--buyer', '3']],
    [['stray']],
  ])('refuse %j with a sentence', (given) => {
    expect(() => readOptions(given, {})).toThrow(UsageError);
  });

  it('say of a negative number what is wrong with it', () => {
    expect(() => readOptions(['--buyers', '-5'], {})).toThrow('--buyers takes a whole number from 1 to 100000, not "-5".');
    expect(() => readOptions(['--units=-5'], {})).toThrow('--units takes a whole number from 1 to 1000000, not "-5".');
  });

  it('say in one sentence which option has no value, and which is none', () => {
    expect(() => readOptions(['--buyers', '--units', '3'], {})).toThrow(/^--buyers needs a value\.$/);
    expect(() => readOptions(['--buyers'], {})).toThrow(/^--buyers needs a value\.$/);
    expect(() => readOptions(['--seats=yes'], {})).toThrow(/^--seats takes no value\.$/);
    expect(() => readOptions(['--seats', '--units', '20001'], {})).toThrow('With --seats, --units takes a whole number from 1 to 20000');
    expect(() => readOptions(['--buyer', '3'], {})).toThrow(/^There is no option --buyer\.$/);
  });

  it('want an operator and buyers together for a deployed endpoint, the operator also from the environment', () => {
    expect(() => readOptions(['--operator-token', 'x'], {})).toThrow(/both/);
    expect(() => readOptions(['--buyer-tokens', 'f'], {})).toThrow(/both/);
    expect(readOptions(['--buyer-tokens', 'f'], { STAMPEDE_OPERATOR_TOKEN: 'x' })).toMatchObject({ operatorToken: 'x', buyerTokens: 'f' });
  });

  it('give help whatever else is asked', () => {
    expect(readOptions(['--buyers', 'x', '--help'], {})).toBe('help');
    expect(readOptions(['-h'], {})).toBe('help');
  });
});
