import { type Api, type Gateway, type GatewayOptions, startGateway } from './gateway.ts';

/** Several front doors to one set of data. */
export interface Gateways {
  readonly urls: readonly [string, ...string[]];
  /** Serves the API of each, by its number from 0 on. */
  open(apiOf: (replica: number) => Api): void;
  /** As a gateway's own, for all at once. Safe to call again. */
  stop(): Promise<void>;
}

/**
 * Starts `count` gateways: on `port` and the ports that follow it, or each on a free one when it is 0. Rejects with what the first that
 * can't be started said, which names its port; then none of them is left.
 */
export async function startGateways({ port, count, ...options }: GatewayOptions & { readonly count: number }): Promise<Gateways> {
  const first = await startGateway({ port, ...options });
  const gateways: Gateway[] = [first];
  let stopped: Promise<unknown> | undefined;
  const stop = async () => {
    stopped ??= Promise.all(gateways.map((gateway) => gateway.stop()));
    await stopped;
  };
  try {
    while (gateways.length < count) gateways.push(await startGateway({ port: port === 0 ? 0 : port + gateways.length, ...options }));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: [first.url, ...gateways.slice(1).map(({ url }) => url)],
    open(apiOf) {
      for (const [replica, gateway] of gateways.entries()) gateway.open(apiOf(replica));
    },
    stop,
  };
}
