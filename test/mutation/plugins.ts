import { declareClassPlugin, declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { wordingIgnorer } from './ignorer.ts';
import { NotingReporter } from './noting.ts';
import { StayingRunner } from './runner.ts';

export const strykerPlugins = [
  declareClassPlugin(PluginKind.TestRunner, 'staying', StayingRunner),
  declareValuePlugin(PluginKind.Ignore, 'wording', wordingIgnorer),
  declareClassPlugin(PluginKind.Reporter, 'noting', NotingReporter),
];
