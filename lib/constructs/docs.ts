import { Construct } from 'constructs';
import { StampedeFunction } from './function.ts';
import type { Platform } from './platform.ts';

/** The page on which people read and try the API. It has no data, so it needs no table and no way into the network. */
export class Docs extends Construct {
  readonly page: StampedeFunction;

  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    this.page = new StampedeFunction(this, 'Page', {
      platform,
      entry: 'functions/docs/docs.handler.ts',
      description: 'Serves the API as a page that people can read and try',
      access: {},
      timeoutSeconds: 10,
      memoryMegabytes: 512,
      runbook: 'Nobody can read the API’s page. Buyers and operators notice nothing.',
    });
  }
}
