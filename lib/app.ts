import { App } from 'aws-cdk-lib/core';
import { bundleFunctions } from './constructs/bundles.ts';
import { NetworkStack } from './network-stack.ts';
import { StampedeStack } from './stampede-stack.ts';

export interface BuildOptions {
  /** Where the assembly is written; the CDK command line chooses when left out. */
  readonly outdir?: string;
}

/**
 * The whole CDK app: a stack with what is slow to change (network and cache) and the application on top of it.
 * Needs no AWS credentials and no Docker. Call `synth()` on what it returns.
 */
export function buildApp({ outdir }: BuildOptions = {}): App {
  const bundles = bundleFunctions();
  try {
    // Feature flags stand here and not in cdk.json: whoever synthesises, by command line or by program, gets the same template.
    const context = { '@aws-cdk/aws-iam:minimizePolicies': true, '@aws-cdk/core:checkSecretUsage': true };
    const app = new App({ ...(outdir === undefined ? {} : { outdir }), context, analyticsReporting: false });
    const network = new NetworkStack(app, 'StampedeNetwork', { description: 'Stampede: network and cache' });
    new StampedeStack(app, 'Stampede', { description: 'Stampede: the flash-sale engine', network, bundles });
    return app;
  } finally {
    // Functions have copied their code into the assembly by now.
    bundles.dispose();
  }
}
