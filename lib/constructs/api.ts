import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnApi,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Aws, CfnCondition, CfnOutput, CfnParameter, Fn, RemovalPolicy } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { routes } from '../../functions/api/routes.ts';
import type { Route } from '../../functions/shared/route.ts';
import { freesUnits, movesMoney, movesOrders, sellsUnits } from './access.ts';
import { StampedeFunction } from './function.ts';
import type { Identity } from './identity.ts';
import { type Platform, redis } from './platform.ts';

/** API Gateway's default for an account, said here so that nobody's loop can take all of it at once. */
const requestsPerSecond = 10_000;
const burst = 5_000;

/**
 * The public endpoint: each route of the contract, its token checked by the gateway unless it is public, and a function behind it. Where
 * nobody issues tokens there are the functions alone, for a gateway of somebody else's.
 */
export class Api extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: {
      platform: Platform;
      identity: Identity | undefined;
      reserve: IFunction;
      cart: StampedeFunction;
      audit: StampedeFunction;
      docs: StampedeFunction;
      webhook: StampedeFunction;
      graphql: StampedeFunction;
      operations: StampedeFunction;
      reconciliation: StampedeFunction;
    },
  ) {
    super(scope, id);
    const { platform, identity, reserve, cart, audit, docs, graphql, webhook, operations, reconciliation } = props;
    const api = new StampedeFunction(this, 'Functions', {
      platform,
      entry: 'functions/api/api.handler.ts',
      description: 'Serves every route but placing an order',
      access: {
        products: { actions: ['GetItem', 'BatchGetItem', 'Scan', 'PutItem', 'UpdateItem', 'DeleteItem'] },
        sales: { actions: ['GetItem', 'BatchGetItem', 'Scan', 'PutItem', 'UpdateItem'] },
        seats: { actions: ['Query', 'PutItem'] },
        ...movesOrders,
        ...freesUnits,
        orders: { actions: [...movesOrders.orders.actions, 'BatchGetItem'], indexes: { bySale: ['Query'] } },
        views: { actions: ['BatchGetItem'], indexes: { byBuyer: ['Query'], bySale: ['Query'], byTime: ['Query'] } },
        stockLevels: { actions: ['Query'] },
        units: { actions: [...freesUnits.units.actions, ...sellsUnits.units.actions] },
        // Of an order's timeline, with what stands in the tables below.
        outbox: { actions: [...movesOrders.outbox.actions, 'Query'] },
        payments: { actions: ['Query'] },
        fulfilments: { actions: ['GetItem'] },
        accounts: { actions: [...movesMoney.accounts.actions, 'GetItem', 'Query'] },
        // Which Redis a new sale is loaded into.
        reconciliations: { actions: ['UpdateItem'] },
        idempotency: { actions: ['GetItem', 'PutItem'] },
      },
      settings: [...redis, 'TICKET_SECRET'],
      // Below the gateway's own 30 s, so that the caller gets our answer.
      timeoutSeconds: 29,
      memoryMegabytes: 1024,
      runbook: 'Operators and buyers get 503. Orders that are under way go on by events.',
    });

    if (!identity) return;
    const http = new HttpApi(this, 'Http', { description: 'Stampede', createDefaultStage: false });
    this.#allowOrigins(http);
    const integrations = {
      // One permission for the whole API each: one for each route would outgrow the function's policy.
      reserve: new HttpLambdaIntegration('Reserve', reserve, { scopePermissionToRoute: false }),
      api: new HttpLambdaIntegration('Api', api.lambda, { scopePermissionToRoute: false }),
      cart: new HttpLambdaIntegration('Cart', cart.lambda, { scopePermissionToRoute: false }),
      audit: new HttpLambdaIntegration('Audit', audit.lambda, { scopePermissionToRoute: false }),
      docs: new HttpLambdaIntegration('Docs', docs.lambda, { scopePermissionToRoute: false }),
      webhook: new HttpLambdaIntegration('Webhook', webhook.lambda, { scopePermissionToRoute: false }),
      operations: new HttpLambdaIntegration('Operations', operations.lambda, { scopePermissionToRoute: false }),
      reconciliation: new HttpLambdaIntegration('Reconciliation', reconciliation.lambda, { scopePermissionToRoute: false }),
      graphql: new HttpLambdaIntegration('Graphql', graphql.lambda, { scopePermissionToRoute: false }),
    };
    const authorizer = new HttpJwtAuthorizer('Tokens', identity.issuer, { jwtAudience: identity.audience });
    const nobody = new HttpNoneAuthorizer();
    for (const route of routes as readonly Route[]) {
      new HttpRoute(this, route.operationId, {
        httpApi: http,
        routeKey: HttpRouteKey.with(route.path, HttpMethod[route.method]),
        integration: integrations[route.servedBy],
        authorizer: route.access === 'public' ? nobody : authorizer,
      });
    }
    // Answers HEAD by itself. Of all other public routes the fallback does, whose function has none of the page's files.
    for (const route of (routes as readonly Route[]).filter(({ servedBy }) => servedBy === 'docs')) {
      new HttpRoute(this, `${route.operationId}Head`, {
        httpApi: http,
        routeKey: HttpRouteKey.with(route.path, HttpMethod.HEAD),
        integration: integrations.docs,
        authorizer: nobody,
      });
    }
    // Answers 404 and 405 in the contract's form, to anybody. A permission of its own: this route's ARN has a part less than the others.
    new HttpRoute(this, 'Fallback', {
      httpApi: http,
      routeKey: HttpRouteKey.DEFAULT,
      integration: new HttpLambdaIntegration('Fallback', api.lambda),
      authorizer: nobody,
    });

    const accessLogs = new LogGroup(this, 'AccessLogs', { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
    new HttpStage(this, 'Stage', {
      httpApi: http,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: requestsPerSecond, burstLimit: burst },
      accessLogSettings: { destination: new LogGroupLogDestination(accessLogs), format: accessLogFormat },
    });
    new CfnOutput(this, 'Endpoint', { value: http.apiEndpoint, description: 'The service’s address' }).overrideLogicalId('Endpoint');

    platform.operations.alarm(this, 'ServerErrors', {
      metric: http.metricServerError(),
      threshold: 10,
      runbook: 'The gateway answers 5xx. 503 with a problem document is a dependency that is away: see the functions’ logs by requestId.',
    });
    platform.operations.show('API', {
      Requests: [http.metricCount(), http.metricClientError(), http.metricServerError()],
      Latency: ['p50', 'p99'].map((statistic) => http.metricLatency({ statistic })),
      Function: [api.lambda.metricInvocations(), api.lambda.metricErrors(), api.lambda.metricThrottles()],
    });
  }

  /** Which web pages may call: a list of origins as a parameter, none by default. */
  #allowOrigins(http: HttpApi): void {
    const origins = new CfnParameter(this, 'AllowedOrigins', {
      type: 'CommaDelimitedList',
      default: '',
      description: 'Origins of web pages that may call the API, such as https://shop.example; none when empty',
    });
    origins.overrideLogicalId('AllowedOrigins');
    const anyOrigin = new CfnCondition(this, 'AnyOrigin', {
      expression: Fn.conditionNot(Fn.conditionEquals(Fn.join('', origins.valueAsList), '')),
    });
    const resource = http.node.defaultChild as CfnApi;
    resource.corsConfiguration = Fn.conditionIf(
      anyOrigin.logicalId,
      {
        AllowOrigins: origins.valueAsList,
        AllowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
        AllowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-none-match'],
        ExposeHeaders: ['etag', 'idempotency-replayed', 'location', 'retry-after', 'x-request-id'],
        MaxAge: 600,
      },
      Aws.NO_VALUE,
    );
  }
}

/** One JSON line a request: who, what, how long; never a token. */
const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    requestId: '$context.requestId',
    at: '$context.requestTime',
    ip: '$context.identity.sourceIp',
    routeKey: '$context.routeKey',
    path: '$context.path',
    status: '$context.status',
    subject: '$context.authorizer.claims.sub',
    bytes: '$context.responseLength',
    latencyMs: '$context.responseLatency',
    integrationMs: '$context.integrationLatency',
    integrationError: '$context.integrationErrorMessage',
    authorizerError: '$context.authorizer.error',
  }),
);
