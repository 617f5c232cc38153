import { App } from 'aws-cdk-lib/core';
import recommended from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { bundleFunctions } from './constructs/bundles.ts';
import { outboxPublishers } from './constructs/outbox-publishers.ts';
import { emulatorRedisUrl, forEmulator } from './localstack/variant.ts';
import { NetworkStack } from './network-stack.ts';
import { StampedeStack } from './stampede-stack.ts';

/** The app was asked for in a variant that there is not. */
export class UnknownHost extends Error {
  override readonly name = 'UnknownHost';
}

export interface BuildOptions {
  /** Where the assembly is written; the CDK command line chooses when left out. */
  readonly outdir?: string;
  /**
   * Where it is to run: on AWS when left out, or in an emulator of AWS in a container, which has no network and no cache of its own.
   * The command line says it with `--context host=emulator`.
   */
  readonly host?: 'aws' | 'emulator';
  /**
   * Who publishes the outbox: `stream`, `polling`, or `both` on the way from one to the other. The command line says it with
   * `--context OUTBOX_MODE=polling` or by the environment variable of that name; `stream` when nobody says.
   */
  readonly outboxMode?: string;
}

/**
 * CDK's current behaviours instead of its old defaults. They stand here and not in cdk.json: whoever synthesises, by command line or by
 * program, gets the same template.
 */
const behaviours = {
  ...recommended,
  // The network must not lose what the application uses.
  '@aws-cdk/core:defaultCrossStackReferences': 'strong',
  // A custom resource with a function of its own, for a group that nothing is in.
  '@aws-cdk/aws-ec2:restrictDefaultSecurityGroup': false,
};

/**
 * The whole CDK app: a stack with what is slow to change (network and cache) and the application on top of it.
 * Needs no AWS credentials and no Docker. Call `synth()` on what it returns.
 */
export function buildApp({ outdir, host, outboxMode }: BuildOptions = {}): App {
  const app = new App({ ...(outdir === undefined ? {} : { outdir }), context: behaviours, analyticsReporting: false });
  const emulated = isEmulator(host ?? app.node.tryGetContext('host'));
  const publishers = outboxPublishers(outboxMode ?? app.node.tryGetContext('OUTBOX_MODE') ?? (process.env.OUTBOX_MODE || undefined));
  const bundles = bundleFunctions();
  try {
    const common = { description: 'Stampede: the flash-sale engine', bundles, publishers };
    if (emulated) {
      const redis = { url: emulatorRedisUrl, mode: 'single' } as const;
      forEmulator(new StampedeStack(app, 'Stampede', { ...common, network: undefined, redis, isWhole: false }));
      return app;
    }
    const { network, cache } = new NetworkStack(app, 'StampedeNetwork', { description: 'Stampede: network and cache' });
    new StampedeStack(app, 'Stampede', { ...common, network, redis: cache, isWhole: true });
    return app;
  } finally {
    // Functions have copied their code into the assembly by now.
    bundles.dispose();
  }
}

/** A context value that nobody knows would be a deployment to somewhere else than was meant. */
function isEmulator(host: unknown): boolean {
  if (host === undefined || host === 'aws') return false;
  if (host === 'emulator') return true;
  throw new UnknownHost(`host must be aws or emulator, not ${String(host)}`);
}
