/** Asks a dependency for a sign of life; any failure means that it is away. */
export type Check = () => Promise<unknown>;

export interface HealthPorts {
  readonly checks: { readonly redis: Check; readonly dynamodb: Check };
  /** How long a dependency may take to answer. */
  readonly waitMsMax: number;
  /** Told of each failure, because the answer does not say why. */
  readonly onAway: (dependency: string, error: unknown) => void;
}

export type Health = Record<'redis' | 'dynamodb', 'ok' | 'away'>;

/** A dependency did not answer within the wait. */
export class NoSignOfLife extends Error {
  override readonly name = 'NoSignOfLife';
}

/** Asks all dependencies at once; answers after `waitMsMax` at the latest. */
export async function checkHealth({ checks, waitMsMax, onAway }: HealthPorts): Promise<Health> {
  const ask = async (dependency: keyof Health) => {
    try {
      await within(waitMsMax, checks[dependency]);
      return 'ok';
    } catch (error) {
      onAway(dependency, error);
      return 'away';
    }
  };
  const [redis, dynamodb] = await Promise.all([ask('redis'), ask('dynamodb')]);
  return { redis, dynamodb };
}

async function within(waitMs: number, check: Check): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoSignOfLife(`no answer within ${waitMs} ms`)), waitMs);
  });
  try {
    await Promise.race([check(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
