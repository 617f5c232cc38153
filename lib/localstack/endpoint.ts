/** There is no emulator at the endpoint; the message is a sentence that says what to do. */
export class NoEmulator extends Error {
  override readonly name = 'NoEmulator';
}

export const defaultEndpoint = 'http://127.0.0.1:4566';
const answerMsMax = 5_000;

/**
 * Throws `NoEmulator` unless something speaks HTTP at the endpoint. Which emulator it is does not matter, and whether it is content with
 * a path neither: they name their health differently.
 */
export async function expectEmulator(endpoint: string): Promise<void> {
  try {
    await fetch(new URL('/_localstack/health', endpoint), { signal: AbortSignal.timeout(answerMsMax) });
  } catch (cause) {
    throw new NoEmulator(
      `Nothing answers at ${endpoint}. Start an emulator with docker compose -f localstack-compose.yml up --wait, ` +
        'or name another endpoint: AWS_ENDPOINT_URL=http://127.0.0.1:4566.',
      { cause },
    );
  }
}
